"""Nearest labelled neighbours on event counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Vectors
from .counts import Counts
from .supervised import Supervised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context


class Knn(Supervised):
    """k nearest neighbours (Yu et al., LightAD, ICSE 2024), Euclidean.

    Score: share of anomalies among the k nearest training units; .5 is the own threshold. Where equal vectors
    carry both labels, or only some of them are among the k, their share counts.
    """

    learned = ("repeats", "share", "index")

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Index the distinct vectors, each with its number of units and share of anomalies."""
        from sklearn.neighbors import NearestNeighbors

        self.repeats = counts.repeats
        self.share = np.bincount(counts.inverse, weights=self.labels, minlength=len(counts)) / counts.repeats
        self.index = NearestNeighbors(n_neighbors=min(self.config.k, len(counts))).fit(vectors.toarray())
        return {}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Share of anomalies among the k nearest, float64 [rows]."""
        near = self.index.kneighbors(vectors.toarray(), return_distance=False)
        units = self.repeats[near]
        k = min(self.config.k, int(self.repeats.sum()))
        votes = np.clip(k - (units.cumsum(axis=1) - units), 0, units)
        return np.asarray((votes * self.share[near]).sum(axis=1) / k)
