"""Fit a model to small test data, and compare its scores."""

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

# Largest difference of equal scores, because float sums depend on the size of a batch.
CLOSE = 1e-5
SEED = 3


@dataclass(frozen=True)
class Fitted:
    """A fitted model, its scores of the test sessions, and what `fit` returned."""

    model: Any
    scores: Scores
    facts: Any


def least(subject: Subject) -> int:
    """Events of the shortest unit that the model declares it can score."""
    return subject.part.min_events


def is_supervised(subject: Subject) -> bool:
    """Whether the model trains on labels."""
    return bool(subject.traits.supervision == "supervised")


def train_of(subject: Subject) -> Sessions:
    """Training units: 160 normal units, or for supervised models labelled units with a third of anomalies."""
    sessions = material.sessions(160, least(subject), 0, 0.3 if is_supervised(subject) else 0.0, subject.traits)
    return sessions if is_supervised(subject) else sessions.unlabelled()


def asked_of(subject: Subject) -> Sessions:
    """Units to score: 48, a third of them anomalous."""
    return material.sessions(48, least(subject), 2, 0.3, subject.traits).unlabelled()


def context_of(subject: Subject, held_out: bool = True) -> Context:
    """Context with the same seed and held-out units on every call; labelled for supervised models, as in a run."""
    supervised = is_supervised(subject)
    sessions = material.sessions(40, least(subject), 1, 0.3 if supervised else 0.0, subject.traits)
    sessions = sessions if supervised else sessions.unlabelled()
    return Context(seed=SEED, held_out=sessions if held_out else None)


def scored(subject: Subject, model: Any, asked: Sessions, context: Context | None = None) -> Scores:
    """Score `asked` and check the scores as in a run."""
    return Scores.of(model.score(asked, context or context_of(subject)), len(asked), subject.part.name)


def fit(subject: Subject, train: Sessions | None = None, context: Context | None = None) -> Fitted:
    """Build, fit and score a model, all with the same context."""
    model = subject.build()
    facts = model.fit(train_of(subject) if train is None else train, context or context_of(subject))
    return Fitted(model, scored(subject, model, asked_of(subject), context), facts)


def fitted(subject: Subject) -> Fitted:
    """The fitted model that rules share."""
    return subject.cached("fitted", lambda: fit(subject))


def again_scored(subject: Subject, asked: Sessions) -> Scores:
    """Score `asked` by the model that rules share."""
    return scored(subject, fitted(subject).model, asked)


def columns_of(scores: Scores) -> dict[str, Any]:
    """Every existing column of scores, by name."""
    named: dict[str, Any] = {"primary": scores.primary, "ignoring": scores.ignoring, **scores.others}
    named |= {"event": scores.event, "ignoring_event": scores.ignoring_event, "unjudged": scores.unjudged}
    return {name: values for name, values in named.items() if values is not None}


def difference(expected: Scores, actual: Scores, ids: pl.Series) -> str:
    """Describe where two scores of the same units differ by more than `CLOSE`; empty if nowhere."""
    first, second = columns_of(expected), columns_of(actual)
    if first.keys() != second.keys():
        return f"scores called {', '.join(second)} instead of {', '.join(first)}"
    for name in first:
        far = np.flatnonzero(~np.isclose(first[name], second[name], rtol=CLOSE, atol=CLOSE))
        if len(far):
            position = int(far[0])
            return (
                f"{len(far)} of {len(ids)} {name} scores differ, first unit {ids[position]}: "
                f"{second[name][position]:.6g} instead of {first[name][position]:.6g}"
            )
    return ""


def same(expected: Scores, actual: Scores, ids: pl.Series, what: str) -> None:
    """Raise ViolationError, with `what` was expected, if scores differ."""
    if unlike := difference(expected, actual, ids):
        raise ViolationError(what, unlike)


def taken(scores: Scores, index: np.ndarray[Any, Any]) -> Scores:
    """The scores of the units `index`."""
    return replace(scores.take(index), facts={})


def share_above(first: Any, second: Any) -> float:
    """Share of pairs in which a score of `first` is above one of `second`; equal scores count half."""
    above = np.asarray(first)[:, None] > np.asarray(second)[None, :]
    equal = np.asarray(first)[:, None] == np.asarray(second)[None, :]
    return float((above + equal / 2).mean())
