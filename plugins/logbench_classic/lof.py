"""Local outlier factor: how much sparser a vector's neighbourhood is than those of its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from logbench import IncompatibleError

from .base import CountModel, Vectors, capped
from .counts import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context

# Factor above which scikit-learn calls a vector an outlier unless told.
OWN = 1.5


class Lof(CountModel):
    """Local outlier factor (Breunig et al., SIGMOD 2000). Quadratic in training vectors.

    Score: the factor less 1.5, so 0 is the own threshold. By default each distinct count vector trains once:
    k equal ones have an infinite density, and then any other vector is an outlier without bound.
    """

    learned = ("factor",)

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Keep at most `max_train` vectors; facts `trained_vectors` and `neighbours`.

        Raises:
            IncompatibleError: fewer than two vectors train.
        """
        from sklearn.neighbors import LocalOutlierFactor

        rows = np.arange(len(counts))
        if self.config.duplicates:
            rows = np.repeat(rows, counts.repeats)
        rows = rows[capped(len(rows), self.config.max_train, context, "count vectors")]
        if len(rows) < 2:
            raise IncompatibleError("lof needs two different training vectors; this data set has one")
        neighbours = min(self.config.neighbours, len(rows) - 1)
        # Brute force rounds distances depending on the other vectors; a tree takes each vector by itself.
        self.factor = LocalOutlierFactor(n_neighbors=neighbours, algorithm="kd_tree", novelty=True)
        self.factor.fit(vectors[rows].toarray())
        return {"trained_vectors": len(rows), "neighbours": neighbours}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """The factor less 1.5, float64 [rows]."""
        return np.asarray(-self.factor.score_samples(vectors.toarray()) - OWN)
