"""SemPCA (Yang et al., TOSEM 2024): a PCA of what the events of a unit say, summed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logbench import (
    DataError,
    IncompatibleError,
    Scores,
    count_matrix,
    first_per_unit,
    load_arrays,
    max_per_unit,
    save_arrays,
)

from .components import TEXTS, UNITS, parallel_analysis

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from logbench import Context, Sessions

    from .options import SemPcaConfig

# Coordinates below this share of the vectors that they are sums of are rounding: vectors are float32.
ROUNDING = 1e-6
# Numbers of a table that is made at a time.
CELLS = 4_000_000


class SemPca:
    """Scores a unit by the squared length of its sum of vectors outside the normal components, over Q.

    Q is the threshold of Jackson and Mudholkar (Technometrics 1979), so 1 is the model's own. The deciding event
    is the one without which the score would be lowest.
    """

    def __init__(self, config: SemPcaConfig) -> None:
        self.config = config
        self.outside: NDArray[np.float64] = np.empty((0, 0))
        self.mean: NDArray[np.float64] = np.empty(0)
        self.q = 0.0

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Axes and Q of the training units; facts `components`, `variance` (their share) and `q`.

        Raises:
            IncompatibleError: there is no unit, or Q has no value.
        """
        if not len(train):
            raise IncompatibleError("sempca: no unit to train on")
        assert train.vectors is not None and train.vector_ids is not None
        vectors, counts = train.vectors.astype(np.float64), _counts(train, train.vector_ids)
        sums = counts @ vectors  # [units, width]: no table of texts by texts
        self.mean = np.asarray(counts.mean(axis=0)).ravel() @ vectors * self.config.centre
        values, axes = np.linalg.eigh(sums.T @ sums / len(train) - np.outer(self.mean, self.mean))
        values, axes = np.maximum(values[::-1], 0.0), axes[:, ::-1]
        asked = self.config.components
        k = min(_found(counts) + (not self.config.centre) if asked is None else asked, len(values))
        self.outside = np.ascontiguousarray(axes[:, k:])
        self.q = max(q_statistic(values[k:], self.config.c_alpha), ROUNDING**2 * float(values.sum()), 1e-300)
        return {"components": k, "variance": float(values[:k].sum() / max(values.sum(), 1e-300)), "q": self.q}

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """Squared prediction error over Q; `ignoring` is that of the unit without its unseen events."""
        assert sessions.vector_ids is not None
        primary, event = self._scored(sessions, sessions.vector_ids)
        ignoring, ignoring_event = primary.copy(), event.copy()
        if len(some := np.flatnonzero(sessions.unseen)):
            few = sessions.take(some)
            assert few.vectors is not None and few.vector_ids is not None
            known = np.where(few.keys < few.vocabulary, few.vector_ids, np.int32(len(few.vectors)))
            ignoring[some], ignoring_event[some] = self._scored(few, known)
        return Scores(primary, event, ignoring, ignoring_event)

    def save(self, folder: Path) -> None:
        """Write `axes.npz`."""
        save_arrays(folder / "axes.npz", outside=self.outside, mean=self.mean, q=self.q)

    def load(self, folder: Path) -> None:
        """Read it.

        Raises:
            DataError: it is missing or damaged.
        """
        kinds = {"outside": "float64 [width, axes]", "mean": "float64 [width]", "q": "float64"}
        vars(self).update(load_arrays(folder / "axes.npz", **kinds))

    def _scored(self, sessions: Sessions, ids: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Score and deciding event of each unit. An event whose id is the number of vectors counts for nothing."""
        assert sessions.vectors is not None
        if (width := sessions.vectors.shape[1]) != len(self.mean):
            raise DataError(f"sempca was trained on vectors of {len(self.mean)} columns, not {width}")
        vectors = np.vstack([sessions.vectors, np.zeros((1, sessions.vectors.shape[1]))]).astype(np.float64)
        shares, sizes = vectors @ self.outside, np.linalg.norm(vectors, axis=1)
        counts, centre = _counts(sessions, ids, len(vectors)), self.mean @ self.outside
        squares, texts = np.zeros(len(sessions)), np.zeros(len(sessions), dtype=np.int64)
        adds = np.square(shares).sum(axis=1)
        for part in _parts(len(sessions), shares.shape[1] * max(counts.nnz // max(len(sessions), 1), 1)):
            rows = counts[part]  # a sparse product adds up each row by itself, whatever stands beside it
            found = rows @ shares - centre
            limit = ROUNDING * (rows @ sizes + np.linalg.norm(self.mean))
            found = np.where(np.abs(found) > limit[:, None], found, 0.0)
            squares[part] = np.square(found).sum(axis=1)
            units = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
            # What one event of each text adds, of the texts that a unit has.
            less = 2 * (found[units] * shares[rows.indices]).sum(axis=1) - adds[rows.indices]
            texts[part] = _largest(less, rows)
        return squares / self.q, first_per_unit(ids == texts[sessions.units], sessions.offsets)


def _largest(values: NDArray[np.float64], rows: csr_matrix) -> NDArray[np.int64]:
    """Column of the first largest of the values at the entries of each row, int64 [rows]; 0 in an empty row."""
    begins = rows.indptr.astype(np.int64)
    best = np.repeat(max_per_unit(values, begins, -np.inf), np.diff(begins))
    place = first_per_unit(values == best, begins)
    columns = np.zeros(rows.shape[0], dtype=np.int64)
    columns[place >= 0] = rows.indices[(begins[:-1] + place)[place >= 0]]
    return columns


def _found(counts: csr_matrix) -> int:
    """Components by parallel analysis, of a sample where there are many units, and of the most frequent texts."""
    some = counts[np.random.default_rng(0).permutation(counts.shape[0])[:UNITS]]
    frequent = np.argsort(-np.asarray(some.sum(axis=0)).ravel(), kind="stable")[:TEXTS]
    return parallel_analysis(some[:, frequent].toarray())


def _counts(sessions: Sessions, ids: NDArray[np.int32], columns: int | None = None) -> csr_matrix:
    """How often each unit has each text, sparse float64 [units, texts]."""
    assert sessions.vectors is not None
    return count_matrix(ids, sessions.offsets, len(sessions.vectors) if columns is None else columns).astype(float)


def _parts(count: int, width: int) -> Iterator[slice]:
    step = max(CELLS // max(width, 1), 1)
    return (slice(begin, begin + step) for begin in range(0, count, step))


def q_statistic(residual: NDArray[np.float64], c_alpha: float) -> float:
    """Threshold of the squared prediction error from the variances outside the components, float64 [left out].

    Raises:
        IncompatibleError: they are so uneven that the approximation has no value.
    """
    first, second, third = (float((residual**power).sum()) for power in (1, 2, 3))
    if not second:
        return 0.0
    h = 1 - 2 * first * third / (3 * second**2)
    inside = c_alpha * np.sqrt(2 * second * h * h) / first + 1 + second * h * (h - 1) / first**2
    if inside <= 0 or h == 0:
        raise IncompatibleError("sempca: the Q-statistic has no value for these units; take other components")
    return float(first * inside ** (1 / h))
