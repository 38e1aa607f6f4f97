"""Rules for models that go on learning: any unit teaches, keys may grow, each model learns for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..api.optional_models import Updates
from ..data.scores import Scores
from ..data.sessions import Sessions
from .model_fitted import asked_of, fit, same, scored
from .outcome import InapplicableError
from .rule import Subject, rule

# Units that a model learns from.
TAUGHT = 8


def _updated(subject: Subject, units: Sessions) -> Any:
    """A fitted model of its own, after updates with some units, verdicts and labels in turn.

    Raises:
        InapplicableError: it has no update.
    """
    if not isinstance(subject.build(), Updates):
        raise InapplicableError("it has no update(unit, verdict, label)")
    model = fit(subject).model
    unsupervised = subject.traits.supervision == "unsupervised"
    cases = [
        (verdict, label) for verdict in (False, True) for label in ((None,) if unsupervised else (None, 0, 1))
    ]
    for place in range(TAUGHT):
        verdict, label = cases[place % len(cases)]
        model.update(units[place : place + 1], verdict, label)
    return model


@rule(
    "model", "update", "update(unit, verdict, label) takes any unit, with a label or without, and scoring goes on"
)
def update(subject: Subject) -> None:
    asked = asked_of(subject)
    scored(subject, _updated(subject, asked), asked)


@rule("model", "update-same", "the same updates after the same training give the same scores")
def update_same(subject: Subject) -> None:
    asked = asked_of(subject)
    first, second = (scored(subject, _updated(subject, asked), asked) for _ in range(2))
    same(first, second, asked.ids, "the same updates to give the same scores")


@rule("model", "update-apart", "what one model learns by updates changes no other's scores")
def update_apart(subject: Subject) -> None:
    if not isinstance(subject.build(), Updates):
        raise InapplicableError("it has no update(unit, verdict, label)")
    asked, other = asked_of(subject), fit(subject)
    _updated(subject, asked)
    same(
        other.scores, scored(subject, other.model, asked), asked.ids, "each model to keep what it learns to itself"
    )


@rule("model", "update-keys", "keys that came to be known since the training are taken by update and score")
def update_keys(subject: Subject) -> None:
    """In a run in slices the parser learns templates of past slices; known keys stay as they are."""
    asked = _with_new_key(asked_of(subject))
    known: Scores = scored(subject, _updated(subject, asked), asked)
    again = scored(subject, _updated(subject, asked), asked)
    same(known, again, asked.ids, "the same updates to give the same scores")


def _with_new_key(units: Sessions) -> Sessions:
    """The units under one more known key, which every seventh event has."""
    new, keys = units.vocabulary, units.keys.copy()
    keys[keys >= new] += 1
    keys[::7] = new
    return replace(
        units, keys=keys.astype(np.int32), vocabulary=new + 1, templates=(*units.templates, "a new <*>")
    )
