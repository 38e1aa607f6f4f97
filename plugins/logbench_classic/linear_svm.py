"""Linear SVM on event counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Vectors
from .supervised import Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LinearSvm(Linear):
    """Linear SVM (Liang et al., ICDM 2007; parameters of loglizer).

    Score: signed distance from the boundary, unscaled; 0 is the own threshold.
    """

    def estimator(self, seed: int) -> Any:
        """Squared hinge loss, solved in the primal."""
        from sklearn.svm import LinearSVC

        return LinearSVC(
            penalty=self.config.penalty,
            C=self.config.c,
            tol=self.config.tol,
            max_iter=self.config.max_iter,
            dual=False,
            random_state=seed,
        )

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """The decision function, float64 [rows]."""
        return np.asarray(self.model.decision_function(vectors))
