"""One-class SVM: outside the region that holds nearly all training units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import CountModel, Vectors, capped
from .counts import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context


class OneClassSvm(CountModel):
    """One-class SVM (Schölkopf et al., Neural Computation 2001). Quadratic in distinct training vectors.

    Score: distance outside the boundary in feature space, 0 on it, up to a constant factor. Equal vectors train
    once, weighted by how often they occur, which is the same problem.
    """

    learned = ("svm",)

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Fit on at most `max_train` distinct vectors; facts `trained_vectors` and `support_vectors`."""
        from sklearn.svm import OneClassSVM

        kept = capped(len(counts), self.config.max_train, context, "distinct count vectors")
        rows, weights = vectors[kept], counts.repeats[kept].astype(np.float64)
        gamma = self.config.gamma or _scale(rows, weights)
        self.svm = OneClassSVM(kernel=self.config.kernel, nu=self.config.nu, gamma=gamma)
        self.svm.random_state = context.seed  # else libsvm's seed is drawn from NumPy's global state
        # A mean weight of 1 keeps libsvm's tolerance where it is for unweighted data.
        self.svm.fit(rows.toarray(), sample_weight=weights / weights.mean())
        return {"trained_vectors": len(kept), "support_vectors": len(self.svm.support_), "gamma": gamma}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """The negated decision function, float64 [rows]."""
        return np.asarray(-self.svm.decision_function(vectors.toarray()))


def _scale(rows: Vectors, weights: NDArray[np.float64]) -> float:
    """1 / (columns × variance of all entries), the customary width, with repeated vectors counted."""
    share = weights / weights.sum() / rows.shape[1]
    mean, square = (share @ rows).sum(), (share @ rows.power(2)).sum()
    variance = float(square - mean**2)
    return 1 / (rows.shape[1] * variance) if variance > 1e-12 else 1.0
