"""Decision tree on event counts."""

from __future__ import annotations

from typing import Any

from .supervised import Forest


class DecisionTree(Forest):
    """Decision tree (Chen et al., ICAC 2004; parameters of loglizer: Gini, grown out).

    Score: share of anomalies in the leaf; .5 is the own threshold.
    """

    def estimator(self, seed: int) -> Any:
        """One tree; the seed breaks ties between equal cuts."""
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(max_depth=self.config.depth or None, random_state=seed)
