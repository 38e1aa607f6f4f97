"""Grouping against a loop over lines in plain Python: hand-made, random and real."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest
from hdfs_lines import STAMP, TINY, WriteHdfs
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench import DataError, KeySequences, Lines, PluginError
from logbench.pipeline.coding import batches, encode_lines, given_of, read_lines
from logbench.pipeline.grouping import FirstSeenCodes, GroupedLines, group_lines, group_sequences
from logbench_datasets.hdfs import Hdfs
from logbench_windowers.session import Session

MASKS = ((r"blk_-?[0-9]+", "<blk>"), (r"[0-9.]+:[0-9]+", "<node>"), (r"[0-9]+", "<n>"))


class Masks:
    """As much of a parser as grouping looks at."""

    masks = MASKS
    shape = (("[0-9]+", "0"),)


def silent(done: float, total: float | None = None, detail: str = "") -> None: ...


class Named:
    """A windower by the column `id`, in as few words as the contract allows."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        ids = pl.col("id").list.unique(maintain_order=True)
        return lines.with_columns(unit=pl.when(ids.list.len() > 0).then(ids)).explode("unit")


def group(lines: Lines, labels: pl.DataFrame | None = None, times: bool = False) -> GroupedLines:
    parser: Any = Masks()
    read = read_lines(lines, Named(), parser, silent, times)
    return group_lines(read, parser, (lambda: labels) if labels is not None else lines.labels)


def by_hand(named: Iterable[tuple[str, list[str]]]) -> dict[str, list[tuple[int, str]]]:
    """Unit → its (line number, masked message), line by line."""
    units: dict[str, list[tuple[int, str]]] = {}
    for number, (message, ids) in enumerate(named):
        masked = message
        for pattern, text in MASKS:
            masked = re.sub(pattern, text, masked)
        for unit in dict.fromkeys(ids):
            units.setdefault(unit, []).append((number, masked))
    return units


def as_dict(grouped: GroupedLines) -> dict[str, list[tuple[int, str]]]:
    messages = grouped.messages.to_list()
    events = [(int(n), messages[code]) for n, code in zip(grouped.lines, grouped.codes, strict=True)]
    bounds = zip(grouped.units["unit"], grouped.offsets[:-1], grouped.offsets[1:], strict=True)
    return {unit: events[a:b] for unit, a, b in bounds}


def assert_same(grouped: GroupedLines, expected: dict[str, list[tuple[int, str]]]) -> None:
    assert as_dict(grouped) == expected
    assert grouped.units["unit"].to_list() == list(expected), "units must come in order of first line"
    assert grouped.units["first_line"].to_list() == [events[0][0] for events in expected.values()]
    assert grouped.units["last_line"].to_list() == [events[-1][0] for events in expected.values()]
    in_order = sorted({event for events in expected.values() for event in events})
    assert grouped.messages.to_list() == list(dict.fromkeys(message for _, message in in_order))


def hdfs_by_hand(log: bytes) -> dict[str, list[tuple[int, str]]]:
    texts = log.decode().splitlines()
    return by_hand((text.partition(": ")[2], re.findall(r"blk_-?[0-9]+", text)) for text in texts)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_tiny_hdfs_as_by_hand(write_hdfs: WriteHdfs, newline: str) -> None:
    folder = write_hdfs(newline=newline)
    grouped = group(Hdfs().read(folder))
    assert_same(grouped, hdfs_by_hand((folder / "HDFS.log").read_bytes()))
    blocks = {unit: [line for line, _ in events] for unit, events in as_dict(grouped).items()}
    assert blocks == {"blk_1": [0, 2, 4, 6], "blk_-2": [1, 2, 7], "blk_3": [3, 4]}
    assert grouped.units["label"].to_list() == [0, 1, -1]
    facts = {"lines": 8, "events": 9, "lines_without_unit": 1, "labels_without_unit": 1, "units_without_label": 1}
    assert grouped.facts == facts
    assert not grouped.sequences and grouped.times is None


def test_a_unit_is_anomalous_by_any_line_and_normal_ones_with_unlabelled_lines_are_counted() -> None:
    rows = [("a", 0), ("a", None), ("b", 0), ("c", 1), ("c", None), ("d", None), ("a", 0)]
    frame = pl.DataFrame(
        {
            "line": range(7),
            "message": "m",
            "id": [[unit] for unit, _ in rows],
            "label": [label for _, label in rows],
        },
        schema_overrides={"line": pl.UInt32, "label": pl.Int8},
    )
    grouped = group(Lines(frame.lazy()))
    assert dict(grouped.units.select("unit", "label").iter_rows()) == {"a": 0, "b": 0, "c": 1, "d": -1}
    assert grouped.facts["units_partly_labelled"] == 1 and grouped.facts["units_without_label"] == 1


def test_real_sample_as_by_hand(shared_data: Path) -> None:
    path = shared_data / "hdfs_v1_sample" / "HDFS_v1.zip"
    grouped = group(Hdfs().read(path))
    with ZipFile(path) as archive:
        expected = hdfs_by_hand(archive.read("HDFS.log"))
        labels = archive.read("preprocessed/anomaly_label.csv").decode().split()[1:]
    assert_same(grouped, expected)
    known = dict(line.split(",") for line in labels)
    assert grouped.units["label"].to_list() == [int(known[unit] == "Anomaly") for unit in expected]
    assert grouped.facts["lines"] == 222_579 and len(grouped) == 11_501
    assert int((grouped.units["label"] == 1).sum()) == 350
    assert grouped.facts["lines_without_unit"] == 0


def lines_of(named: list[tuple[str, list[str]]], **columns: pl.Series) -> Lines:
    frame = pl.DataFrame(
        {"line": range(len(named)), "message": [m for m, _ in named], "id": [ids for _, ids in named], **columns},
        schema_overrides={"line": pl.UInt32, "message": pl.String, "id": pl.List(pl.String)},
    )
    return Lines(frame.lazy())


NAMED = st.lists(
    st.tuples(
        st.sampled_from(["at 12", "at 7", "blk_1 at 12:5", "x", "", "7 7"]),
        st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(NAMED)
def test_random_lines_as_by_hand(named: list[tuple[str, list[str]]]) -> None:
    expected = by_hand(named)
    if not expected:
        with pytest.raises(DataError, match="belongs to a unit"):
            group(lines_of(named))
        return
    grouped = group(lines_of(named))
    assert_same(grouped, expected)
    assert grouped.facts["lines"] == len(named)
    assert grouped.facts["lines_without_unit"] == sum(not ids for _, ids in named)
    assert grouped.facts["events"] == sum(len(set(ids)) for _, ids in named)


@settings(deadline=None)
@given(NAMED)
def test_the_session_windower_keeps_lines_of_no_and_of_several_units(named: list[tuple[str, list[str]]]) -> None:
    found = Session("", "id").assign(lines_of(named).frame).collect()
    units: list[list[str | None]] = [[*dict.fromkeys(ids)] or [None] for _, ids in named]
    pairs = [(line, unit) for line, of_line in enumerate(units) for unit in of_line]
    assert list(found.select("line", "unit").iter_rows()) == pairs


def test_a_windower_that_drops_lines_is_told(write_hdfs: WriteHdfs) -> None:
    class Drops(Named):
        def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
            return super().assign(lines).filter(pl.col("unit").is_not_null())

    parser: Any = Masks()
    with pytest.raises(PluginError, match="dropped"):
        read_lines(Hdfs().read(write_hdfs()), Drops(), parser, silent, False)


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6), max_size=5))
def test_numbers_are_in_first_seen_order_over_all_chunks(chunks: list[list[str]]) -> None:
    dtype = pl.Categorical(pl.Categories.random())
    held = pl.Series(sorted("abcdef", reverse=True)).cast(dtype)  # so that polars' own codes are in another order
    numbers, every = FirstSeenCodes(), [name for chunk in chunks for name in chunk]
    found = [number for chunk in chunks for number in numbers.of(pl.Series(chunk).cast(dtype)).tolist()]
    expected = list(dict.fromkeys(every))
    assert [expected[number] for number in found] == every and numbers.names().to_list() == expected
    assert len(numbers) == len(expected) and len(held) == 6


@settings(deadline=None, max_examples=25)
@given(NAMED, st.integers(0, 3))
def test_more_lines_than_memory_give_the_same(named: list[tuple[str, list[str]]], limit: int) -> None:
    """With room for no more than `limit` events, files take the place of arrays, and batches hold two lines."""
    expected = by_hand(named)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logbench.data.event_buffer.IN_MEMORY", limit)
        parser: Any = Masks()
        frames = list(batches(given_of(lines_of(named), parser), Named(), silent, False))
        pieces = [part for frame in frames for part in frame.iter_slices(2)]
        if not expected:
            return
        grouped = group_lines(encode_lines(pieces), parser)
    assert isinstance(grouped.codes, np.memmap) == (len(grouped.codes) > limit)
    assert_same(grouped, expected)
    assert grouped.facts["lines_without_unit"] == sum(not ids for _, ids in named)


def test_codes_of_categories_do_not_matter() -> None:
    """Which thread comes first decides polars' codes: here they are given backwards, with gaps."""
    named = [("first", ["b"]), ("second", ["a"]), ("first", ["a"]), ("third", ["c"])]
    read = pl.DataFrame({"line": range(4)}, schema={"line": pl.UInt32})
    held = []
    for name, values in (("unit", [i[0] for _, i in named]), ("shape", [m for m, _ in named])):
        dtype = pl.Categorical(pl.Categories.random())
        held.append(pl.Series(["gap", *sorted(values, reverse=True), "other"]).cast(dtype))
        read = read.with_columns(pl.Series(name, values).cast(dtype))
    assert read["unit"].to_physical().to_list() != [0, 1, 1, 2]
    parser: Any = Masks()
    assert_same(group_lines(encode_lines([read]), parser, None), by_hand(named))


def test_labels_of_lines_make_a_unit_anomalous() -> None:
    named = [("m", ["a"]), ("m", ["a", "b"]), ("m", ["b"]), ("m", ["c"])]
    grouped = group(lines_of(named, label=pl.Series([0, 1, 0, None], dtype=pl.Int8)))
    assert grouped.units["label"].to_list() == [1, 1, -1]
    assert grouped.line_labels is not None
    assert grouped.line_labels.dtype == np.int8 and grouped.line_labels.tolist() == [0, 1, 1, 0, -1]


def test_labels_must_name_a_unit_once() -> None:
    labels = pl.DataFrame({"unit": ["a", "a"], "label": [0, 1]}, schema_overrides={"label": pl.Int8})
    with pytest.raises(DataError, match="a "):
        group(lines_of([("m", ["a"]), ("m", ["b"])]), labels)


def test_times_follow_their_lines_and_gaps_take_the_time_before() -> None:
    start = dt.datetime(2008, 11, 9)
    stamps = [None, start, None, start + dt.timedelta(seconds=2)]
    named = [("m", ["b"]), ("m", ["a"]), ("m", ["b"]), ("m", ["a", "b"])]
    grouped = group(lines_of(named, time=pl.Series(stamps, dtype=pl.Datetime("us"))), times=True)
    zero = int(start.replace(tzinfo=dt.UTC).timestamp()) * 1_000_000
    assert grouped.times is not None and grouped.times.dtype == np.int64
    assert grouped.times.tolist() == [zero, zero, zero + 2_000_000, zero, zero + 2_000_000]  # b b b, a a
    none = group(lines_of([("m", ["a"])], time=pl.Series([None], dtype=pl.Datetime("us"))), times=True)
    assert none.times is None


def test_a_missing_message_is_an_empty_one() -> None:
    frame = lines_of([("m", ["a"]), ("", ["a"])]).frame.with_columns(
        message=pl.when(pl.col("line") == 0).then("message")
    )
    grouped = group(Lines(frame))
    assert [message or "" for _, message in as_dict(grouped)["a"]] == ["m", ""]


def test_an_empty_log_is_one_line(write_hdfs: WriteHdfs) -> None:
    with pytest.raises(DataError, match=r"HDFS\.log.*empty"):
        group(Hdfs().read(write_hdfs(messages=[])))


def test_a_log_of_something_else_is_one_line(write_hdfs: WriteHdfs) -> None:
    with pytest.raises(DataError, match="no line of 2 belongs"):
        group(Hdfs().read(write_hdfs(messages=["hello", "world"])))


@given(st.lists(st.lists(st.integers(-3, 40), max_size=5), min_size=1, max_size=6))
def test_key_sequences_keep_their_keys(sequences: list[list[int]]) -> None:
    frame = pl.DataFrame(
        {"unit": [f"u{i}" for i in range(len(sequences))], "keys": sequences},
        schema={"unit": pl.String, "keys": pl.List(pl.Int64)},
    )
    if not any(sequences):
        with pytest.raises(DataError, match="no key"):
            group_sequences(KeySequences(frame))
        return
    grouped = group_sequences(KeySequences(frame))
    texts = grouped.messages.to_list()
    found = [[int(texts[c]) for c in grouped.codes[a:b]] for a, b in zip(grouped.offsets, grouped.offsets[1:])]  # noqa: B905
    assert found == sequences
    assert texts == list(dict.fromkeys(str(k) for s in sequences for k in s))
    assert grouped.sequences and set(grouped.units["label"]) == {-1}
    assert grouped.facts["units_without_label"] == len(sequences)


def test_the_hand_made_log_is_what_it_says() -> None:
    assert len(TINY) == 8 and len(STAMP) > 13
