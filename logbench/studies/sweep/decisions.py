"""What decides a row of a sweep from stored scores: a protocol and a model's own threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from ...api.protocol import EvaluationProtocol
from ...base.errors import ConfigError, IncompatibleError
from ...components.configured import configured
from ...evaluation.threshold_traits import ThresholdTraits, check_value
from ...running.resolve import ResolvedPlan
from ..protocol_grid import evaluate_under
from ..rescore import undecided
from .choices import Choice, combinations

# Thresholds shown beside those that were asked for, and how the protocol names them.
PICKS = {"label-free": "validation", "oracle": "oracle"}


@dataclass(frozen=True)
class Decider:
    """What one row of a run is decided by.

    Attributes:
        values: of the choices that act after scoring. pick: one of `PICKS`, empty where the row is as asked.
        protocol, own: what decides. settings: by component, what a run of this row alone is given more.
    """

    values: Mapping[str, str]
    pick: str
    protocol: EvaluationProtocol
    own: ThresholdTraits
    settings: Mapping[str, Mapping[str, Any]]


def deciders_of(resolved: ResolvedPlan, late: Sequence[Choice]) -> list[Decider]:
    """One for each combination of values that act after scoring, then one for each of `PICKS`.

    Raises:
        ConfigError: an unknown value, or a protocol whose scores cannot be decided anew.
    """
    if resolved.protocol.procedure != "batch":
        raise ConfigError(
            f"sweep decides stored scores anew, but under protocol.procedure={resolved.protocol.procedure} models "
            "may learn from verdicts; run each value (logbench run --set), or sweep under procedure=batch"
        )
    return [
        *(_asked(resolved, late, values) for values in combinations(late)),
        *(_picked(resolved, pick, threshold) for pick, threshold in PICKS.items()),
    ]


def _picked(resolved: ResolvedPlan, pick: str, threshold: str) -> Decider:
    protocol = replace(resolved.protocol, threshold=threshold, value=None)  # type: ignore[arg-type]
    settings = {"protocol": {"threshold": threshold, "value": None}}
    return Decider({}, pick, protocol, resolved.model.own, settings)


def _asked(resolved: ResolvedPlan, late: Sequence[Choice], values: Mapping[str, str]) -> Decider:
    """Under these values; the threshold is fixed where they are of it."""
    settings: dict[str, dict[str, Any]] = {}
    for choice in late:
        settings.setdefault(choice.component, {})[choice.key] = values[choice.name]
    own = {c.key: values[c.name] for c in late if c.component != "protocol"}
    protocol = settings.get("protocol", {})
    if own or "value" in protocol:
        protocol = settings["protocol"] = {"threshold": "fixed", "value": None, **protocol}
    made = EvaluationProtocol.of(resolved.protocol.as_dict(), **protocol)
    if "value" in protocol:
        check_value(made, [(resolved.model.name, resolved.is_rule)])
    part = configured(resolved.model.entry, {**resolved.model.as_dict(), **own})
    return Decider(values, "", made, part.own, settings)


def decided(resolved: ResolvedPlan, stored: pl.DataFrame, by: Decider, weighted: bool) -> dict[str, Any]:
    """What stored scores say under a decider: see `rows.sweep`.

    Args:
        weighted: a class of the run's data is subsampled.
    """
    try:
        scored = undecided(stored, by.protocol.short_limit(resolved.model.min_events, resolved.model.name))
    except (ConfigError, IncompatibleError) as error:
        return {"skipped": str(error)}
    return evaluate_under(resolved, scored, by.protocol, by.own, weighted)
