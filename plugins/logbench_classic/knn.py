"""Nearest labelled neighbours on event counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Vectors, capped
from .counts import Counts
from .distances import CELLS, squared_distances
from .supervised import Supervised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context

# Decimals of the share of votes, so that half the votes is exactly 0.5.
DECIMALS = 12


class Knn(Supervised):
    """k nearest neighbours (Yu et al., LightAD, ICSE 2024), Euclidean.

    Score: share of anomalies among the k nearest training units; .5 is the own threshold. Where several units are
    equally far and not all of them are among the k, they share the votes that are left, be they equal or not.
    """

    learned: Mapping[str, str] = {
        "rows": "float64 [vectors, columns]",
        "normal": "float64 [vectors]",
        "anomalous": "float64 [vectors]",
    }

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Keep at most `max_train` distinct vectors with their numbers of normal and anomalous units."""
        kept = capped(len(counts), self.config.max_train, context, "distinct count vectors")
        self.rows = vectors[kept].toarray()
        anomalous = np.bincount(counts.inverse, self.labels, len(counts)).astype(np.float64)
        self.anomalous = anomalous[kept]
        self.normal: NDArray[np.float64] = counts.repeats[kept].astype(np.float64) - self.anomalous
        return {"trained_vectors": len(kept)}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Share of anomalies among the k nearest, float64 [rows]."""
        step = max(1, CELLS // len(self.rows))
        parts = [self._share(vectors[at : at + step].toarray()) for at in range(0, vectors.shape[0], step)]
        return np.concatenate(parts).round(DECIMALS)

    def _share(self, asked: NDArray[np.float64]) -> NDArray[np.float64]:
        units = self.normal + self.anomalous
        k = min(float(self.config.k), float(units.sum()))
        apart, rounding = squared_distances(asked, self.rows)
        reach = _reach(apart, units, int(k))[:, None]
        row, which = np.nonzero(apart <= reach + 2 * rounding)  # few: no further table of all pairs is made
        apart, reach, rounding = apart[row, which], reach[row, 0], rounding[row, 0]
        nearer, edge = (apart < reach - rounding), (np.abs(apart - reach) <= rounding)

        def summed(some: NDArray[np.bool_], votes: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(np.bincount(row[some], votes[which[some]], len(asked)), dtype=np.float64)

        left = k - summed(nearer, units)
        at_edge = summed(edge, self.anomalous) / summed(edge, units)
        return np.asarray((summed(nearer, self.anomalous) + left * at_edge) / k)


def _reach(apart: NDArray[np.floating[Any]], units: NDArray[np.float64], k: int) -> NDArray[np.floating[Any]]:
    """Squared distance of the k-th nearest unit, [asked]."""
    if k == 1:
        return np.asarray(apart.min(axis=1))
    few = min(k, apart.shape[1])
    near = np.argpartition(apart, few - 1, axis=1)[:, :few]
    near = np.take_along_axis(near, np.take_along_axis(apart, near, axis=1).argsort(axis=1), axis=1)
    last = (units[near].cumsum(axis=1) >= k).argmax(axis=1)
    return np.asarray(np.take_along_axis(apart, near, axis=1)[np.arange(len(apart)), last])
