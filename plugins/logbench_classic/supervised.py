"""Shared by supervised models: labels beside vectors, without unlabelled units."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from logbench import IncompatibleError, class_weights, oversampled

from .base import CountModel, Vectors
from .counts import Counts, strongest
from .trees import TreeModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions

# Most cells of a dense table (256 MiB), from which trees are grown in a third of the time.
DENSE = 1 << 26


class Supervised(CountModel):
    """Base of models that train on labelled units: 0 normal, 1 anomaly; unknown labels (−1) are left out."""

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """See `Model.fit`. Facts: `labelled`, `anomalies`, and those of `CountModel`.

        Raises:
            IncompatibleError: labels are missing, or all the same.
        """
        if train.labels is None:
            raise IncompatibleError("a supervised model needs labels: set protocol.content=labelled")
        train = train.take(train.labels >= 0)
        assert train.labels is not None
        self.labels = train.labels
        anomalies = int(self.labels.sum())
        if not 0 < anomalies < len(train):
            raise IncompatibleError(
                f"a supervised model needs normal and anomalous training units, got {len(train) - anomalies:,} "
                f"and {anomalies:,}"
            )
        return {"labelled": len(train), "anomalies": anomalies, **super().fit(train, context)}


class Classifier(Supervised):
    """Trains a scikit-learn classifier on each pair of vector and label once, weighted by its units.

    What it learned is then taken over as plain arrays, see `take`.

    Attributes:
        repeated: train on every unit, in the order of the vectors, because the classifier draws units.
        bound: the option that stops a solver early.
    """

    repeated = False
    bound = "max_iter"

    @abstractmethod
    def estimator(self, seed: int) -> Any:
        """The unfitted classifier."""

    @abstractmethod
    def take(self, fitted: Any) -> Mapping[str, Any]:
        """Set what is learned from the fitted classifier; further facts."""

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Fit; note a solver that stops early."""
        from sklearn.exceptions import ConvergenceWarning

        self.seed = context.seed
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            facts = self.take(self.trained(vectors, counts))
        for warning in caught:
            if not issubclass(warning.category, ConvergenceWarning):
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        converged = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
        if not converged:
            context.note(f"the solver stopped at {self.bound} before its tolerance")
        return {"converged": converged, **facts}

    def taken(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which distinct pairs of vector and label train, int64, ascending; `labels` are those of all."""
        return np.arange(len(labels))

    def trained(self, vectors: Vectors, counts: Counts) -> Any:
        """The fitted classifier."""
        model = self.estimator(self.seed)
        repeats = oversampled(self.labels, self.config.oversample, self.seed)
        if not self.repeated:  # each unit of a class alike, so that nothing is drawn
            repeats = np.array([repeats[self.labels == label].mean() for label in (0, 1)])[self.labels]
        pairs, place = np.unique(counts.inverse + len(counts) * self.labels.astype(np.int64), return_inverse=True)
        taken = self.taken((pairs >= len(counts)).astype(np.int64))
        pairs, units = pairs[taken], np.bincount(place, repeats)[taken]
        labels, rows = (pairs >= len(counts)).astype(np.int64), vectors[pairs % len(counts)]
        normal, anomalous = np.bincount(labels, units)
        weights = np.array(class_weights(normal, anomalous, self.config.balanced, self.config.anomaly_weight))
        if not self.repeated:
            share = units * weights[labels]
            return model.fit(self.laid_out(rows, share), labels, sample_weight=share)
        each = np.repeat(np.arange(len(units)), units.astype(np.int64))
        weighted = None if (weights == 1).all() else weights[labels[each]]
        return model.fit(self.laid_out(rows[each], weights), labels[each], sample_weight=weighted)

    def laid_out(self, rows: Vectors, weights: NDArray[np.float64]) -> Any:
        """The rows as the classifier learns fastest from them; the weights are all that rows have."""
        return rows


class Linear(Classifier):
    """A classifier with one coefficient an event, whose largest term names the deciding event."""

    learned: Mapping[str, str] = {"coefficients": "float64 [columns]", "intercept": "float64"}

    def take(self, fitted: Any) -> Mapping[str, Any]:
        """Coefficients and intercept; fact `parameters`."""
        self.coefficients, self.intercept = np.asarray(fitted.coef_[0]), float(fitted.intercept_[0])
        return {"parameters": int(fitted.coef_.size + fitted.intercept_.size)}

    def margin(self, vectors: Vectors) -> NDArray[np.float64]:
        """Sum of the terms and the intercept, float64 [rows]."""
        return np.asarray(vectors @ self.coefficients + self.intercept)

    def deciding(self, vectors: Vectors) -> NDArray[np.int64]:
        """The event with the largest positive term."""
        return strongest(vectors * self.coefficients)


class Forest(TreeModel, Classifier):
    """A classifier of trees, whose leaves hold the share of anomalies."""

    def take(self, fitted: Any) -> Mapping[str, Any]:
        """The trees; of one tree no list."""
        trees = [one.tree_ for one in getattr(fitted, "estimators_", [fitted])]
        self.plant(trees, [tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1) for tree in trees])
        return {}

    def laid_out(self, rows: Vectors, weights: NDArray[np.float64]) -> Any:
        """Dense if that is small. Sums of whole weights are exact, in whatever order rows are added up."""
        whole = bool((weights == np.round(weights)).all())
        return rows.astype(np.float32).toarray() if whole and rows.shape[0] * rows.shape[1] <= DENSE else rows

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Mean share of anomalies in the leaves, float64 [rows]."""
        return self.summed(vectors) / len(self.roots)
