"""Random forest on event counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .base import Vectors
from .counts import Counts
from .supervised import Forest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logbench import Context


class RandomForest(Forest):
    """Random forest (Breiman, Machine Learning 2001).

    Score: mean share of anomalies in the leaves; .5 is the own threshold. Each tree draws as many units as there
    are, as published, but at most `max_draws`.
    """

    repeated = True

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Fit; note it if trees draw fewer units than there are."""
        if len(self.labels) > (most := self.config.max_draws):
            context.note(f"each tree draws {most:,} of {len(self.labels):,} training units (max_draws)")
        return super().learn(vectors, counts, context)

    def estimator(self, seed: int) -> Any:
        """Trees on bootstraps of all labelled units, which the seed draws."""
        from sklearn.ensemble import RandomForestClassifier

        most = self.config.max_draws
        return RandomForestClassifier(
            n_estimators=self.config.trees,
            max_depth=self.config.depth or None,
            max_samples=most if len(self.labels) > most else None,
            random_state=seed,
        )

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """The mean over trees, float64 [rows], without the rounding of its sum: half is no more than half."""
        return super().anomaly(vectors).round(12)
