"""Log clustering: the distance of a unit from the nearest known cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import CountModel, Vectors
from .counts import Counts
from .supervised import Supervised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context

# Added to the product of the norms, as loglizer does: an empty vector is at distance 1 from all.
GUARD = 1e-8


class LogClustering(CountModel):
    """Log clustering (Lin et al., ICSE 2016, section 3; online variant of loglizer).

    Score: cosine distance to the nearest representative. The first units are clustered by complete linkage;
    each later one joins its nearest cluster or founds its own, so the order of the training units counts.

    Trained on normal units alone, an event that all of them have weighs nothing (ln 1), so verdicts differ much
    from those of `log-clustering-labelled`, whose weights see the anomalies too, as in loglizer.

    Where there are `max_clusters`, a unit that is far from all founds none, so that time does not grow with the
    square of the units.
    """

    learned: Mapping[str, str] = {"_centres": "float64 [clusters, columns]"}

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Cluster the training units in their order; fact `clusters`; note it if all are alike."""
        return self.cluster(vectors, counts.inverse, context)

    def cluster(self, vectors: Vectors, order: NDArray[np.int32], context: Context) -> Mapping[str, Any]:
        """Cluster units, given by the row of each in `vectors`."""
        rows = vectors.toarray()
        if not rows.any():
            context.note(
                "every event is in all training units, so tf-idf weighs none and all units are at distance 1; use "
                "weighting=counts"
            )
        first = rows[order[: self.config.bootstrap]]
        self._centres, self._sizes = _linked(first, self.config.max_dist)
        if left := self._grow(rows, order[self.config.bootstrap :]):
            context.note(
                f"{left:,} training units are far from all of {len(self._centres):,} clusters and found none "
                "(max_clusters)"
            )
        return {"clusters": len(self._centres)}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Distance to the nearest representative, float64 [rows]."""
        return np.asarray(distances(vectors.toarray(), self._centres).min(axis=1))

    def _grow(self, rows: NDArray[np.float64], later: NDArray[np.int32]) -> int:
        """One pass over later units; how many found none for lack of room. A unit costs one product."""
        used, left = len(self._centres), 0
        centres, sizes = np.zeros((2 * used + 8, rows.shape[1])), np.zeros(2 * used + 8)
        centres[:used], sizes[:used] = self._centres, self._sizes
        norms, own = np.linalg.norm(centres, axis=1), np.linalg.norm(rows, axis=1)
        for at in later:
            row = rows[at]
            cosine = (centres[:used] @ row) / (norms[:used] * own[at] + GUARD)
            nearest = int(cosine.argmax())
            if 1.0 - cosine[nearest] > self.config.max_dist:
                if used >= self.config.max_clusters:
                    left += 1
                    continue
                nearest, used = used, used + 1
                if used > len(sizes):
                    centres, sizes, norms = (
                        np.concatenate([a, np.zeros_like(a)]) for a in (centres, sizes, norms)
                    )
            sizes[nearest] += 1
            centres[nearest] += (row - centres[nearest]) / sizes[nearest]
            norms[nearest] = np.sqrt(centres[nearest] @ centres[nearest])
        self._centres, self._sizes = centres[:used], sizes[:used]
        return left


class LogClusteringLabelled(Supervised, LogClustering):
    """Log clustering as in loglizer: labels choose the normal units, but weights come from all units."""

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Cluster the normal training units in their order."""
        return self.cluster(vectors, counts.inverse[self.labels == 0], context)


def distances(rows: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine distance to 12 decimals, float64 [rows, centres]; below 1e-8 it is 0."""
    norms = np.linalg.norm(rows, axis=1)[:, None] * np.linalg.norm(centres, axis=1)
    found = 1.0 - rows @ centres.T / (norms + GUARD)
    return np.where(found < 1e-8, 0.0, found).round(12)


def _linked(rows: NDArray[np.float64], max_dist: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and size of each cluster of complete linkage, cut at `max_dist`."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(rows) == 1:
        return rows.copy(), np.ones(1)
    between = distances(rows, rows)
    np.fill_diagonal(between, 0.0)
    tree = linkage(squareform((between + between.T) / 2, checks=False), "complete")
    _, number = np.unique(fcluster(tree, max_dist, criterion="distance"), return_inverse=True)
    sizes = np.bincount(number).astype(np.float64)
    sums = np.zeros((len(sizes), rows.shape[1]))
    np.add.at(sums, number, rows)
    return sums / sizes[:, None], sizes
