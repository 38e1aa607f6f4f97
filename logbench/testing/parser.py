"""Rules for parsers: they are fitted once, then frozen, and give equal messages equal keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..data.masks import apply_masks
from . import material
from .outcome import ViolationError, expect
from .rule import Subject, rule
from .side_effects import watched

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Replacements in texts, beside digits: pattern and new text.
LETTERS = (("[a-f]", "e"), ("[g-z]", "k"), ("[A-Z]", "K"), ("[^0-9A-Za-z ]", "+"))


@dataclass(frozen=True)
class Learnt:
    """A fitted parser, its masked training messages, and their keys from `fit`."""

    parser: Any
    messages: pl.Series
    keys: Any


def masked(parser: Any, messages: pl.Series) -> pl.Series:
    shapes = messages.to_frame("text").select(apply_masks(pl.col("text"), parser.shape))
    return shapes.select(apply_masks(pl.col("text"), parser.masks)).to_series()


def distinct(parser: Any, messages: tuple[str, ...]) -> pl.Series:
    return masked(parser, pl.Series("text", messages)).unique(maintain_order=True)


def learn(subject: Subject) -> Learnt:
    parser = subject.build()
    messages = distinct(parser, material.MESSAGES)
    return Learnt(parser, messages, parser.fit(messages))


def learned(subject: Subject) -> Learnt:
    """The fitted parser that rules share."""
    return subject.cached("learnt", lambda: learn(subject))


def learned_many(subject: Subject) -> Learnt:
    """A parser fitted on 2,000 messages, shared by rules."""

    def make() -> Learnt:
        parser = subject.build()
        messages = masked(parser, material.many_messages()).unique(maintain_order=True)
        return Learnt(parser, messages, parser.fit(messages))

    return subject.cached("learnt many", make)


def everything(learnt: Learnt) -> pl.Series:
    """Training messages and others."""
    return pl.concat([learnt.messages, distinct(learnt.parser, material.OTHERS)])


def checked_keys(actual: Any, count: int, low: int, high: int, what: str) -> NDArray[np.int32]:
    kind = f"{actual.dtype} {list(actual.shape)}" if isinstance(actual, np.ndarray) else type(actual).__name__
    expect(kind == f"int32 [{count}]", f"{what} to return int32 [{count}]", kind)
    keys: NDArray[np.int32] = actual
    inside = not count or (low <= int(keys.min()) and int(keys.max()) < high)
    expect(inside, f"{what} to give keys in {low} … {high - 1}", f"{keys.min()} … {keys.max()}" if count else "")
    return keys


@rule("parser", "runs", "fit gives each message a key, 0 … templates - 1")
def runs(subject: Subject) -> None:
    learnt = learned(subject)
    templates = list(learnt.parser.templates)
    wrong = [template for template in templates if not isinstance(template, str)]
    expect(not wrong, "templates to be texts", f"{wrong[:1]}")
    checked_keys(learnt.keys, len(learnt.messages), 0, len(templates), "fit")


@rule("parser", "numbered", "every template is the key of a training message")
def numbered(subject: Subject) -> None:
    learnt = learned(subject)
    unused = sorted(set(range(len(learnt.parser.templates))) - set(learnt.keys.tolist()))
    expect(not unused, "keys 0 … templates - 1 without a gap", f"no training message has key {unused[:3]}")


@rule("parser", "match", "match gives known keys, or -1 where no template fits")
def match(subject: Subject) -> None:
    learnt = learned(subject)
    messages, size = everything(learnt), len(learnt.parser.templates)
    checked_keys(learnt.parser.match(messages), len(messages), -1, size, "match")


@rule("parser", "known", "match knows every training message")
def known(subject: Subject) -> None:
    learnt = learned(subject)
    lost = np.flatnonzero(np.asarray(learnt.parser.match(learnt.messages)) < 0)
    what = f"match to give each of {len(learnt.messages)} training messages a key"
    expect(not len(lost), what, f"-1 for {len(lost)}, first {learnt.messages[lost[:1]].to_list()}")


@rule("parser", "frozen", "match never learns: templates and state stay as they were")
def frozen(subject: Subject) -> None:
    learnt = learn(subject)  # anew: what other rules matched may be learnt by now
    known, state = list(learnt.parser.templates), json.dumps(learnt.parser.state(), sort_keys=True)
    first = learnt.parser.match(learnt.messages)
    learnt.parser.match(everything(learnt))
    after = list(learnt.parser.templates)
    expect(after == known, f"{len(known)} templates after match, too", f"{len(after)}, or other ones")
    expect(
        json.dumps(learnt.parser.state(), sort_keys=True) == state,
        "match to leave the state alone",
        "another state",
    )
    again = learnt.parser.match(learnt.messages)
    expect(np.array_equal(first, again), "the same keys before and after other messages", unlike(first, again))


@rule("parser", "same", "the same messages get the same keys, whatever is matched beside them")
def same(subject: Subject) -> None:
    learnt = learned(subject)
    other = learn(subject)
    expect(np.array_equal(learnt.keys, other.keys), "a second fit alike", unlike(learnt.keys, other.keys))
    messages = everything(learnt)
    keys = learnt.parser.match(messages)
    twice = learnt.parser.match(pl.concat([messages.reverse(), messages]))
    expected = np.concatenate([keys[::-1], keys])
    expect(
        np.array_equal(expected, twice),
        "one key a message in any order, repeated or not",
        unlike(expected, twice),
    )
    alone = np.concatenate([learnt.parser.match(messages.slice(n, 1)) for n in range(len(messages))])
    expect(np.array_equal(keys, alone), "the same key for a message matched alone", unlike(keys, alone))


def unlike(first: NDArray[np.int32], second: NDArray[np.int32]) -> str:
    if len(first) != len(second):
        return f"{len(second)} keys instead of {len(first)}"
    far = np.flatnonzero(first != second)
    return f"{len(far)} others, first {second[far[0]]} instead of {first[far[0]]}" if len(far) else ""


@rule("parser", "state", "state is plain JSON, and restore makes a parser alike of it")
def state(subject: Subject) -> None:
    learnt = learned(subject)
    text = json.dumps(learnt.parser.state(), allow_nan=False)
    restored = subject.build()
    restored.restore(json.loads(text))
    known = list(learnt.parser.templates)
    expect(
        list(restored.templates) == known,
        "the same templates once restored",
        f"{len(restored.templates)} of {len(known)}",
    )
    first, second = (parser.match(everything(learnt)) for parser in (learnt.parser, restored))
    expect(np.array_equal(first, second), "the same keys once restored", unlike(first, second))


@rule("parser", "empty", "fit and match accept no messages")
def empty(subject: Subject) -> None:
    parser, nothing = subject.build(), pl.Series("text", [], dtype=pl.String)
    checked_keys(parser.fit(nothing), 0, 0, 0, "fit")
    expect(not len(parser.templates), "no template without a message", str(len(parser.templates)))
    checked_keys(parser.match(nothing), 0, -1, 0, "match")
    others = distinct(parser, material.OTHERS)
    checked_keys(parser.match(others), len(others), -1, 0, "match")


@rule("parser", "shape", "messages of one shape have one masked message")
def shape(subject: Subject) -> None:
    """Changes digits or letters of texts: equal shapes must have equal masked messages."""
    parser = subject.build()
    for name, pairs in (("masks", parser.masks), ("shape", parser.shape)):
        right = all(isinstance(a, str) and isinstance(b, str) for a, b in pairs)
        expect(right, f"{name} to be pairs of (regular expression, replacement)", repr(pairs)[:60])
    text, digit = pl.col("text"), "[0-9]"
    texts = pl.Series("text", (*material.MESSAGES, *material.OTHERS)).to_frame()
    variants = pl.concat(
        [
            texts,
            *(
                texts.select(text.str.replace_all(pattern, new))
                for pattern, new in ((digit, "7"), ("[0-9]+", "123"), ("[0-9]+", "0"), *LETTERS)
            ),
            texts.select(text.str.to_uppercase()),
        ]
    )
    masked_variants = variants.select(
        "text", shape=apply_masks(text, parser.shape), masked=apply_masks(text, parser.masks)
    )
    unlike = masked_variants.group_by("shape", maintain_order=True).agg(
        pl.col("masked").unique(maintain_order=True)
    )
    for shape_, masked in unlike.filter(pl.col("masked").list.len() > 1).iter_rows():
        raise ViolationError(
            f"one masked message for the shape {shape_!r}: a narrower shape, or ()",
            " and ".join(map(repr, masked[:2])),
        )


@rule("parser", "files", "nothing is written or printed, no global random state is touched")
def files(subject: Subject) -> None:
    with watched(subject.fresh("watched")) as watch:
        learnt = learn(subject)
        learnt.parser.match(everything(learnt))
    expect(not watch.faults, "no files, no prints, random states left alone", watch.faults)
