"""Masks against shapes: lines of one shape have one masked message."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parsed_lines import PARSERS, SYSTEMS, hdfs_lines, loghub, reduced

from logbench_parsers.drain import NUMBERS

# Messages with holes for runs of digits, among what masks look at: hex letters, 0x, signs, dots, colons, word
# boundaries, digits of other scripts; and whole statements of HDFS, cut anywhere.
WORDS = (
    *(
        "\0",
        "\0",
        "\0",
        ".",
        ":",
        "-",
        "/",
        "_",
        " ",
        " ",
        "x",
        "X",
        "a",
        "f",
        "F",
        "g",
        "é",
        "٣",
        "²",
        "$",
        "*",
    ),
    *("blk_", "blk_-", "\0.\0.\0.\0", ":\0", "\0x", "user=", "size "),
)
STATEMENT_SHAPES = (
    "Receiving block blk_-\0 src: /\0.\0.\0.\0:\0 dest: /\0.\0.\0.\0:\0",
    "BLOCK* ask \0.\0.\0.\0:\0 to delete  blk_\0 blk_-\0",
    "BLOCK* NameSystem.allocateBlock: /user/root/rand\0/_task_\0_m_\0_\0/part-\0. blk_\0",
    "PacketResponder blk_-\0 \0 Exception java.io.EOFException",
)
HOLES = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=12).map("".join),
    st.tuples(st.sampled_from(STATEMENT_SHAPES), st.integers(0, 80)).map(lambda pair: pair[0][: pair[1]]),
)
RUNS = st.text("0123456789", min_size=1, max_size=5)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_one_shape_has_one_masked_message(name: str, data: st.DataObject) -> None:
    """Two fillings of the holes: where the shape says they are alike, the masks must agree."""
    holes = data.draw(HOLES)
    count = holes.count("\0")
    fills = [data.draw(st.lists(RUNS, min_size=count, max_size=count)) for _ in range(2)]
    lines = pl.Series(["".join(sum(zip(holes.split("\0"), [*fill, ""], strict=True), ())) for fill in fills])
    parser = PARSERS[name]()
    shapes = reduced(lines, parser.shape)
    if shapes[0] == shapes[1]:
        masked = reduced(lines, parser.masks)
        assert masked[0] == masked[1]
    if parser.shape == NUMBERS and "٣" not in holes:
        assert shapes[0] == shapes[1]  # else the test would hold nothing


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_one_shape_has_one_masked_message_on_real_lines(name: str, system: str) -> None:
    lines = loghub(system)["Content"]
    parser = PARSERS[name]()
    pairs = pl.DataFrame([reduced(lines, parser.shape).alias("s"), reduced(lines, parser.masks).alias("m")])
    assert pairs.unique().height == pairs["s"].n_unique()


@pytest.mark.parametrize("name", ["drain", "hdfs"])
def test_one_shape_has_one_masked_message_on_hdfs(name: str) -> None:
    parser = PARSERS[name]()
    lines = hdfs_lines()
    pairs = pl.DataFrame([reduced(lines, parser.shape).alias("s"), reduced(lines, parser.masks).alias("m")])
    assert pairs.unique().height == pairs["s"].n_unique() < 100
