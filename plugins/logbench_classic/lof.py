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
# Added to the mean reach, as scikit-learn does: more equal vectors than neighbours are no division by 0.
GUARD = 1e-10
# Vectors of a leaf of the tree: which of equally far ones are neighbours hangs on it. Scikit-learn's default.
LEAF = 30


class Lof(CountModel):
    """Local outlier factor (Breunig et al., SIGMOD 2000). Quadratic in training vectors.

    Score: the factor less 1.5, so 0 is the own threshold. By default each distinct count vector trains once:
    k equal ones have an infinite density, and then any other vector is an outlier without bound.
    """

    learned: Mapping[str, str] = {
        "rows": "float64 [vectors, columns]",
        "reach": "float64 [vectors]",
        "density": "float64 [vectors]",
        "neighbours": "int64",
    }

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Keep at most `max_train` vectors; facts `trained_vectors` and `neighbours`.

        Raises:
            IncompatibleError: fewer than two vectors train.
        """
        from sklearn.neighbors import NearestNeighbors

        rows = np.arange(len(counts))
        if self.config.duplicates:
            rows = np.repeat(rows, counts.repeats)
        rows = rows[capped(len(rows), self.config.max_train, context, "count vectors")]
        if len(rows) < 2:
            raise IncompatibleError("lof needs two different training vectors; this data set has one")
        self.neighbours = min(self.config.neighbours, len(rows) - 1)
        self.rows = vectors[rows].toarray()
        near = NearestNeighbors(n_neighbors=self.neighbours, algorithm="kd_tree", leaf_size=LEAF).fit(self.rows)
        apart, which = near.kneighbors()  # without the vector itself
        self.reach = apart[:, -1]
        self.density = self._density(apart, which)
        return {"trained_vectors": len(rows), "neighbours": self.neighbours}

    def fault(self) -> str:
        """A search needs as many vectors as neighbours, and finite ones."""
        if not 1 <= self.neighbours <= len(self.rows):
            return f"{self.neighbours} neighbours of {len(self.rows)} vectors"
        return "" if np.isfinite(self.rows).all() else "a vector is infinite"

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """The factor less 1.5, float64 [rows]."""
        from sklearn.neighbors import KDTree

        # Brute force rounds distances depending on the other vectors; a tree takes each vector by itself.
        apart, which = KDTree(self.rows, LEAF).query(vectors.toarray(), self.neighbours)
        return np.asarray((self.density[which] / self._density(apart, which)[:, None]).mean(axis=1) - OWN)

    def _density(self, apart: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Local reachability density (definition 6) of vectors by their neighbours, float64 [vectors].

        Args:
            apart, which: [vectors, neighbours], distance to each neighbour, and which training vector it is.
        """
        return np.asarray(1.0 / (np.maximum(apart, self.reach[which]).mean(axis=1) + GUARD))
