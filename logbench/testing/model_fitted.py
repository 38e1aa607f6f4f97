"""A model fitted to the small material, and how its answers are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from ..api.contracts import Context
from ..data.scores import Scores
from ..data.sessions import Sessions
from . import material
from .outcome import ViolationError
from .rule import Subject

# Scores that differ by less are the same: float sums depend on the size of a batch.
CLOSE = 1e-5
SEED = 3


@dataclass(frozen=True)
class Fitted:
    """A fitted model, its scores of the test sessions, and what `fit` returned."""

    model: Any
    scores: Scores
    facts: Any


def least(subject: Subject) -> int:
    """Events of the shortest unit that it says it can score."""
    return subject.part.min_events


def is_supervised(subject: Subject) -> bool:
    """Whether it trains on labels."""
    return bool(subject.traits.supervision == "supervised")


def train_of(subject: Subject) -> Sessions:
    """What it trains on: 160 usual units, or labelled ones of which a third is strange."""
    found = material.sessions(160, least(subject), 0, 0.3 if is_supervised(subject) else 0.0, subject.traits)
    return found if is_supervised(subject) else found.unlabelled()


def asked_of(subject: Subject) -> Sessions:
    """What it scores: 48 units, a third of them strange."""
    return material.sessions(48, least(subject), 2, 0.3, subject.traits).unlabelled()


def context_of(subject: Subject, held_out: bool = True) -> Context:
    """The same seed and held-out units each time."""
    found = material.sessions(40, least(subject), 1, 0.3 if is_supervised(subject) else 0.0, subject.traits)
    return Context(seed=SEED, held_out=found.unlabelled() if held_out else None)


def scored(subject: Subject, model: Any, asked: Sessions, context: Context | None = None) -> Scores:
    """The model's answer for `asked`, checked as in a run."""
    return Scores.of(model.score(asked, context or context_of(subject)), len(asked), subject.part.name)


def fit(subject: Subject, train: Sessions | None = None, context: Context | None = None) -> Fitted:
    """A model built, fitted and scored anew, all with the same context."""
    model = subject.build()
    facts = model.fit(train_of(subject) if train is None else train, context or context_of(subject))
    return Fitted(model, scored(subject, model, asked_of(subject), context), facts)


def fitted(subject: Subject) -> Fitted:
    """The model that rules share."""
    return subject.cached("fitted", lambda: fit(subject))


def again_scored(subject: Subject, asked: Sessions) -> Scores:
    """What the model that rules share says of `asked`."""
    return scored(subject, fitted(subject).model, asked)


def columns_of(scores: Scores) -> dict[str, Any]:
    """Every score by name, those that are there."""
    named: dict[str, Any] = {"primary": scores.primary, "ignoring": scores.ignoring, **scores.others}
    named |= {"event": scores.event, "ignoring_event": scores.ignoring_event, "unjudged": scores.unjudged}
    return {name: values for name, values in named.items() if values is not None}


def difference(expected: Scores, actual: Scores, ids: pl.Series) -> str:
    """Where two answers for the same units differ by more than `CLOSE`, in words; empty where they do not."""
    first, second = columns_of(expected), columns_of(actual)
    if first.keys() != second.keys():
        return f"scores called {', '.join(second)} instead of {', '.join(first)}"
    for name in first:
        far = np.flatnonzero(~np.isclose(first[name], second[name], rtol=CLOSE, atol=CLOSE))
        if len(far):
            at = int(far[0])
            return (
                f"{len(far)} of {len(ids)} {name} scores differ, first unit {ids[at]}: "
                f"{second[name][at]:.6g} instead of {first[name][at]:.6g}"
            )
    return ""


def same(expected: Scores, actual: Scores, ids: pl.Series, what: str) -> None:
    """ViolationError, with `what` was expected, where two answers differ."""
    if found := difference(expected, actual, ids):
        raise ViolationError(what, found)


def taken(scores: Scores, index: np.ndarray[Any, Any]) -> Scores:
    """The answers for the units `index`."""
    return replace(scores.take(index), facts={})


def share_above(first: Any, second: Any) -> float:
    """Share of pairs where a score of `first` is above one of `second`, equal ones counted half."""
    above = np.asarray(first)[:, None] > np.asarray(second)[None, :]
    equal = np.asarray(first)[:, None] == np.asarray(second)[None, :]
    return float((above + equal / 2).mean())
