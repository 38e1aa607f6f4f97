"""Local outlier factor: how much sparser a vector's neighbourhood is than those of its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from logbench import IncompatibleError

from .base import CountModel, Vectors, capped
from .counts import Counts
from .distances import CELLS, squared_distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context

# Factor above which scikit-learn calls a vector an outlier unless told.
OWN = 1.5
# Added to the mean reach, as scikit-learn does: more equal vectors than neighbours are no division by 0.
GUARD = 1e-10
# Vectors of a leaf of the tree: which of equally far ones are neighbours hangs on it. Scikit-learn's default.
LEAF = 30
# Columns above which whole counts are compared by a product: a tree leaves out next to nothing in so many.
WIDE = 500


class Lof(CountModel):
    """Local outlier factor (Breunig et al., SIGMOD 2000). Quadratic in training vectors.

    Score: the factor less 1.5, so 0 is the own threshold. By default each distinct count vector trains once:
    k equal ones have an infinite density, and then any other vector is an outlier without bound. Of equally far
    vectors those are neighbours that a tree finds first, or, above 500 columns, the first ones.
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
        if self._wide():
            context.note(
                f"above {WIDE} columns the first of equally far vectors are neighbours, not a tree's first"
            )
            apart, which = _nearest(self.rows, self.rows, self.neighbours, themselves=True)
        else:
            near = NearestNeighbors(n_neighbors=self.neighbours, algorithm="kd_tree", leaf_size=LEAF)
            apart, which = near.fit(self.rows).kneighbors()  # without the vector itself
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

        if self._wide():
            apart, which = _nearest(vectors.toarray(), self.rows, self.neighbours)
        else:  # a product rounds distances depending on the other vectors; a tree takes each vector by itself
            apart, which = KDTree(self.rows, LEAF).query(vectors.toarray(), self.neighbours)
        return np.asarray((self.density[which] / self._density(apart, which)[:, None]).mean(axis=1) - OWN)

    def _wide(self) -> bool:
        return bool(self.config.weighting == "counts" and self.rows.shape[1] > WIDE)

    def _density(self, apart: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Local reachability density (definition 6) of vectors by their neighbours, float64 [vectors].

        Args:
            apart, which: [vectors, neighbours], distance to each neighbour, and which training vector it is.
        """
        return np.asarray(1.0 / (np.maximum(apart, self.reach[which]).mean(axis=1) + GUARD))


def _nearest(
    asked: NDArray[np.float64], rows: NDArray[np.float64], most: int, themselves: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The `most` nearest rows, ascending: distances and places, [asked, most]; of equally far ones the first.

    Args:
        asked, rows: whole numbers, so that a product is exact.
        themselves: `asked` are the rows, none of which is a neighbour of itself.
    """
    step = max(1, CELLS // len(rows))
    found = []
    for begin in range(0, len(asked), step):
        part = asked[begin : begin + step]
        apart, _ = squared_distances(part, rows)
        if themselves:
            apart[np.arange(len(part)), np.arange(begin, begin + len(part))] = np.inf
        reach = np.partition(apart, most - 1, axis=1)[:, most - 1, None]
        nearer, edge = apart < reach, apart == reach
        chosen = nearer | (edge & (edge.cumsum(axis=1) <= most - nearer.sum(axis=1)[:, None]))
        which = np.nonzero(chosen)[1].reshape(len(part), most)
        apart = np.take_along_axis(apart, which, axis=1).astype(np.float64)
        order = apart.argsort(axis=1, kind="stable")
        found.append((np.sqrt(np.take_along_axis(apart, order, axis=1)), np.take_along_axis(which, order, axis=1)))
    return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])
