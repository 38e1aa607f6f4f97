"""Where a threshold comes from: the protocol's choice, and what a model's traits leave it to choose.

Known before anything is read, so neither numpy nor polars is loaded for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..api.record_sections import OwnThreshold
from ..base.errors import ConfigError, IncompatibleError

if TYPE_CHECKING:
    from ..api.protocol import EvaluationProtocol

NO_HELD_OUT = "the threshold needs held-out units; raise protocol.held_out, or take another protocol.threshold"


@dataclass(frozen=True)
class ThresholdTraits:
    """What a model's traits say of its threshold, see `ModelTraits`.

    Attributes:
        threshold: the model's own one, None where it has none.
        rule: scores only say yes or no: `threshold` holds under every protocol.
        uses_alpha: the model brought its scores to `threshold` by held-out units and `protocol.alpha` itself.
        holds_rules: a combination of rules and graded members, whose +∞ is a rule's alarm: it holds under every
            threshold, as a rule's own does.
    """

    threshold: float | None = None
    rule: bool = False
    uses_alpha: bool = False
    holds_rules: bool = False

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> ThresholdTraits:
        """From the threshold of a record."""
        return cls(known.get("own"), *(bool(known.get(name)) for name in ("rule", "uses_alpha", "holds_rules")))

    def as_dict(self) -> OwnThreshold:
        """As the threshold of a record has it."""
        return {
            "own": self.threshold,
            "rule": self.rule,
            "uses_alpha": self.uses_alpha,
            "holds_rules": self.holds_rules,
        }


def check_value(protocol: EvaluationProtocol, models: Iterable[tuple[str, bool]]) -> None:
    """Refuse a `protocol.value` that nothing takes, or that several models would take.

    It is one number on one model's scale, so that it means nothing to a second model. Rules pass it by.

    Args:
        models: name of each model that takes part, and whether it is a rule.

    Raises:
        ConfigError: the threshold is not fixed, or several models have a threshold to set.
    """
    if protocol.value is None:
        return
    if protocol.threshold != "fixed":
        raise ConfigError(
            f"protocol.value={protocol.value:g} is for protocol.threshold=fixed, but it is {protocol.threshold}; "
            "set it to fixed, or leave the value out"
        )
    graded = sorted({name for name, rule in models if not rule})
    if len(graded) > 1:
        raise ConfigError(
            f"protocol.value={protocol.value:g} is a threshold on the scale of one model, but {len(graded)} would "
            f"take it: {', '.join(graded)}; run them one by one, each with a value of its own"
        )


def check_threshold(protocol: EvaluationProtocol, own: ThresholdTraits) -> None:
    """Refuse before anything is read what `choose` would refuse after scoring.

    Raises:
        IncompatibleError: the threshold comes from held-out units, and none are held out; or it is fixed, and no
            value is known.
    """
    if protocol.held_out == 0 and needs_held_out(protocol, own):
        raise IncompatibleError(NO_HELD_OUT)
    if protocol.threshold == "fixed":
        fixed_value(protocol, own)


def needs_held_out(protocol: EvaluationProtocol, own: ThresholdTraits) -> bool:
    """Whether the threshold comes from scores of held-out units."""
    if own.rule or protocol.threshold == "oracle":
        return False
    if protocol.threshold in ("validation", "labelled"):
        return True
    return protocol.value is None and own.uses_alpha and own.threshold is not None


def fixed_value(protocol: EvaluationProtocol, own: ThresholdTraits) -> float:
    """The protocol's value, or else the model's own threshold.

    Raises:
        IncompatibleError: there is neither.
    """
    value = own.threshold if protocol.value is None else protocol.value
    if value is None:
        raise IncompatibleError("threshold = fixed: the model has none of its own; set protocol.value")
    return value
