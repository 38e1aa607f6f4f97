"""Rules for models: unseen keys, short units, and planted anomalies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from ..api.traits import OF_VECTORS
from ..data.event_messages import EventMessages
from ..data.message_needs import NEEDS
from ..data.scores import Scores
from . import material
from .model_fitted import SEED, again_scored, asked_of, context_of, fit, fitted, least, same, share_above
from .model_units import large
from .outcome import InapplicableError, ViolationError, expect
from .rule import Subject, rule

V = material.VOCABULARY
# Share of pairs with a higher anomaly score below which the sign of scores is probably wrong.
LOWER = 0.4


def _usual(length: int) -> list[int]:
    return [n % V for n in range(length)]


@rule("model", "unseen", "keys far above the vocabulary are scored, and all count as the one unseen key")
def unseen(subject: Subject) -> None:
    size = max(least(subject), 2)
    usual, high = _usual(size + 3), V + 100_000
    walks = [[high + n for n in range(size)], [*usual, high], [high, *usual], [*usual[:2], high, *usual[2:]]]
    far = material.of(walks, traits=subject.traits)
    near = replace(far, keys=np.minimum(far.keys, np.int32(V)))
    expected = again_scored(subject, near)
    same(expected, again_scored(subject, far), far.ids, "one score whichever number an unseen key has")


@rule("model", "ignoring", "scores without unseen keys are there where promised, and are the same where none is")
def ignoring(subject: Subject) -> None:
    scores, asked = _promised(subject), asked_of(subject)
    usual = np.flatnonzero(asked.unseen == 0)
    known = Scores(scores.primary[usual])
    actual = Scores(scores.ignoring[usual])  # type: ignore[index]
    same(known, actual, asked.ids.gather(usual), "ignoring = primary for units without unseen keys")


def _promised(subject: Subject) -> Scores:
    if not subject.traits.scores_without_unseen:
        raise InapplicableError("traits.scores_without_unseen is false")
    scores = fitted(subject).scores
    if scores.ignoring is None:
        raise ViolationError("Scores.ignoring, as traits.scores_without_unseen promises", "None")
    return scores


@rule("model", "unseen-out", "where an unseen key raises the score, the score without unseen keys is lower")
def without_unseen(subject: Subject) -> None:
    _promised(subject)
    usual = [_usual(least(subject) + 1 + n) for n in range(8)]
    variants = (usual, [walk[:-1] for walk in usual], [[*walk[:-1], V] for walk in usual])
    plain, shorter, raised = (again_scored(subject, material.of(w, traits=subject.traits)) for w in variants)
    assert raised.ignoring is not None
    higher = np.flatnonzero(raised.primary > np.maximum(plain.primary, shorter.primary))
    if not len(higher):
        raise InapplicableError("an unseen key raises no score")
    lower = (raised.ignoring < raised.primary)[higher]
    expect(
        bool(lower.any()),
        "Scores.ignoring below the primary score where only an unseen key raises that one",
        f"{raised.ignoring[higher[0]]:.6g} for a primary score of {raised.primary[higher[0]]:.6g}, "
        f"{plain.primary[higher[0]]:.6g} without the unseen key",
    )


@rule("model", "text", "units are scored whatever their messages say: nothing, words for numbers, other scripts")
def text(subject: Subject) -> None:
    needs = subject.traits.needs
    if not needs & {"texts", *OF_VECTORS, *NEEDS}:
        raise InapplicableError("it declares no need of text")
    size = max(least(subject), len(ODD))
    asked = material.of([_usual(size), [V] * size], traits=subject.traits)
    odd = pl.Series([ODD[n % len(ODD)] for n in range(2 * size)])
    if needs & NEEDS:
        filled = [f"step {n % V} of {odd[n]}" for n in range(size)] + odd[size:].to_list()
        asked = replace(asked, raw=EventMessages.of(filled).showing(needs))
    if "texts" in needs:
        asked = replace(asked, texts=odd, text_ids=np.arange(2 * size, dtype=np.int32))
    if needs & OF_VECTORS:  # nothing, for a text without a word, and all alike
        odd_vectors = np.zeros((3, material.WIDTH), np.float32)
        odd_vectors[1:] = [[1.0], [1e3]]
        asked = replace(asked, vectors=odd_vectors, vector_ids=np.arange(2 * size, dtype=np.int32) % 3)
    again_scored(subject, asked)


# Text in the place of a number, and in that of a whole message.
ODD = ("", " ", "none", "-1", "0x1F", "1e400", "NaN", "5 MB", "кошка", "a\nb", "x" * 5_000, "<*>", "\x00")


@rule(
    "model",
    "min-events",
    "the keys of units of min_events make a difference, as those of longer ones do",
)
def min_events(subject: Subject) -> None:
    size = least(subject)
    lengths = range(size, size + 13)
    walks = [walk for length in lengths for walk in _kinds(length)]
    asked = material.of(walks, traits=subject.traits, ids=[f"u{n:03}" for n in range(len(walks))])
    scores = again_scored(subject, asked).primary.reshape(len(lengths), -1)
    unlike = np.flatnonzero(scores.min(1) < scores.max(1))
    if not len(unlike):
        raise InapplicableError("its scores do not depend on keys")
    need = lengths[int(unlike[0])]
    expect(
        need == size,
        f"units of {size} events, traits.min_events, to get scores that depend on their keys",
        f"{scores[0, 0]:.6g} for any; keys make a difference from {need} events on",
    )


def _kinds(length: int) -> list[list[int]]:
    """Four very different units of one length."""
    return [_usual(length), [V] * length, [V - 1] * length, [(7 + 5 * n) % V for n in range(length)]]


@rule("model", "direction", "planted anomalies do not score lower than usual units", advises=True)
def direction(subject: Subject) -> None:
    asked, scores = large(subject)
    planted = asked.labels == 1
    share = share_above(scores.primary[planted][:600], scores.primary[~planted][:1400])
    expect(
        share >= LOWER,
        "higher scores for units that jump anywhere and hold unseen keys (higher = more anomalous)",
        f"they score higher than usual units in {share:.0%} of the pairs",
    )


@rule(
    "model", "seed-matters", "another seed changes the scores where the traits say that it is random", advises=True
)
def seed_matters(subject: Subject) -> None:
    if not subject.traits.stochastic:
        raise InapplicableError("the traits say that no seed counts")
    other = fit(subject, context=replace(context_of(subject), seed=SEED + 1)).scores
    alike = np.allclose(other.primary, fitted(subject).scores.primary, equal_nan=True)
    said = "scores that change with the seed, or traits.stochastic=False"
    expect(not alike, said, "the same scores under another seed")
