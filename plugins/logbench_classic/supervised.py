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

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions


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
    """Wraps a scikit-learn classifier, trained on each pair of vector and label once, weighted by its units.

    Attributes:
        repeated: train on every unit, in the order of the vectors, because the classifier draws units.
    """

    learned = ("model",)
    repeated = False

    @abstractmethod
    def estimator(self, seed: int) -> Any:
        """The unfitted classifier."""

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Fit; note a solver that stops early."""
        from sklearn.exceptions import ConvergenceWarning

        self.model, self.seed = self.estimator(context.seed), context.seed
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            self._train(vectors, counts)
        for warning in caught:
            if not issubclass(warning.category, ConvergenceWarning):
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        converged = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
        if not converged:
            context.note("the solver stopped at max_iter before its tolerance")
        return {"converged": converged}

    def _train(self, vectors: Vectors, counts: Counts) -> None:
        repeats = oversampled(self.labels, self.config.oversample, self.seed)
        if not self.repeated:  # each unit of a class alike, so that nothing is drawn
            repeats = np.array([repeats[self.labels == label].mean() for label in (0, 1)])[self.labels]
        pairs, place = np.unique(counts.inverse + len(counts) * self.labels.astype(np.int64), return_inverse=True)
        units = np.bincount(place, repeats)
        labels, rows = (pairs >= len(counts)).astype(np.int64), vectors[pairs % len(counts)]
        normal, anomalous = np.bincount(labels, units)
        weights = np.array(class_weights(normal, anomalous, self.config.balanced, self.config.anomaly_weight))
        if not self.repeated:
            self.model.fit(rows, labels, sample_weight=units * weights[labels])
            return
        each = np.repeat(np.arange(len(units)), units.astype(np.int64))
        weighted = None if (weights == 1).all() else weights[labels[each]]
        self.model.fit(rows[each], labels[each], sample_weight=weighted)

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Probability of an anomaly, float64 [rows]."""
        return np.asarray(self.model.predict_proba(vectors)[:, 1])


class Linear(Classifier):
    """A classifier with one coefficient an event, whose largest term names the deciding event."""

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Fit; with `parameters`, coefficients and intercept."""
        facts = super().learn(vectors, counts, context)
        return {**facts, "parameters": int(self.model.coef_.size + self.model.intercept_.size)}

    def deciding(self, vectors: Vectors) -> NDArray[np.int64]:
        """The event with the largest positive term."""
        return strongest(vectors * self.model.coef_[0])
