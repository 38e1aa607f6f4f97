"""Networks that learn normal and anomalous units from labels; base classes of supervised models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from torch.nn import functional as F

from ..base.errors import IncompatibleError, PluginError
from ..data.class_balance import class_weights, oversampled
from ..data.rows import events_beyond, padded
from .options import ClassifierConfig, SequenceConfig, classifier_traits
from .row_model import RowModel
from .row_training import Part, arguments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ..api.contracts import Context
    from ..api.traits import ModelTraits
    from ..data.sessions import Sessions

C = TypeVar("C", bound=ClassifierConfig)
S = TypeVar("S", bound=SequenceConfig)


class Classifier(RowModel[C]):
    """Scores a unit by the probability that it is anomalous; .5 is its own threshold.

    For rows of one's own; `SequenceClassifier` has padded sequences. A subclass says its `name`, the options that
    a saved network fixes (`fixed`), how a unit becomes a row (`rows`), and how to `build` the network. That gives
    logits: of an anomaly [B] or [B, 1], or of normal and anomalous [B, 2].

    Each pair of row and label trains once, weighted by the units that have it. Held-out units with their labels
    are for stop=validation and for the record alone. Units without a label (−1) are left out, unless `targets`
    says what they are taught.

    Example:

        class MyModel(Classifier[MyConfig]):
            name, fixed = "mine", ("hidden",)

            def rows(self, sessions):
                return count_rows(sessions)

            def build(self, keys):
                hidden = self.config.hidden
                return nn.Sequential(nn.Linear(keys + 1, hidden), nn.ReLU(), nn.Linear(hidden, 1))
    """

    traits: ClassVar[ModelTraits] = classifier_traits()

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Train from nothing, by `fit_network`.

        Returns:
            Facts for the record: `labelled` units, `anomalies` among them, `repeated` (units that `oversample`
            adds), `distinct` (pairs of row and label that trained), and those of `fit_network`.

        Raises:
            IncompatibleError: labels are missing or all the same, or nothing is held out for stop=validation.
            ConfigError: a loss that is no number any more, a batch too large for the GPU's memory, or two kinds of
                class weights.
            PluginError: the network gives no logits, or cannot run in double precision.
        """
        train, context = self._bound(train, context)
        held, labelled = context.held_out, self._labelled(train)
        targets = self.targets(train, context)
        taught = np.where(np.isnan(targets), -1, targets >= 0.5).astype(np.int8)
        classes = [int((taught == label).sum()) for label in (0, 1)]
        if not all(classes):
            raise IncompatibleError(
                f"{self.name} needs normal and anomalous training units, got {classes[0]:,} and {classes[1]:,}"
            )
        repeats = oversampled(taught, self.config.oversample, context.seed)
        normal, anomalous = (float(repeats[taught == label].sum()) for label in (0, 1))
        weights = class_weights(normal, anomalous, self.config.balanced, self.config.anomaly_weight)
        validated = self._part(held, _of_labels(held), weights, context.device) if held else None
        part = self._part(train, targets, weights, context.device, repeats)
        facts = self._train(train, part, validated, context)
        added = {} if self.config.oversample is None else {"repeated": int((repeats - 1).sum())}
        return {**labelled, **added, **facts}

    def targets(self, train: Sessions, context: Context) -> NDArray[np.float64]:
        """What each training unit is taught, float64 [units]: 0 normal to 1 anomalous, NaN if it does not train.

        Its label, unless overridden, such as by a guess for units without one (`ModelTraits.unlabelled`).
        """
        return _of_labels(train)

    def _labelled(self, sessions: Sessions) -> dict[str, int]:
        """Labelled units, and anomalies among them."""
        if sessions.labels is None:
            raise IncompatibleError(f"{self.name} needs labels: set protocol.content=labelled")
        return {"labelled": int((sessions.labels >= 0).sum()), "anomalies": int((sessions.labels == 1).sum())}

    def _part(
        self,
        sessions: Sessions,
        targets: NDArray[np.float64],
        weights: tuple[float, float],
        device: str,
        repeats: NDArray[np.int64] | None = None,
    ) -> Part:
        """Distinct pairs of row and target, with their loss, weighted by class.

        Args:
            targets: see `targets`. repeats: how often each unit counts, int64 [units]; None: once.
        """
        known = ~np.isnan(targets)
        times = np.ones(int(known.sum()), dtype=np.int64) if repeats is None else repeats[known]
        sessions, (levels, level) = sessions.take(known), np.unique(targets[known], return_inverse=True)
        rows = self._distinct(sessions)
        pairs, place = np.unique(rows.inverse * len(levels) + level[rows.units], return_inverse=True)
        counts = np.zeros(len(pairs), dtype=np.int64)
        np.add.at(counts, place, times[rows.units])
        encode, (normal, anomalous) = self.encoder(rows.sessions, device), weights

        def losses(network: nn.Module, values: Tensor, taught: Tensor) -> Tensor:
            logits = self.answers(network, arguments_of(network, encode, values))
            loss = F.binary_cross_entropy_with_logits(logits, taught.to(logits.dtype), reduction="none")
            return loss * (normal + (anomalous - normal) * taught)

        which, wanted = np.divmod(pairs, max(len(levels), 1))
        return Part([rows.values[which], levels[wanted].astype(np.float32)], counts, losses)

    def answers(self, network: nn.Module, arguments: tuple[Tensor, ...]) -> Tensor:
        """Logits of an anomaly, float32 or float64 [B]."""
        logits: Tensor = network(*arguments)
        wide = logits if logits.element_size() > 2 else logits.float()
        if wide.ndim == 2 and wide.shape[1] <= 2:
            wide = wide[:, -1] - (wide[:, 0] if wide.shape[1] == 2 else 0)
        rows = arguments[0].shape[0]  # `len` would fix the batch of an exported graph
        if wide.shape != (rows,):
            wanted = f"[{rows}], [.., 1] or [.., 2]"
            raise PluginError(f"{self.name}: the network must give logits {wanted}, got {list(logits.shape)}")
        return wide

    def scores_of(self, answers: Tensor) -> Tensor:
        """Probabilities of an anomaly, of logits; float64, both [rows]."""
        return 1 / (1 + (-answers.clamp(-700, 700)).exp())


def _of_labels(sessions: Sessions) -> NDArray[np.float64]:
    assert sessions.labels is not None
    return np.where(sessions.labels < 0, np.nan, sessions.labels)


class SequenceClassifier(Classifier[S]):
    """A `Classifier` of padded key sequences; its network may be an LSTM, a convolution, or attention.

    The network gets keys int64 [B, `length`]: `keys` stands for any unknown key and `keys + 1` fills up the end of
    short units, so it has `keys + 2` codes. Of longer units it sees the first or the last `length` events, as the
    option `keep` says; the record counts the others as not judged.

    Example:

        class MyModel(SequenceClassifier[MyConfig]):
            name, fixed = "mine", ("hidden",)

            def build(self, keys):
                return Network(keys, self.config.hidden)
    """

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """See `Classifier.fit`; with `truncated`, labelled training units longer than `length`."""
        facts = super().fit(train, context)
        assert train.labels is not None
        longer = (train.lengths > self.config.length) & (train.labels >= 0)
        return {**facts, "truncated": int(longer.sum())}

    def rows(self, sessions: Sessions) -> NDArray[Any]:
        """The keys of each unit in a row of `length`, int32 [units, length]."""
        return padded(sessions, self.config.length, self.config.keep)

    def unjudged(self, sessions: Sessions) -> NDArray[np.int64] | None:
        """Events of each unit beyond `length`, int64 [units]; None where there are none."""
        return events_beyond(sessions, self.config.length)

    @property
    def _shape(self) -> tuple[str, ...]:
        return ("length", "keep", *self.fixed)
