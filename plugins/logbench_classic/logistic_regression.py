"""Logistic regression on event counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Vectors
from .supervised import Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LogisticRegression(Linear):
    """Logistic regression (Bodik et al., EuroSys 2010; parameters of loglizer).

    Score: probability of an anomaly; .5 is the own threshold.
    """

    def estimator(self, seed: int) -> Any:
        """L2 penalty; liblinear, the solver that loglizer's scikit-learn took by default."""
        from sklearn.linear_model import LogisticRegression as Estimator

        return Estimator(
            C=self.config.c,
            tol=self.config.tol,
            max_iter=self.config.max_iter,
            solver="liblinear",
            random_state=seed,
        )

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Probability of an anomaly, float64 [rows]."""
        from scipy.special import expit

        return np.asarray(expit(self.margin(vectors)))
