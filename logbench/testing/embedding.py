"""Rules for embeddings: fitted on texts of training, then frozen; a text has one vector, whatever its company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.optional_windowers import HasCounts
from . import material
from .fresh import in_fresh_process
from .outcome import InapplicableError, expect
from .rule import Subject, rule
from .side_effects import watched

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXTS = list(dict.fromkeys(text for text in material.MESSAGES if text.strip()))
OTHERS = [text for text in material.OTHERS if text not in TEXTS]
# Texts without a word, and words that nobody knows.
ODD = ("", " ", "<*>", "<*> <*>", "12 34", "кошка", "a\nb", "\x00", "x" * 3_000, "QzXw", "!!!")
# Differences that rounding makes.
RELATIVE, ABSOLUTE = 1e-5, 1e-6


def learn(subject: Subject, texts: Sequence[str] = TEXTS) -> Any:
    embedding = subject.build()
    embedding.fit(list(texts))
    return embedding


def learned(subject: Subject) -> Any:
    """The fitted embedding that rules share."""
    return subject.cached("learnt", lambda: learn(subject))


def vectors(embedding: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of texts; a violation where they are no float32 [texts, width] or not finite."""
    made = embedding.of(list(texts))
    kind = f"{made.dtype} {list(made.shape)}" if isinstance(made, np.ndarray) else type(made).__name__
    right = (
        isinstance(made, np.ndarray) and made.dtype == np.float32 and made.ndim == 2 and len(made) == len(texts)
    )
    expect(right, f"of to return float32 [{len(texts)}, width]", kind)
    bad = np.flatnonzero(~np.isfinite(made).all(axis=1))
    expect(not len(bad), "finite vectors", f"another one for {texts[bad[0]]!r}" if len(bad) else "")
    found: NDArray[np.float32] = made
    return found


def alike(expected: NDArray[np.float32], actual: NDArray[np.float32], what: str) -> None:
    same = expected.shape == actual.shape
    expect(same, f"{what}, of {expected.shape[1]} columns", f"{actual.shape[1]} columns")
    far = np.abs(actual - expected).max(axis=1, initial=0.0)
    near = np.allclose(actual, expected, rtol=RELATIVE, atol=ABSOLUTE)
    expect(near, what, f"{(far > ABSOLUTE).sum()} others, by up to {far.max(initial=0.0):.3g}")


@rule("embedding", "runs", "of gives each text a finite vector, those of training and others, all of one width")
def runs(subject: Subject) -> None:
    embedding = learned(subject)
    width = vectors(embedding, TEXTS).shape[1]
    for texts in (OTHERS, [], TEXTS[:1]):
        other = vectors(embedding, texts).shape[1]
        expect(other == width, f"{width} columns for any texts", f"{other} for {len(texts)} texts")


@rule("embedding", "same", "equal texts have equal vectors, in any order and whatever stands beside them")
def same(subject: Subject) -> None:
    embedding, texts = learned(subject), [*TEXTS, *OTHERS]
    together = vectors(embedding, texts)
    alike(together[::-1], vectors(embedding, texts[::-1]), "the same vectors in another order")
    twice = vectors(embedding, [*texts, *texts])
    alike(np.concatenate([together, together]), twice, "the same vectors where texts are repeated")
    alone = np.concatenate([vectors(embedding, [text]) for text in texts])
    alike(together, alone, "the same vector for a text alone")


@rule("embedding", "frozen", "of never learns: texts that training does not have change no vector")
def frozen(subject: Subject) -> None:
    embedding = learn(subject)  # anew: what other rules asked for may be learnt by now
    first = vectors(embedding, TEXTS)
    vectors(embedding, [*OTHERS, *ODD])
    alike(first, vectors(embedding, TEXTS), "the same vectors before and after other texts")


@rule("embedding", "training", "fit depends on the texts that it is given alone, and forgets an earlier fit")
def training(subject: Subject) -> None:
    texts = [*TEXTS, *OTHERS]
    alike(vectors(learned(subject), texts), vectors(learn(subject), texts), "a second embedding, fitted alike")
    used = learn(subject, [*OTHERS, *TEXTS[:3]])
    used.fit(list(TEXTS))
    alike(vectors(learned(subject), texts), vectors(used, texts), "nothing left of an earlier fit")


@rule("embedding", "odd", "texts without a word, of other scripts and of one long word have finite vectors")
def odd(subject: Subject) -> None:
    vectors(learned(subject), ODD)
    few = learn(subject, ["<*>"])  # training whose only template says nothing
    vectors(few, [*ODD, *TEXTS])


@rule("embedding", "apart", "another embedding that is fitted afterwards, on other texts, changes nothing")
def apart(subject: Subject) -> None:
    embedding = learn(subject)
    before = vectors(embedding, TEXTS)
    learn(subject, [*OTHERS, *TEXTS[:3]])
    alike(before, vectors(embedding, TEXTS), "each embedding to keep what it learnt to itself")


@rule("embedding", "counts", "counted gives whole numbers by name")
def counts(subject: Subject) -> None:
    embedding = learn(subject)
    if not isinstance(embedding, HasCounts):
        raise InapplicableError("it has no method counted()")
    vectors(embedding, [*TEXTS, *OTHERS])
    found: Any = embedding.counted()
    right = isinstance(found, Mapping) and all(
        isinstance(name, str) and isinstance(number, int | np.integer) for name, number in found.items()
    )
    expect(right, "counted to return name → whole number", repr(found)[:60])


@rule("embedding", "process", "another process, which hashes texts differently, gives the same vectors")
def process(subject: Subject) -> None:
    here = vectors(learned(subject), [*TEXTS, *OTHERS])
    there = in_fresh_process(subject, "embedding:in_process")["vectors"]
    alike(here, there, "the same vectors in a process of its own, under another PYTHONHASHSEED")


def in_process(subject: Subject, given: Mapping[str, Any]) -> dict[str, Any]:
    """Task of the fresh process."""
    return {"vectors": vectors(learn(subject), [*TEXTS, *OTHERS])}


@rule("embedding", "files", "nothing is written or printed, no global random state is touched")
def files(subject: Subject) -> None:
    with watched(subject.fresh("watched")) as watch:
        vectors(learn(subject), [*TEXTS, *OTHERS])
    expect(not watch.faults, "no files, no prints, random states left alone", watch.faults)
