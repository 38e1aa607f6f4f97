"""Linear SVM on event counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Vectors
from .counts import Counts
from .supervised import Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LinearSvm(Linear):
    """Linear SVM (Liang et al., ICDM 2007; parameters of loglizer).

    Score: signed distance from the boundary, unscaled; 0 is the own threshold. Under the L1 penalty events with
    equal counts in all training units may share one coefficient in any way: here they have equal parts.
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

    def _train(self, vectors: Vectors, counts: Counts) -> None:
        if self.config.penalty == "l2":  # has one solution, with equal coefficients for equal columns
            super()._train(vectors, counts)
            return
        _, first, group, size = np.unique(
            vectors.T.toarray(), axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        super()._train(vectors[:, first], counts)
        self.model.coef_ = (self.model.coef_ / size)[:, group]
        self.model.n_features_in_ = vectors.shape[1]

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """The decision function, float64 [rows]."""
        return np.asarray(self.model.decision_function(vectors))
