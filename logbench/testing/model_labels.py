"""Rules for models: they must not use labels or ids, nor learn from held-out units."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from ..api.contracts import Context
from ..base.errors import IncompatibleError
from ..data.sessions import Sessions
from . import material
from .model_fitted import (
    again_scored,
    asked_of,
    context_of,
    fit,
    fitted,
    is_supervised,
    least,
    same,
    scored,
    share_above,
    train_of,
)
from .outcome import InapplicableError, ViolationError
from .rule import Subject, rule

LABELS = {"all 1": (1,), "0 and 1 in turn": (0, 1), "1 for one in ten": (0,) * 9 + (1,)}
WORDS = ("normal-{}", "abnormal-{}", "anomaly_{}", "attack.{}", "blk_-{}", "{}")
# Change in the share of pairs of two kinds that only learning from held-out units can cause.
LEARNT = 0.3


@rule("model", "labels", "no labels are used, except training and held-out labels of a supervised model")
def labels(subject: Subject) -> None:
    asked, ids, expected = asked_of(subject), asked_of(subject).ids, fitted(subject).scores
    for name, values in LABELS.items():
        actual = again_scored(subject, _labelled(asked, values))
        same(expected, actual, ids, f"the same scores where the test labels are {name}")
        if not is_supervised(subject):
            actual = fit(subject, _labelled(train_of(subject), values)).scores
            same(expected, actual, ids, f"the same scores where the training labels are {name}")


@rule("model", "held-labels", "a model that is not supervised never looks at labels of held-out units")
def held_out_labels(subject: Subject) -> None:
    if is_supervised(subject):
        raise InapplicableError("supervised: it may stop and calibrate by held-out labels")
    for name, values in LABELS.items():
        context = _held_out_labelled(subject, values)
        same(fitted(subject).scores, fit(subject, context=context).scores, asked_of(subject).ids,
             f"the same scores where the held-out labels are {name}")  # fmt: skip


@rule("model", "held-classes", "a supervised model trains if held-out units lack a class, or says that it cannot")
def held_out_classes(subject: Subject) -> None:
    if not is_supervised(subject):
        raise InapplicableError("not supervised: it gets no labels of held-out units")
    for value in (0, 1, -1):
        with contextlib.suppress(IncompatibleError):
            fit(subject, context=_held_out_labelled(subject, (value,)))


@rule("model", "unlabelled", "a model of unlabelled units trains where nine units in ten have no label")
def unlabelled(subject: Subject) -> None:
    if not subject.traits.unlabelled:
        raise InapplicableError("the traits say nothing of unlabelled units")
    train = train_of(subject)
    assert train.labels is not None
    known = np.arange(len(train)) % 10 == 0
    hidden = replace(train, labels=np.where(known, train.labels, -1).astype(np.int8))
    fit(subject, hidden, _held_out_labelled(subject, (-1, 0, -1, 1)))


def _held_out_labelled(subject: Subject, values: tuple[int, ...]) -> Context:
    """The context of the model, with these labels of held-out units, repeated."""
    given = context_of(subject)
    assert given.held_out is not None
    return replace(given, held_out=_labelled(given.held_out, values))


def _labelled(sessions: Sessions, values: tuple[int, ...]) -> Sessions:
    cycle = np.array(values, dtype=np.int8)
    return replace(
        sessions, labels=np.resize(cycle, len(sessions)), line_labels=np.resize(cycle, len(sessions.keys))
    )


@rule("model", "ids", "ids and weights of units change no score")
def ids(subject: Subject) -> None:
    asked, expected = asked_of(subject), fitted(subject).scores
    for what, names in (("permuted", _permuted(asked)), ("other words", _words(len(asked)))):
        renamed = replace(asked, ids=names, weights=np.linspace(0.5, 9.0, len(asked)))
        actual = again_scored(subject, renamed)
        same(expected, actual, asked.ids, f"the same scores where the ids of test units are {what}")
    context, train = context_of(subject), train_of(subject)
    assert context.held_out is not None
    held_out = replace(context.held_out, ids=_words(len(context.held_out)))
    actual = fit(subject, replace(train, ids=_words(len(train))), replace(context, held_out=held_out)).scores
    same(expected, actual, asked.ids, "the same scores where the ids of training units are other words")


def _permuted(sessions: Sessions) -> pl.Series:
    return sessions.ids.gather(np.random.default_rng(1).permutation(len(sessions)))


def _words(count: int) -> pl.Series:
    return pl.Series("unit", [WORDS[n % len(WORDS)].format(n) for n in range(count)])


@rule("model", "held-out", "held-out units choose when to stop and where to alarm; nothing is learnt from them")
def held_out(subject: Subject) -> None:
    """Of two kinds of anomalies, the held-out kind must not become the less anomalous one."""
    kinds = [_strange(subject, step, more) for step, more in ((material.VOCABULARY - 1, 30), (5, 1))]
    asked = [[*kind[:12]] for kind in kinds]
    shares = [_share_above(subject, kind, asked) for kind in kinds]
    if shares[1] - shares[0] > LEARNT:
        raise ViolationError(
            "strange units to stay as strange where such units are held out",
            f"of two strange kinds the first scores higher in {shares[0]:.0%} of the pairs where it is held out, "
            f"in {shares[1]:.0%} where the other is",
        )


def _strange(subject: Subject, step: int, more: int) -> list[list[int]]:
    """480 units, more than train, of 12 distinct sequences with steps of `step` instead of 1."""
    starts = [6 + n % 6 for n in range(480)]
    lengths = [least(subject) + more + n // 6 % 2 for n in range(480)]
    return [
        [(start + step * n) % material.VOCABULARY for n in range(length)]
        for start, length in zip(starts, lengths, strict=True)
    ]


def _share_above(subject: Subject, held: list[list[int]], asked: Sequence[list[list[int]]]) -> float:
    """Share of pairs in which the first kind scores above the second, with `held` as held-out units."""
    context = replace(context_of(subject), held_out=_presumed_normal(subject, held))
    model: Any = subject.build()
    model.fit(train_of(subject), context)
    first, second = (scored(subject, model, material.of(walks, traits=subject.traits)) for walks in asked)
    return share_above(first.primary, second.primary)


def _presumed_normal(subject: Subject, walks: list[list[int]]) -> Sessions:
    """Units of these keys; for a supervised model labelled normal, which is what learning from them would show."""
    sessions = material.of(walks, traits=subject.traits)
    return _labelled(sessions, (0,)) if is_supervised(subject) else sessions
