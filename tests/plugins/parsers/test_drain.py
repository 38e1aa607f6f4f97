"""Drain against its rules by brute force."""

from __future__ import annotations

import copy
import gc
import json
import re
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parsed_lines import hdfs_lines, keys_of_lines, reduced

from logbench import ConfigError
from logbench.data.kept import KEPT
from logbench.pipeline.kept_parser import KeptParser
from logbench_parsers import DrainConfig
from logbench_parsers.drain import DrainParser


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


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.lists(SENTENCES, max_size=30),
    depth=st.integers(3, 6),
    similarity=st.sampled_from([0.0, 0.3, 0.5, 0.67, 1.0]),
)
def test_drain_is_its_rules(wide: None, messages: list[str], depth: int, similarity: float) -> None:
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


@pytest.mark.parametrize("kept", [False, True])
def test_a_state_copies_no_template(kept: bool) -> None:
    """Python's collector goes through all that there is, once so many new containers are made."""
    drain = DrainParser(DrainConfig(similarity=0.9))
    parser = KeptParser(drain) if kept else drain
    parser.fit(pl.Series([f"{name}{KEPT}one {name} two" if kept else f"one {name} two" for name in "abcdefghij"]))
    assert len(parser.templates) == 10
    before = {id(one) for one in gc.get_objects()}
    state = parser.state()
    made = [one for one in gc.get_objects() if id(one) not in before and isinstance(one, list | tuple)]
    assert state and len(made) < 10


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(train=st.lists(SENTENCES, min_size=1, max_size=20), test=st.lists(SENTENCES, min_size=1, max_size=20))
def test_exact_match_is_a_template_that_fits(wide: None, train: list[str], test: list[str]) -> None:
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


def test_drain_prefers_wildcards_among_the_equally_similar(wide: None) -> None:
    """The last equals `p q c d` in two tokens and the younger `a b <*> <*>` too."""
    parser = DrainParser(DrainConfig(depth=3))
    assert parser.fit(pl.Series(["p q c d", "a b m n", "a b x y", "a b c d"])).tolist() == [0, 1, 1, 1]


def test_frozen_drain_prefers_few_wildcards_among_those_that_fit(wide: None) -> None:
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
