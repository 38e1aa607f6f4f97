"""Principal components: the part of a count vector outside the normal space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from logbench import IncompatibleError

from .base import CHUNK, CountModel, Vectors
from .counts import Counts, strongest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context

# Coordinates below this share of the vectors they come from are rounding.
ROUNDING = 1e-13
# Variances that differ by no more of themselves are equal.
EQUAL = 1e-9


class Pca(CountModel):
    """PCA (Xu et al., SOSP 2009, section 5; parameters of He et al., ISSRE 2016, loglizer).

    Score: squared prediction error ‖(I − PPᵀ)(x − mean)‖² over the threshold Q of Jackson and Mudholkar
    (Technometrics 1979), so 1 is the model's own threshold. The deciding event has the largest share of the
    error among those that occur.
    """

    learned: Mapping[str, str] = {
        "mean": "float64 [columns]",
        "residual": "float64 [columns, axes]",
        "q": "float64",
    }

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Mean, residual space and Q of the training vectors, repeated as they occur."""
        weights = counts.repeats / counts.repeats.sum()
        self.mean = vectors.T @ weights
        values, axes = np.linalg.eigh(_covariance(vectors, self.mean, weights))
        values, axes = np.maximum(values[::-1], 0.0), axes[:, ::-1]
        covered = np.cumsum(values) >= self.config.variance * values.sum()
        k = int(np.argmax(covered)) + 1 if covered.any() else len(values)
        while 0 < k < len(values) and values[k] > values[k - 1] * (1 - EQUAL):
            k += 1  # which of the axes with one variance come first is rounding
        self.residual = np.ascontiguousarray(axes[:, k:])  # laid out as it is loaded, so that it rounds alike
        self.q = self.config.q or q_statistic(values[k:], self.config.c_alpha)
        # Where nothing varies outside, what is left is rounding.
        self.q = max(self.q, 1e-13 * float(values.sum()) + 1e-24 * (1.0 + float(self.mean @ self.mean)))
        return {"components": k, "q": self.q}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """SPE / Q, float64 [rows]."""
        squares = np.square(self._outside(vectors)).sum(axis=1)
        return np.asarray(squares / self.q)

    def deciding(self, vectors: Vectors) -> NDArray[np.int64]:
        """The event with the largest squared residual, of those in the vector."""
        dense = vectors.toarray()
        residual = self._outside(vectors) @ self.residual.T
        return strongest(np.where(dense != 0, residual**2, 0.0))

    def _outside(self, vectors: Vectors) -> NDArray[np.float64]:
        """Coordinates in the residual space, float64 [rows, residual]; 0 where they are rounding.

        A sparse product adds up each row by itself. A dense one rounds a row by what stands beside it, so that a
        tested unit exceeds a threshold set by an equal one.
        """
        at = self.mean @ self.residual
        found = np.asarray(vectors @ self.residual) - at
        sizes = np.sqrt(vectors.multiply(vectors).sum(axis=1)) + np.linalg.norm(self.mean)
        return np.where(np.abs(found) > ROUNDING * sizes[:, None], found, 0.0)


def _covariance(vectors: Vectors, mean: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted covariance, centred before the product so that nothing cancels, float64 [columns, columns]."""
    total = np.zeros((len(mean), len(mean)))
    for at in range(0, vectors.shape[0], CHUNK):
        centred = vectors[at : at + CHUNK].toarray() - mean
        total += centred.T @ (weights[at : at + CHUNK, None] * centred)
    return total


def q_statistic(residual: NDArray[np.float64], c_alpha: float) -> float:
    """Threshold of the squared prediction error from the variances outside the normal space.

    Args:
        residual: variances of the components left out, float64 [left out].
        c_alpha: normal deviate of the wanted rate of false alarms.

    Raises:
        IncompatibleError: the variances are so uneven that the approximation has no value.
    """
    first, second, third = (float((residual**power).sum()) for power in (1, 2, 3))
    if not second:
        return 0.0
    h = 1 - 2 * first * third / (3 * second**2)
    inside = c_alpha * np.sqrt(2 * second * h * h) / first + 1 + second * h * (h - 1) / first**2
    if inside <= 0 or h == 0:
        raise IncompatibleError(
            "the Q-statistic has no value for these counts; set pca.q, or use threshold = validation"
        )
    return float(first * inside ** (1 / h))
