"""Isolation forest: anomalies need few random cuts to be isolated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Vectors
from .counts import Counts
from .trees import TreeModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context

ROUNDING = 1e-12


class IsolationForest(TreeModel):
    """Isolation forest (Liu et al., ICDM 2008; parameters of loglizer, whose seed was 2019).

    Score: Liu's anomaly score less its quantile at `contamination` in training, so 0 is the own threshold.
    """

    learned: Mapping[str, str] = {**TreeModel.learned, "longest": "float64", "offset": "float64"}

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Grow the trees on all training units; fact `offset`, the quantile."""
        from sklearn.ensemble import IsolationForest as Estimator

        seen = max(1, int(self.config.max_samples * counts.repeats.sum()))  # a share of few units may be none
        forest = Estimator(n_estimators=self.config.trees, max_samples=seen, random_state=context.seed).fit(
            np.repeat(vectors.toarray().astype(np.float32), counts.repeats, axis=0)
        )
        # The estimator would score every training unit for this quantile; distinct vectors are enough.
        trees = [one.tree_ for one in forest.estimators_]
        self.plant(trees, [_depths(tree) + _usual_depth(tree.n_node_samples) - 1.0 for tree in trees])
        self.longest = len(trees) * float(_usual_depth(np.array([forest.max_samples_]))[0])
        known = self._liu(vectors)
        share = 100 * (1 - self.config.contamination)
        self.offset = float(np.percentile(np.repeat(known, counts.repeats), share))
        return {"offset": self.offset}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Anomaly score less the offset, float64 [rows]; 0 for the score that is the offset."""
        found = self._liu(vectors) - self.offset
        return np.where(np.abs(found) < ROUNDING, 0.0, found)

    def _liu(self, vectors: Vectors) -> NDArray[np.float64]:
        """Liu's anomaly score: 2 to the power of −(mean depth over the usual one), float64 [rows]."""
        depths = self.summed(vectors)
        return np.asarray(2.0 ** -(depths / self.longest if self.longest else np.ones_like(depths)))


def _depths(tree: Any) -> NDArray[np.float64]:
    """Nodes from the root to each node, both counted, float64 [nodes], a level of the tree at a time."""
    depth, level = np.ones(tree.node_count), np.zeros(1, dtype=np.int64)
    while len(level := level[tree.children_left[level] >= 0]):
        below = np.concatenate([tree.children_left[level], tree.children_right[level]])
        depth[below] = np.tile(depth[level] + 1, 2)
        level = below
    return depth


def _usual_depth(units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean depth of a leaf in a random tree of so many units (Liu et al., equation 1), float64."""
    more = np.maximum(units, 3).astype(np.float64)
    beyond = 2.0 * (np.log(more - 1.0) + np.euler_gamma) - 2.0 * (more - 1.0) / more
    return np.where(units <= 1, 0.0, np.where(units == 2, 1.0, beyond))
