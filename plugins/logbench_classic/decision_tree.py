"""Decision tree on event counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Vectors
from .counts import Counts
from .supervised import Forest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context


class DecisionTree(Forest):
    """Decision tree (Chen et al., ICAC 2004; parameters of loglizer: Gini, grown out).

    Score: share of anomalies in the leaf; .5 is the own threshold. A tree that is grown out on noise is deep, so
    that its time grows with more than the number of vectors: at most `max_train` distinct ones are taken.
    """

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Fit; note it if vectors are left out."""
        self._context = context
        return super().learn(vectors, counts, context)

    def taken(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """At most `max_train`, drawn by the seed; of the rarer class up to half of these."""
        most, total = self.config.max_train, len(labels)
        if total <= most:
            return np.arange(total)
        self._context.note(
            f"grown on {most:,} of {total:,} distinct vectors with a label (max_train), drawn by the seed"
        )
        order = np.random.default_rng(self._context.seed).permutation(total)
        rare, others = sorted((order[labels[order] == label] for label in (0, 1)), key=len)
        rare = rare[: most // 2]
        return np.sort(np.concatenate([rare, others[: most - len(rare)]]))

    def estimator(self, seed: int) -> Any:
        """One tree; the seed breaks ties between equal cuts."""
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(max_depth=self.config.depth or None, random_state=seed)
