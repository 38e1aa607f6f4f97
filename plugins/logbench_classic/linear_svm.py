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

    Where there are about as many columns as vectors, the solver of the L1 penalty needs very many passes for its
    tolerance: `max_entries` bounds their work.
    """

    def estimator(self, seed: int) -> Any:
        """Squared hinge loss, solved in the primal."""
        from sklearn.svm import LinearSVC

        return LinearSVC(
            penalty=self.config.penalty,
            C=self.config.c,
            tol=self.config.tol,
            max_iter=self.passes,
            dual=False,
            random_state=seed,
        )

    def trained(self, vectors: Vectors, counts: Counts) -> Any:
        """The fitted classifier; events that always have equal counts share their coefficient."""
        self.passes, self.bound = self.config.max_iter, "max_iter"
        if self.config.penalty == "l2":  # has one solution, with equal coefficients for equal columns
            return super().trained(vectors, counts)
        _, first, group, size = np.unique(
            vectors.T.toarray(), axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        few = vectors[:, first]
        if (passes := max(1, self.config.max_entries // max(1, few.nnz))) < self.passes:
            self.passes, self.bound = passes, "max_entries"
        model = super().trained(few, counts)
        model.coef_ = (model.coef_ / size)[:, group]
        return model

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """The decision function, float64 [rows]."""
        return self.margin(vectors)
