"""One-class SVM: a unit is anomalous outside the region of nearly all training units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import CountModel, Vectors, capped
from .counts import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context

# Tolerance of the solver for scores on the boundary, and the score below which they count as 0.
TOLERANCE, BOUNDARY = 1e-7, 1e-6
# Rounding of libsvm's kernel values, as a share of the sum of all coefficients, which no tolerance reduces.
FLOAT32 = 1e-8
# Megabytes of kernel values in the solver's cache, which a small tolerance needs again and again.
CACHE = 1000
# Most kernel values in memory at once (128 MiB).
CELLS = 1 << 24


class OneClassSvm(CountModel):
    """One-class SVM (Schölkopf et al., Neural Computation 2001). Quadratic in distinct training vectors.

    Score: distance outside the boundary in feature space, 0 on it, up to a constant factor. Equal vectors train
    once, weighted by how often they occur, which is the same problem. The commonest vectors lie on the boundary
    itself, where a solver knows their score only up to its tolerance: what is that near counts as 0.
    """

    learned: Mapping[str, str] = {
        "support": "float64 [vectors, columns]",
        "coefficients": "float64 [vectors]",
        "intercept": "float64",
        "gamma": "float64",
    }

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Fit on at most `max_train` distinct vectors; facts `trained_vectors` and `support_vectors`."""
        from sklearn.svm import OneClassSVM

        kept = capped(len(counts), self.config.max_train, context, "distinct count vectors")
        rows, weights = vectors[kept], counts.repeats[kept].astype(np.float64)
        self.gamma = float(self.config.gamma or _scale(rows, weights))
        svm = OneClassSVM(
            kernel=self.config.kernel, nu=self.config.nu, gamma=self.gamma, tol=TOLERANCE, cache_size=CACHE
        )
        svm.random_state = context.seed  # else libsvm's seed is drawn from NumPy's global state
        # A mean weight of 1 keeps the scale of scores, and so the meaning of the tolerance.
        svm.fit(rows.toarray(), sample_weight=weights / weights.mean())
        self.support, self.coefficients = svm.support_vectors_, svm.dual_coef_[0]
        self.intercept = float(svm.intercept_[0])
        return {"trained_vectors": len(kept), "support_vectors": len(self.support), "gamma": self.gamma}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """The negated decision function, float64 [rows]; 0 if the solver leaves its sign open."""
        step = max(1, CELLS // max(len(self.support), 1))
        parts = [self._decision(vectors[at : at + step]) for at in range(0, vectors.shape[0], step)]
        found = -np.concatenate(parts)
        least = max(BOUNDARY, FLOAT32 * float(self.coefficients.sum()))
        return np.where(np.abs(found) <= least, 0.0, found)

    def _decision(self, vectors: Vectors) -> NDArray[np.float64]:
        """The decision function, float64 [rows]; each row by itself, whatever stands beside it."""
        from scipy.spatial.distance import cdist

        if self.config.kernel == "rbf":
            values = np.exp(-self.gamma * cdist(vectors.toarray(), self.support, "sqeuclidean"))
        else:
            values = np.asarray(vectors @ np.ascontiguousarray(self.support.T))
            values = np.tanh(self.gamma * values) if self.config.kernel == "sigmoid" else values
        return np.asarray((values * self.coefficients).sum(axis=1) + self.intercept)


def _scale(rows: Vectors, weights: NDArray[np.float64]) -> float:
    """1 / (columns × variance of all entries), the customary width, with repeated vectors counted."""
    share = weights / weights.sum() / rows.shape[1]
    mean, square = (share @ rows).sum(), (share @ rows.power(2)).sum()
    variance = float(square - mean**2)
    return 1 / (rows.shape[1] * variance) if variance > 1e-12 else 1.0
