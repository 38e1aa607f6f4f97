"""Rules for models: they give one score a unit, which depends only on training and seed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from ..api.optional_models import MODEL_METHODS
from ..base.errors import IncompatibleError
from ..base.jsonable import to_jsonable
from ..components.model_cards import card_of, check_ablation
from ..components.trait_checks import fault
from ..data.sessions import Sessions
from . import material
from .model_fitted import (
    SEED,
    again_scored,
    asked_of,
    columns_of,
    context_of,
    fit,
    fitted,
    is_supervised,
    least,
    same,
    scored,
)
from .outcome import InapplicableError, expect
from .rule import Subject, rule


@rule("model", "runs", "fit and score work, with one score a unit")
def runs(subject: Subject) -> None:
    shortest = least(subject)
    expect(shortest >= 1, "traits.min_events to be at least 1", str(shortest))
    fitted(subject)


@rule("model", "traits", "the traits are of the known kinds")
def traits(subject: Subject) -> None:
    wrong = fault("model", subject.traits, subject.part.config)
    expect(not wrong, "traits that make sense with this configuration", wrong)


@rule("model", "card", "the card can be read, and what its ablations set can be set")
def card(subject: Subject) -> None:
    facts = card_of(subject.part.entry.item)
    if facts is None:
        raise InapplicableError("it has no card")
    for ablation in facts.ablations.values():
        check_ablation(ablation, subject.registry)


@rule("model", "stochastic", "a model that is not stochastic scores the same with another seed")
def stochastic(subject: Subject) -> None:
    if subject.traits.stochastic:
        raise InapplicableError("the traits say that seeds count")
    other = fit(subject, context=replace(context_of(subject), seed=SEED + 1))
    same(fitted(subject).scores, other.scores, asked_of(subject).ids, "the same scores with another seed")


@rule("model", "shapes", "numbers and events have their shapes and types, facts are plain values")
def shapes(subject: Subject) -> None:
    known, asked = fitted(subject), asked_of(subject)
    scores = known.scores
    for name, values in columns_of(scores).items():
        expect(values.dtype.kind in "fiub", f"numbers as {name!r}", str(values.dtype))
    for name, event in (("event", scores.event), ("ignoring_event", scores.ignoring_event)):
        if event is not None:
            expect(event.dtype.kind in "iu", f"integers as {name!r}", str(event.dtype))
            wrong = np.flatnonzero((event < -1) | (event >= asked.lengths))
            expect(
                not len(wrong),
                f"{name!r} to be the index of an event in its unit, or -1",
                " ".join(f"{event[at]} in a unit of {asked.lengths[at]} events" for at in wrong[:1]),
            )
    unjudged = scores.unjudged
    if unjudged is not None:
        expect(unjudged.dtype.kind in "iu", "integers as 'unjudged'", str(unjudged.dtype))
        wrong = np.flatnonzero((unjudged < 0) | (unjudged > asked.lengths))
        expect(
            not len(wrong),
            "'unjudged' to be a number of events of its unit",
            " ".join(f"{unjudged[at]} in a unit of {asked.lengths[at]} events" for at in wrong[:1]),
        )
    expect(known.facts is None or isinstance(known.facts, Mapping), "fit to return a mapping or None",
           type(known.facts).__name__)  # fmt: skip
    json.dumps(to_jsonable(known.facts), allow_nan=False)
    json.dumps(to_jsonable(scores.facts), allow_nan=False)


@rule("model", "seed", "the same seed gives the same scores")
def same_seed(subject: Subject) -> None:
    other = fit(subject)
    same(fitted(subject).scores, other.scores, asked_of(subject).ids, "the same seed to give the same scores")


@rule("model", "again", "scoring once more gives the same scores")
def again(subject: Subject) -> None:
    asked = asked_of(subject)
    same(fitted(subject).scores, again_scored(subject, asked), asked.ids, "a second call to give the same scores")


@rule("model", "no-hold-out", "it trains without held-out units, or raises IncompatibleError")
def no_hold_out(subject: Subject) -> None:
    with contextlib.suppress(IncompatibleError):
        fit(subject, context=context_of(subject, held_out=False))


@rule("model", "apart", "another model fitted later on other units changes no score")
def apart(subject: Subject) -> None:
    known, asked = fitted(subject), asked_of(subject)
    fit_other(subject)
    actual = scored(subject, known.model, asked)
    same(known.scores, actual, asked.ids, "each model to keep what it learnt to itself")


def fit_other(subject: Subject) -> None:
    """Fit a second model to other, longer sessions."""
    fit(subject, other_train(subject))


def other_train(subject: Subject) -> Sessions:
    """Other, longer training units."""
    supervised = is_supervised(subject)
    train = material.sessions(60, least(subject) + 3, 4, 0.3 if supervised else 0.0, subject.traits)
    return train if supervised else train.unlabelled()


@rule("model", "expected", "expected(sessions, events, context) gives one list of keys a unit")
def expected(subject: Subject) -> None:
    _one_a_unit(subject, "expected", pl.List(pl.Int32()))


@rule("model", "explain", "explain(sessions, events, context) gives one text a unit, or null")
def explain(subject: Subject) -> None:
    _one_a_unit(subject, "explain", pl.String())


def _one_a_unit(subject: Subject, name: str, dtype: pl.DataType) -> None:
    """What a method says of each unit's deciding event is a series of that type, one value a unit."""
    known, asked = fitted(subject), asked_of(subject)
    if not isinstance(known.model, MODEL_METHODS[name]):
        raise InapplicableError(f"it has no {name}(sessions, events, context)")
    events = np.full(len(asked), -1) if known.scores.event is None else known.scores.event
    actual = getattr(known.model, name)(asked, events.astype(np.int64), context_of(subject))
    kind = f"{actual.dtype} [{len(actual)}]" if isinstance(actual, pl.Series) else type(actual).__name__
    wanted = f"{dtype} [{len(asked)}]"
    expect(kind == wanted, f"a series {wanted}", kind)
