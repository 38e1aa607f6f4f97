"""Rules for deterministic models: the order of training units and the numbers of keys must not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..data.sessions import Sessions
from . import material
from .model_fitted import Fitted, asked_of, context_of, fit, same, scored, train_of
from .outcome import InapplicableError
from .rule import Subject, rule

# Number of training units: with few, learning across their borders shows.
FEW = 20
# Size of a vocabulary that needs more than eight bits.
WIDE = 512


def _certain(subject: Subject) -> None:
    if subject.traits.stochastic:
        raise InapplicableError("the traits say that it draws at random")


@rule("model", "train-order", "a deterministic model learns the same from its units in any order", advises=True)
def train_order(subject: Subject) -> None:
    _certain(subject)
    train, asked = train_of(subject).take(np.arange(FEW)), asked_of(subject)
    expected = fit(subject, train).scores
    for seed in range(3):
        index = np.random.default_rng(seed).permutation(FEW)
        actual = fit(subject, train.take(index)).scores
        same(expected, actual, asked.ids, "the same scores where training units come in another order")


@rule(
    "model",
    "key-numbers",
    "a deterministic model gives the same scores if keys have other numbers",
    advises=True,
)
def key_numbers(subject: Subject) -> None:
    _certain(subject)
    near = np.arange(material.VOCABULARY)
    expected, actual = (_renumbered(subject, numbers).scores for numbers in (near, near * 37 + 5))
    ids = asked_of(subject).ids
    same(expected, actual, ids, f"the same scores whichever of {WIDE} numbers its {len(near)} keys have")


def _renumbered(subject: Subject, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Fitted:
    """Fit and score a model on units whose keys have other numbers."""
    context = context_of(subject)
    assert context.held_out is not None
    context = replace(context, held_out=_with(context.held_out, numbers))
    model = subject.build()
    facts = model.fit(_with(train_of(subject), numbers), context)
    return Fitted(model, scored(subject, model, _with(asked_of(subject), numbers), context), facts)


def _with(sessions: Sessions, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Sessions:
    known = sessions.keys < material.VOCABULARY
    keys = np.where(known, numbers[np.where(known, sessions.keys, 0)], sessions.keys + WIDE).astype(np.int32)
    texts = [f"other {key}" for key in range(WIDE)]
    for number, text in zip(numbers, sessions.templates, strict=True):
        texts[number] = text
    keys.flags.writeable = False
    return replace(sessions, keys=keys, vocabulary=WIDE, templates=tuple(texts))
