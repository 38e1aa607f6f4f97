"""Warn users about a run: an unreliable threshold, files that the model opened, dependent scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..api.contracts import RunningModel
from ..api.optional_evaluators import HasCaution
from ..api.record_sections import BoundFacts, Metrics
from ..api.record_split import AuditFacts
from ..base.jsonable import part_of, several, shorten
from ..base.progress_bars import Bars
from ..evaluation.verdicts import Decision
from .fitting import Scored
from .held_out import failures_said, held_out_units
from .prepared import Prepared
from .resolve import ResolvedPlan

# An F1 by so much above its bound is no rounding.
BEYOND = 1e-9
# Most notes of one run to keep and print.
MOST_NOTES = 100


class Notes:
    """Collects the notes of one run and prints each once.

    Attributes:
        lines: the notes, for the record.
    """

    def __init__(self, bars: Bars) -> None:
        self.lines: list[str] = []
        self._bars = bars

    def of(self, name: str) -> Callable[[str], None]:
        """Return a function that takes notes about a model, data set or evaluator of this name."""

        def note(text: str) -> None:
            text = shorten(str(text)) if len(self.lines) < MOST_NOTES else "more notes are left out"
            if text not in self.lines:
                self.lines.append(text)
                self._bars.note(f"{name}: {text}")

        return note


def note_decision(
    resolved: ResolvedPlan, prepared: Prepared, decision: Decision, note: Callable[[str], None]
) -> None:
    """Warn if the threshold is unreliable, if failures drive it, or if a rule decides most test units."""
    _note_short(resolved, decision, note)
    threshold, alpha = decision.threshold, resolved.protocol.alpha
    if threshold["source"] == "oracle":
        note("threshold = oracle: chosen on the test labels, so this is not an honest result")
    if not threshold["reliable"]:
        held, need = several(threshold["held_out"], "held-out unit"), int(np.ceil(1 / alpha))
        note(f"unreliable threshold: {held}, at least {need} are needed for alpha {alpha:g}")
    if threshold["value"] == np.inf and threshold["source"] == "validation":
        note("the threshold is infinite because too many held-out units score infinity; only rules alarm")
    if threshold["source"] == "validation" and not resolved.model.own.uses_alpha:
        units = held_out_units(decision.frame, prepared, resolved.protocol)
        if said := failures_said(units, float(threshold["exact"]), alpha):
            note(said)


def note_bound(metrics: Metrics, unit: str, bound: BoundFacts, note: Callable[[str], None]) -> None:
    """Warn of an F1 that no verdict by key sequences reaches: equal sequences got each the right label."""
    best, reached = bound.get("f1"), metrics[unit]["all"].get("f1") if unit in metrics else None
    if best is not None and reached is not None and reached > best + BEYOND:
        note(
            f"F1 {reached:.3f} is above {best:.3f}, the highest that key sequences allow on these units: the "
            "model saw more than keys (times, text), or labels leaked; of data that are keys alone, labels did"
        )


def note_cautions(evaluators: Mapping[str, Any], of: Callable[[str], Callable[[str], None]]) -> None:
    """Say what one must know of an evaluator's metrics.

    Args:
        evaluators: name → Evaluator. of: see `Notes.of`.
    """
    for name, evaluator in evaluators.items():
        if isinstance(evaluator, HasCaution) and evaluator.caution is not None:
            of(name)(evaluator.caution)


def _note_short(resolved: ResolvedPlan, decision: Decision, note: Callable[[str], None]) -> None:
    """Warn if the rule for short units instead of the model decides most test units."""
    short, tested, limit = decision.counts["short"], decision.units.height, resolved.short_limit
    if 2 * short >= tested > 0 and short:
        what = {"flag": "an alarm", "miss": "no alarm", "drop": "left out"}[resolved.protocol.short]
        note(
            f"{part_of(short, tested, f'tested {resolved.unit}', 'has', 'have')} fewer than "
            f"{several(limit, 'event')}: {what}, by protocol.short={resolved.protocol.short} and not by the "
            "model; see protocol.min_events"
        )


def conduct_of(model: RunningModel, scored: Scored, decision: Decision, note: Callable[[str], None]) -> AuditFacts:
    """Facts for the record's `audit`: foreign files that the model opened, and whether scores are independent."""
    conduct: AuditFacts = {}
    opened = {*model.opened, *(scored.stream.opened if scored.stream is not None else ())}
    if opened:
        conduct["files"] = sorted(opened)
        more = f" and {len(opened) - 1} more" if len(opened) > 1 else ""
        note(f"opened a file that is not its own: {min(opened)}{more}; it may hold labels")
    if scored.alone is None:
        note("scores depend on the other scored units, as the model declares")
        return {**conduct, "alone": "declared"}
    facts = scored.alone.facts(float(decision.threshold["exact"]))
    if facts["differ"]:
        note(f"scores depend on the other scored units: {facts['differ']} of {facts['units']} differ alone")
    return {**conduct, "alone": facts}
