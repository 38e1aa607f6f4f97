"""Isolation forest: anomalies need few random cuts to be isolated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import CountModel, Vectors
from .counts import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context

ROUNDING = 1e-12


class IsolationForest(CountModel):
    """Isolation forest (Liu et al., ICDM 2008; parameters of loglizer, whose seed was 2019).

    Score: Liu's anomaly score less its quantile at `contamination` in training, so 0 is the own threshold.
    """

    learned = ("forest", "offset")

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Grow the trees on all training units; fact `offset`, the quantile."""
        from sklearn.ensemble import IsolationForest as Estimator

        seen = max(1, int(self.config.max_samples * counts.repeats.sum()))  # a share of few units may be none
        self.forest = Estimator(n_estimators=self.config.trees, max_samples=seen, random_state=context.seed).fit(
            np.repeat(vectors.toarray().astype(np.float32), counts.repeats, axis=0)
        )
        # The estimator would score every training unit for this quantile; distinct vectors are enough.
        known = -self.forest.score_samples(vectors.toarray())
        share = 100 * (1 - self.config.contamination)
        self.offset = float(np.percentile(np.repeat(known, counts.repeats), share))
        return {"offset": self.offset}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Anomaly score less the offset, float64 [rows]; 0 for the score that is the offset."""
        found = -self.forest.score_samples(vectors.toarray()) - self.offset
        return np.where(np.abs(found) < ROUNDING, 0.0, found)
