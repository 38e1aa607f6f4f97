"""Rules for models: the score of a unit depends on the unit, not on other scored units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..data.scores import Scores
from ..data.sessions import Sessions
from . import material
from .model_fitted import again_scored, asked_of, fitted, least, same, taken
from .outcome import InapplicableError
from .rule import Subject, rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

MANY, PART = 5_000, 500


def _apart(subject: Subject) -> None:
    if subject.traits.joint_scores:
        raise InapplicableError("traits.joint_scores says that a score depends on the others")


@rule("model", "order", "the order of the test sessions changes no score")
def order(subject: Subject) -> None:
    asked = asked_of(subject)
    index = np.random.default_rng(0).permutation(len(asked))
    actual = again_scored(subject, asked.take(index))
    same(taken(fitted(subject).scores, index), actual, asked.ids.gather(index), "each unit's score in any order")


@rule("model", "batch", "which sessions are scored together changes no score")
def batch(subject: Subject) -> None:
    _apart(subject)
    asked = asked_of(subject)
    for size in (7, 1):
        for start in range(0, len(asked) if size > 1 else 5, size):
            index = np.arange(start, min(start + size, len(asked)))
            actual = again_scored(subject, asked.take(index))
            what = f"each unit's score whatever is scored beside it (here {size} at a time)"
            same(taken(fitted(subject).scores, index), actual, asked.ids.gather(index), what)


@rule("model", "one", "a test set of one session is scored")
def one(subject: Subject) -> None:
    _apart(subject)
    asked, last = asked_of(subject), np.array([len(asked_of(subject)) - 1])
    actual = again_scored(subject, asked.take(last))
    same(taken(fitted(subject).scores, last), actual, asked.ids.gather(last), "the score that it has among others")


@rule("model", "empty", "an empty test set is scored")
def empty(subject: Subject) -> None:
    again_scored(subject, material.of([], traits=subject.traits))


@rule("model", "repeats", "equal key sequences get equal scores, whatever their ids, times and weights")
def repeats(subject: Subject) -> None:
    if not subject.trait("keys_only"):
        raise InapplicableError("traits.keys_only is false")
    asked = asked_of(subject)
    index = np.tile(np.arange(len(asked)), 2)
    twice = asked.take(index)
    twice = replace(
        twice,
        ids=pl.Series("unit", [f"other-{n}" for n in range(len(twice))]),
        weights=np.linspace(0.5, 9.0, len(twice)),
        times=None if twice.times is None else _other_times(twice),
    )
    actual = again_scored(subject, twice)
    same(taken(fitted(subject).scores, index), actual, twice.ids, "equal key sequences to get equal scores")


def _other_times(sessions: Sessions) -> NDArray[np.int64]:
    """Other times of the events, with other gaps."""
    steps = np.random.default_rng(11).integers(1, 90_000_000, len(sessions.keys))
    return material.DAY // 3 + np.cumsum(steps)


def large(subject: Subject) -> tuple[Sessions, Scores]:
    """Many labelled units, and their scores when scored at once without labels."""

    def make() -> tuple[Sessions, Scores]:
        asked = material.sessions(MANY, least(subject), 5, 0.3, subject.traits)
        return asked, again_scored(subject, asked.unlabelled())

    return subject.cached("large", make)


@rule("model", "large", "5,000 units get the scores that they get in smaller parts: no batch ends badly")
def in_parts(subject: Subject) -> None:
    _apart(subject)
    asked, scores = large(subject)
    order = np.random.default_rng(3).permutation(len(asked))
    for start in range(0, len(asked), PART):
        index = order[start : start + PART]
        actual = again_scored(subject, asked.take(index).unlabelled())
        what = f"each of {len(asked):,} units to get the score that it gets among {PART}"
        same(actual, taken(scores, index), asked.ids.gather(index), what)
    few = asked_of(subject)
    actual = again_scored(subject, few)
    same(
        fitted(subject).scores,
        actual,
        few.ids,
        f"the scores as they were before {len(asked):,} others",
    )


@rule("model", "shortest", "no NaN from min_events on, whatever the keys")
def shortest(subject: Subject) -> None:
    size, last = least(subject), material.VOCABULARY
    walks = [
        [0] * size,
        [last] * size,
        [last - 1] * (size + 1),
        [n % last for n in range(size)],
        [0] * 3 * size,
        [n % last for n in range(300)],
    ]
    again_scored(subject, material.of(walks, traits=subject.traits))
