"""Random forest on event counts."""

from __future__ import annotations

from typing import Any

from .supervised import Classifier


class RandomForest(Classifier):
    """Random forest (Breiman, Machine Learning 2001).

    Score: mean share of anomalies in the leaves; .5 is the own threshold.
    """

    def estimator(self, seed: int) -> Any:
        """Trees on bootstraps of all labelled units."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(
            n_estimators=self.config.trees, max_depth=self.config.depth or None, random_state=seed
        )
