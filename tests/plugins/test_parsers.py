"""Parsers: masks against shapes, Drain against its rules by brute force, HDFS against Loghub's truth."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from real_data import DATA

from logbench import ConfigError
from logbench.pipeline.kept_parser import KeptParser
from logbench_parsers import DrainConfig, leaf, logbench_parsers
from logbench_parsers.drain import NUMBERS, DrainParser
from logbench_parsers.hdfs import STATEMENTS
from logbench_parsers.hdfs import parser as hdfs_parser
from logbench_parsers.none import Verbatim

SYSTEMS = (
    *(
        "Android",
        "Apache",
        "BGL",
        "HDFS",
        "HPC",
        "Hadoop",
        "HealthApp",
        "Linux",
        "Mac",
        "OpenSSH",
        "OpenStack",
    ),
    *("Proxifier", "Spark", "Thunderbird", "Windows", "Zookeeper"),
)
PARSERS: dict[str, Callable[[], DrainParser | Verbatim]] = {
    "drain": lambda: DrainParser(DrainConfig()),
    "drain, own masks": lambda: DrainParser(DrainConfig(masks=("[0-9]{3}", "user=\\w+"))),
    "drain, only own masks": lambda: DrainParser(DrainConfig(masks=("[0-9]{3}",), builtin_masks=False)),
    "drain, no masks": lambda: DrainParser(DrainConfig(builtin_masks=False)),
    "hdfs": hdfs_parser,
    "none": Verbatim,
}
Pairs = Sequence[tuple[str, str]]


def reduced(messages: pl.Series, pairs: Pairs) -> pl.Series:
    """What the harness does with masks and shapes."""
    for expression, text in pairs:
        messages = messages.str.replace_all(expression, text)
    return messages


def keys_of_lines(parser: DrainParser | Verbatim, lines: pl.Series) -> pl.Series:
    """Keys of all lines, from the distinct masked ones in first-seen order."""
    masked = reduced(lines, parser.masks).alias("masked")
    distinct = masked.unique(maintain_order=True)
    known = pl.DataFrame([distinct, pl.Series("key", parser.fit(distinct))])
    return masked.to_frame().join(known, on="masked", how="left", maintain_order="left")["key"]


def same_groups(a: pl.Series, b: pl.Series) -> bool:
    """Equal up to names."""
    pairs = pl.DataFrame([a.alias("a"), b.alias("b")]).unique()
    return pairs.height == a.n_unique() == b.n_unique()


@cache
def hdfs_lines() -> pl.Series:
    path = DATA / "hdfs_v1_sample" / "HDFS_v1.zip"
    if not path.exists():
        pytest.skip(f"needs {path}")
    with zipfile.ZipFile(path) as archive:
        text = archive.read("HDFS.log").decode()
    # date, time, process, level, component: the message is what follows
    return pl.Series(text.splitlines()).str.replace(r"^(?:\S+ ){4}\S+: ", "")


@cache
def loghub(system: str) -> pl.DataFrame:
    path = DATA / "loghub_2k" / system / f"{system}_2k.log_structured.csv"
    if not path.exists():
        pytest.skip(f"needs {path}")
    return pl.read_csv(path, infer_schema=False).select(pl.col("Content").fill_null(""), "EventId")


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


def brute_force(messages: Sequence[str], leading: int, similarity: float) -> tuple[list[int], list[list[str]]]:
    """Drain by its rules alone, without a tree: every template is looked at for every message."""
    templates: list[list[str]] = []
    routes: list[tuple[int, list[str]]] = []
    keys = []
    for message in messages:
        words = message.split()
        variable = [bool(re.search(r"\d|<\*>", word)) for word in words]
        reach = [key for key, (length, _) in enumerate(routes) if length == len(words)]
        route: list[str] = []
        for level in range(min(leading, len(words) - 1)):
            exact = [key for key in reach if routes[key][1][level] == words[level]]
            reach = exact or [key for key in reach if routes[key][1][level] == "?"]
            route.append("?" if variable[level] and not exact else words[level])
        same = {k: sum(a == b for a, b in zip(templates[k], words, strict=True)) for k in reach}
        best = max(reach, key=lambda k: (same[k], templates[k].count("?"), -k), default=None)
        if best is None or (words and same[best] / len(words) < similarity):
            best = len(templates)
            templates.append(words)
            routes.append((len(words), route))
        templates[best] = [a if a == b else "?" for a, b in zip(templates[best], words, strict=True)]
        keys.append(best)
    return keys, templates


SENTENCES = st.lists(st.sampled_from(["a", "b", "c", "<*>", "n1", "k:<*>", "m2"]), max_size=5).map(" ".join)


@pytest.fixture(params=[(1, 0), (4, 0), (1, 1_000_000), (leaf.WIDE, leaf.ENTRY)])
def wide(request: pytest.FixtureRequest) -> Iterator[int]:
    """Leaves of so many templates are searched by the index (an entry costs nothing) or all at once in numpy."""
    before = leaf.WIDE, leaf.ENTRY
    leaf.WIDE, leaf.ENTRY = request.param
    yield leaf.WIDE
    leaf.WIDE, leaf.ENTRY = before


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.lists(SENTENCES, max_size=30),
    depth=st.integers(3, 6),
    similarity=st.sampled_from([0.0, 0.3, 0.5, 0.67, 1.0]),
)
def test_drain_is_its_rules(wide: int, messages: list[str], depth: int, similarity: float) -> None:
    parser = DrainParser(DrainConfig(depth=depth, similarity=similarity))
    keys = parser.fit(pl.Series(messages, dtype=pl.String))
    expected, templates = brute_force(messages, depth - 3, similarity)
    assert keys.tolist() == expected
    assert keys.dtype == np.int32
    assert parser.templates == [" ".join(word.replace("?", "<*>") for word in words) for words in templates]


@settings(max_examples=200, deadline=None)
@given(
    train=st.lists(SENTENCES, max_size=20),
    test=st.lists(SENTENCES, max_size=20),
    match=st.sampled_from(["similar", "exact"]),
)
def test_frozen_drain_neither_adds_nor_changes_and_survives_json(
    train: list[str], test: list[str], match: str
) -> None:
    config = DrainConfig(depth=5, match=match)  # type: ignore[arg-type]
    parser = DrainParser(config)
    parser.fit(pl.Series(train, dtype=pl.String))
    before = copy.deepcopy((parser.state(), parser.templates))
    unknown = pl.Series(test, dtype=pl.String)
    keys = parser.match(unknown)
    assert (parser.state(), parser.templates) == before
    other = DrainParser(config)
    other.restore(json.loads(json.dumps(parser.state())))
    assert other.match(unknown).tolist() == keys.tolist()
    assert other.templates == parser.templates
    assert all(-1 <= key < len(parser.templates) for key in keys)
    more = pl.Series([*train, *test], dtype=pl.String)
    assert [other._learn(text.split()) for text in test] == parser.fit(more)[len(train) :].tolist()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(train=st.lists(SENTENCES, min_size=1, max_size=20), test=st.lists(SENTENCES, min_size=1, max_size=20))
def test_exact_match_is_a_template_that_fits(wide: int, train: list[str], test: list[str]) -> None:
    """Without leading tokens every template of the length is within reach: compare with all of them."""
    parser = DrainParser(DrainConfig(depth=3, match="exact"))
    parser.fit(pl.Series(train))
    templates = [["?" if word is None else word for word in words] for words in parser.state()["templates"]]
    for message, key in zip(test, parser.match(pl.Series(test)).tolist(), strict=True):
        words = message.split()
        fits = {
            k: template.count("?")
            for k, template in enumerate(templates)
            if len(template) == len(words) and all(a in ("?", b) for a, b in zip(template, words, strict=True))
        }
        assert key == min(fits, key=lambda k: (fits[k], k), default=-1)


def test_frozen_drain_takes_the_similar_or_says_none() -> None:
    train = pl.Series(["session opened for root", "session opened for bob", "x", ""])
    test = pl.Series(["session opened for eve", "session closed by eve", "session", "session opened", "", None])
    similar, exact = DrainParser(DrainConfig()), DrainParser(DrainConfig(match="exact"))
    similar.fit(train)
    exact.fit(train)
    assert similar.templates == ["session opened for <*>", "x", ""]
    assert similar.match(test).tolist() == [0, -1, -1, -1, 2, 2]
    near = pl.Series(["session opened by eve"])
    assert similar.match(near).tolist() == [0]
    assert exact.match(near).tolist() == [-1]


def test_drain_counts_equal_masked_variables_but_not_its_own_wildcards() -> None:
    parser = DrainParser(DrainConfig())
    masked = ["<*> <*> <*> up", "<*> <*> <*> down"]
    assert parser.fit(pl.Series([*masked, *masked])).tolist() == [0, 0, 0, 0]
    words = [
        "m a b c",
        "m a x y",
        "m z x q",
    ]  # the second leaves two wildcards; the third then equals one in four
    assert parser.fit(pl.Series(words)).tolist() == [0, 0, 1]


def test_the_index_of_a_leaf_finds_what_comparing_with_all_finds(wide: int) -> None:
    """Templates of few tokens that grow wildcards, asked for by messages near to one of them."""
    rng = np.random.default_rng(3)
    full, words = leaf.Leaf(5_000), [f"w{n}" for n in range(40)]
    rows = [rng.choice(words, 12).tolist() for _ in range(120)]
    for key, row in enumerate(rows):
        full.add(leaf.Template(key, row, 0, []))
    for place in rng.integers(0, 120, 60).tolist():
        full.join(full.templates[place], [word if rng.random() < 0.9 else "other" for word in rows[place]])
    assert full.fixed == min(12 - template.tokens.count(None) for template in full.templates) < 11
    for least in (0, 1, 4, 6, 9, 12):
        for row in rows[::6]:
            asked = [word if rng.random() < 0.7 else str(rng.choice(words)) for word in row]
            same = [sum(a == b for a, b in zip(one.tokens, asked, strict=True)) for one in full.templates]
            expected = [(key, equal) for key, equal in enumerate(same) if equal >= least]
            assert [(template.key, equal) for template, equal in full.similar(asked, least)] == expected


def test_new_messages_are_compared_with_few_templates_of_a_leaf() -> None:
    """Of 3,000 messages of words that hardly repeat none is compared with more than a handful of templates."""
    rng = np.random.default_rng(4)
    full = leaf.Leaf(5_000)
    looked = []
    for key, row in enumerate(rng.integers(0, 20_000, (3_000, 40)).astype(str).tolist()):
        if key >= leaf.WIDE:
            candidates = full._candidates(row, 20)
            assert candidates is not None
            looked.append(len(candidates))
        full.add(leaf.Template(key, row, 0, []))
    assert max(looked) < 10


def test_drain_prefers_wildcards_among_the_equally_similar(wide: int) -> None:
    """The last equals `p q c d` in two tokens and the younger `a b <*> <*>` too."""
    parser = DrainParser(DrainConfig(depth=3))
    assert parser.fit(pl.Series(["p q c d", "a b m n", "a b x y", "a b c d"])).tolist() == [0, 1, 1, 1]


def test_frozen_drain_prefers_few_wildcards_among_those_that_fit(wide: int) -> None:
    """`a b <*> <*>` is older, but `<*> b c d` says more of the message."""
    parser = DrainParser(DrainConfig(depth=3))
    assert parser.fit(pl.Series(["a b m n", "a b x y", "p b c d", "q b c d"])).tolist() == [0, 0, 1, 1]
    assert parser.match(pl.Series(["a b c d", "a b c e"])).tolist() == [1, 0]


def test_drain_sends_tokens_without_room_to_the_wildcard() -> None:
    """Three branches: two tokens and the wildcard, where all others meet and are compared."""
    messages = pl.Series([f"{word} is up" for word in "abcde"])
    assert DrainParser(DrainConfig(max_children=3)).fit(messages).tolist() == [0, 1, 2, 2, 2]
    assert DrainParser(DrainConfig(max_children=1)).fit(messages).tolist() == [0] * 5
    assert DrainParser(DrainConfig()).fit(messages).tolist() == [0, 1, 2, 3, 4]


def test_drain_at_extremes() -> None:
    parser = DrainParser(DrainConfig())
    long = " ".join(["word"] * 100_000)
    messages = ["", "   ", long, long + " more", long[:-4] + "ward", "été 日本 \U0001f600", "\u3000", "\n"]
    assert parser.fit(pl.Series(messages)).tolist() == [0, 0, 1, 2, 1, 3, 0, 0]
    assert parser.templates[1].endswith("word <*>")
    assert parser.match(pl.Series(["été 日本 autre", long])).tolist() == [3, 1]
    assert parser.fit(pl.Series([], dtype=pl.String)).tolist() == []
    assert parser.match(pl.Series(["a"])).tolist() == [-1]  # a second fit forgets the first


def test_drain_refuses_a_mask_that_is_no_expression() -> None:
    with pytest.raises(ConfigError, match=r"drain\.masks: '\(\?<=a\)b' is not a regular expression"):
        DrainParser(DrainConfig(masks=("(?<=a)b",)))


def test_drain_applies_own_masks_first() -> None:
    parser = DrainParser(DrainConfig(masks=(r"user=\w+",)))
    assert reduced(pl.Series(["login user=u12 from 10.0.0.1:22 id 0xff"]), parser.masks).to_list() == [
        "login <*> from <*> id <*>"
    ]


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("blk_-12 blk_7", "<*> <*>"),
        ("src: /10.250.19.102:54106", "src: /<*>"),
        ("at 0x7ffe and 00:1a:ff:2b at 12:30:01.5", "at <*> and <*> at <*>"),
        ("req-38101a0b-2096-447d-96ea-abcdeabcdeab", "req-<*>"),
        ("part-00012 of disk3", "part-<*> of disk<*>"),
        ("dead beef added", "dead beef added"),
    ],
)
def test_builtin_masks(message: str, masked: str) -> None:
    assert reduced(pl.Series([message]), DrainParser(DrainConfig()).masks).item() == masked


def test_drain_groups_the_sample_as_line_by_line_does() -> None:
    lines = hdfs_lines()
    parser = DrainParser(DrainConfig())
    keys = keys_of_lines(parser, lines)
    templates = parser.templates
    assert parser.fit(reduced(lines, parser.masks)).tolist() == keys.to_list()
    assert parser.templates == templates
    assert 29 <= len(templates) <= 46


@pytest.mark.parametrize("name", ["drain", "hdfs"])
def test_groups_are_those_of_the_truth(name: str) -> None:
    """Logs that the parser can get right by its nature."""
    truth = loghub({"drain": "Apache", "hdfs": "HDFS"}[name])
    assert same_groups(keys_of_lines(PARSERS[name](), truth["Content"]), truth["EventId"])


def test_every_hdfs_line_is_one_statement() -> None:
    distinct = reduced(hdfs_lines(), (("[0-9]+", "0"),)).unique()
    fits = pl.DataFrame([distinct.str.contains(f"^{e}$").alias(t) for e, t in STATEMENTS])
    assert distinct.len() > 60
    assert fits.sum_horizontal().to_list() == [1] * distinct.len()


# One line a statement, in the order of `STATEMENTS`; values made up.
EXAMPLES = (
    "Receiving block blk_-12 src: /10.0.0.1:80 dest: /10.0.0.2:90",
    "Received block blk_12 src: /10.0.0.1:80 dest: /10.0.0.2:90 of size 67108864",
    "Received block blk_12 of size 67108864 from /10.0.0.1",
    "Receiving empty packet for block blk_-12",
    "Exception in receiveBlock for block blk_12 java.io.IOException: Connection reset by peer",
    "writeBlock blk_12 received exception java.io.IOException: Block blk_12 is valid.",
    "PacketResponder 2 for block blk_-12 terminating",
    "PacketResponder 2 for block blk_-12 Interrupted.",
    "PacketResponder blk_-12 2 Exception java.io.EOFException",
    "10.0.0.1:80:Exception writing block blk_12 to mirror 10.0.0.2:90",
    "Changing block file offset of block blk_12 from 0 to 65024 meta file offset to 515",
    "10.0.0.1:80 Served block blk_12 to /10.0.0.2",
    "10.0.0.1:80:Got exception while serving blk_12 to /10.0.0.2:",
    "10.0.0.1:80 Starting thread to transfer block blk_-12 to 10.0.0.2:90, 10.0.0.3:90",
    "10.0.0.1:80:Transmitted block blk_12 to /10.0.0.2:90",
    "10.0.0.1:80:Failed to transfer blk_12 to 10.0.0.2:90 got java.io.IOException: Broken pipe",
    "Verification succeeded for blk_-12",
    "Adding an already existing block blk_12",
    "Reopen Block blk_12",
    "Unexpected error trying to delete block blk_-12. BlockInfo not found in volumeMap.",
    "Deleting block blk_12 file /mnt/hadoop/dfs/data/current/subdir4/blk_12",
    "BLOCK* NameSystem.allocateBlock: /user/root/a file/part-00081. blk_12",
    "BLOCK* NameSystem.delete: blk_-12 is added to invalidSet of 10.0.0.1:80",
    "BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.0.0.1:80 is added to blk_12 size 3550",
    "BLOCK* NameSystem.addStoredBlock: Redundant addStoredBlock request received for blk_12 on 10.0.0.1:8 size 1",
    "BLOCK* NameSystem.addStoredBlock: addStoredBlock request received for blk_12 on 10.0.0.1:8 size 1 "
    "But it does not belong to any file.",
    "BLOCK* ask 10.0.0.1:80 to replicate blk_12 to datanode(s) 10.0.0.2:90 10.0.0.3:90",
    "BLOCK* ask 10.0.0.1:80 to delete  blk_12 blk_-13 blk_14",
    "BLOCK* Removing block blk_12 from neededReplications as it does not belong to any file.",
    "PendingReplicationMonitor timed out block blk_-12",
)


def test_hdfs_statements_are_told_apart() -> None:
    """A line of each fits its own statement and no other, and no template fits any."""
    assert len(STATEMENTS) == len({template for _, template in STATEMENTS}) == 30
    parser = hdfs_parser()
    fits = [[bool(re.fullmatch(expression, line)) for expression, _ in STATEMENTS] for line in EXAMPLES]
    assert np.array_equal(fits, np.eye(30, dtype=bool))
    masked = reduced(pl.Series(EXAMPLES), parser.masks)
    assert masked.to_list() == [template for _, template in STATEMENTS]
    assert reduced(masked, parser.masks).to_list() == masked.to_list()


def test_hdfs_vocabulary_is_that_of_the_training() -> None:
    parser = hdfs_parser()
    train = [
        "Verification succeeded for blk_1",
        "odd line 17 of blk_-3",
        "Receiving empty packet for block blk_4",
    ]
    distinct = reduced(pl.Series(train), parser.masks)
    assert parser.fit(distinct).tolist() == [0, 1, 2]
    assert parser.templates[:2] == ["Verification succeeded for <*>", "odd line <*> of <*>"]
    other = hdfs_parser()
    other.restore(json.loads(json.dumps(parser.state())))
    unknown = reduced(pl.Series(["Reopen Block blk_9", "Verification succeeded for blk_-8"]), parser.masks)
    for one in (parser, other):
        assert one.match(unknown).tolist() == [-1, 0]
        assert one.templates == parser.templates


@given(
    train=st.lists(st.text(max_size=3), max_size=10, unique=True),
    test=st.lists(st.text(max_size=3), max_size=10),
)
def test_none_numbers_distinct_messages(train: list[str], test: list[str]) -> None:
    parser = Verbatim()
    assert parser.masks == parser.shape == ()
    assert parser.fit(pl.Series(train, dtype=pl.String)).tolist() == list(range(len(train)))
    keys = parser.match(pl.Series(test, dtype=pl.String))
    assert keys.dtype == np.int32
    assert keys.tolist() == [train.index(text) if text in train else -1 for text in test]
    assert parser.templates == train


def test_the_hook_offers_three_parsers_that_build() -> None:
    offered = {component.name: component for component in logbench_parsers()}
    assert list(offered) == ["drain", "hdfs", "none"]
    for component in offered.values():
        parser = component.build(*([component.config()] if component.config else []))
        assert parser.fit(pl.Series(["a", "b b"])).tolist() == [0, 1]


def test_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, logbench_parsers; list(logbench_parsers.logbench_parsers()); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "logbench_parsers" in said
    assert not {"polars", "numpy", "torch", "sklearn", "pydantic"} & set(said)


def test_a_leaf_with_too_many_templates_is_searched_in_part_and_says_so() -> None:
    """Words repeat much, so lists are long: as an exact parser until a leaf is too large, then near to it."""
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 40, (1_500, 6)).astype(str).tolist()
    messages = pl.Series([" ".join(["go", *row]) for row in rows]).unique(maintain_order=True)
    exact, bounded = DrainParser(DrainConfig()), DrainParser(DrainConfig(max_leaf=512))
    expected, keys = exact.fit(messages), bounded.fit(messages)
    assert exact.caution is None and "drain.max_leaf" in str(bounded.caution)
    grown = int(np.flatnonzero(expected >= 512)[0])
    assert (keys[:grown] == expected[:grown]).all()
    assert len(exact.templates) <= len(bounded.templates) < 1.5 * len(exact.templates)
    found = bounded.match(messages)
    assert (found >= 0).mean() > 0.95
    restored = DrainParser(DrainConfig(max_leaf=512))
    restored.restore(bounded.state())
    assert (restored.match(messages) == found).all()


def test_the_caution_of_a_parser_is_passed_on_where_parts_of_keys_stay() -> None:
    parser = KeptParser(DrainParser(DrainConfig()))
    assert parser.caution is None and KeptParser(Verbatim()).caution is None
