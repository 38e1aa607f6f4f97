"""Rules for parsers: they work on 2,000 messages, beside another fitted parser, and in a fresh process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from . import material
from .fresh import in_fresh_process
from .outcome import expect
from .parser import checked_keys, distinct, everything, learn, learned, learned_many, unlike
from .rule import Subject, rule

PART = 130


@rule("parser", "large", "2,000 messages are fitted and matched like a few")
def large(subject: Subject) -> None:
    learnt, few = learned_many(subject), learned(subject)
    size, known = len(learnt.messages), len(learnt.parser.templates)
    keys = checked_keys(learnt.keys, size, 0, known, "fit")
    unused = sorted(set(range(known)) - set(keys.tolist()))
    expect(not unused, "every template to be the key of a training message", f"none has key {unused[:3]}")
    whole = checked_keys(learnt.parser.match(learnt.messages), size, -1, known, "match")
    lost = int((whole < 0).sum())
    expect(not lost, f"match to give each of {size} training messages a key", f"-1 for {lost}")
    parts = [learnt.parser.match(learnt.messages.slice(start, PART)) for start in range(0, size, PART)]
    in_parts = np.concatenate(parts)
    expect(np.array_equal(whole, in_parts), f"the same keys {PART} at a time", unlike(whole, in_parts))
    before = few.parser.match(everything(few))
    few.parser.match(learnt.messages)
    after = few.parser.match(everything(few))
    expect(np.array_equal(before, after), f"the same keys before and after {size} others", unlike(before, after))


@rule("parser", "many-others", "messages without a match stay unknown when they are repeated")
def many_others(subject: Subject) -> None:
    parser = learn(subject).parser
    others = distinct(parser, tuple(material.many_messages()))
    first = parser.match(others)
    state = json.dumps(parser.state(), sort_keys=True)
    for _ in range(3):
        again = parser.match(others)
        expect(np.array_equal(first, again), "the same keys each time", unlike(first, again))
    expect(json.dumps(parser.state(), sort_keys=True) == state, "match to leave the state alone", "another state")


@rule("parser", "apart", "another parser that is fitted afterwards, on other messages, changes nothing")
def apart(subject: Subject) -> None:
    learnt = learn(subject)
    templates, before = list(learnt.parser.templates), learnt.parser.match(everything(learnt))
    other = subject.build()
    other.fit(distinct(other, material.OTHERS))
    after = learnt.parser.match(everything(learnt))
    expect(np.array_equal(before, after), "each parser to keep what it learnt to itself", unlike(before, after))
    expect(list(learnt.parser.templates) == templates, "its templates as they were", "others")


@rule("parser", "restored", "restore replaces all that a parser has learnt, and learns 2,000 messages back")
def restored(subject: Subject) -> None:
    learnt = learned_many(subject)
    text = json.dumps(learnt.parser.state())
    used = subject.build()
    used.fit(distinct(used, material.MESSAGES))
    used.restore(json.loads(text))
    same = list(used.templates) == list(learnt.parser.templates)
    expect(same, f"the {len(learnt.parser.templates)} templates of the state", f"{len(used.templates)}, or others")
    asked = pl.concat([learnt.messages, distinct(used, material.MESSAGES), distinct(used, material.OTHERS)])
    first, second = learnt.parser.match(asked), used.match(asked)
    expect(np.array_equal(first, second), "the same keys once restored", unlike(first, second))


@rule(
    "parser", "process", "another process, which hashes texts differently, gives the same keys, restored or fitted"
)
def process(subject: Subject) -> None:
    learnt = learned(subject)
    asked = everything(learnt)
    there = in_fresh_process(subject, "parser_large:in_process", {"state": learnt.parser.state()})
    here = {"fit": learnt.keys, "match": learnt.parser.match(asked), "restored": learnt.parser.match(asked)}
    for name, keys in here.items():
        what = {"fit": "from fit", "match": "from match", "restored": "once the state was restored"}[name]
        expect(
            np.array_equal(keys, there[name]),
            f"the same keys {what} in a process of its own, under another PYTHONHASHSEED",
            unlike(there[name], keys),
        )


def in_process(subject: Subject, given: Mapping[str, Any]) -> dict[str, Any]:
    """Task of the fresh process: first restore a new parser, then fit one."""
    parser = subject.build()
    parser.restore(given["state"])
    messages = pl.concat([distinct(parser, material.MESSAGES), distinct(parser, material.OTHERS)])
    known = parser.match(messages)
    learnt = learn(subject)
    return {"fit": learnt.keys, "match": learnt.parser.match(everything(learnt)), "restored": known}
