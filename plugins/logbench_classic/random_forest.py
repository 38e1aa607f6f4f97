"""Random forest on event counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Vectors
from .supervised import Forest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RandomForest(Forest):
    """Random forest (Breiman, Machine Learning 2001).

    Score: mean share of anomalies in the leaves; .5 is the own threshold.
    """

    repeated = True

    def estimator(self, seed: int) -> Any:
        """Trees on bootstraps of all labelled units, which the seed draws."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(
            n_estimators=self.config.trees, max_depth=self.config.depth or None, random_state=seed
        )

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """The mean over trees, float64 [rows], without the rounding of its sum: half is no more than half."""
        return super().anomaly(vectors).round(12)
