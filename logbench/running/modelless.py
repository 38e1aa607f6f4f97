"""Figures of test units that no model moves: those of rules without a model, and the upper bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ..api.record_sections import BoundFacts, RuleMetrics
from ..data.scores import FIRST_ALARM, KINDS, MOMENTS
from ..evaluation.f1_upper_bound import bound_of
from ..evaluation.rule_baselines import RULES, rule
from ..evaluation.unit_metrics import metrics_of

# Columns of judged units that say which units were judged; the data alone decide all others that rules read.
WHICH = ("index", "judged", "short")
# Columns that evaluators see of a rule: none is a model's.
SEEN = frozenset(
    (*("part", "unit", "index", "label", "weight", "events", "unseen", "sequence", "repeats", "short", "score"),
     *MOMENTS, *FIRST_ALARM, *KINDS)
)  # fmt: skip


@dataclass(frozen=True)
class Modelless:
    """Sections of a record by name."""

    bound: BoundFacts
    trivial: RuleMetrics

    @classmethod
    def of(cls, units: pl.DataFrame, evaluators: Mapping[str, Any], unit: str, weighted: bool) -> Modelless:
        """See `results.evaluate`."""
        bare = units.select(name for name in units.columns if name in SEEN)
        trivial = {name: metrics_of(rule(bare, name), evaluators, unit, weighted) for name in RULES}
        return cls(bound_of(units), {name: one for name, one in trivial.items() if one})


@dataclass
class Known:
    """What is known of the units of one split, so that models judged on the same ones share it."""

    _made: dict[str, list[tuple[pl.DataFrame, Modelless]]] = field(default_factory=dict)

    def of(
        self, units: pl.DataFrame, evaluators: Mapping[str, Any], unit: str, weighted: bool, named: str
    ) -> Modelless:
        """See `results.evaluate`.

        Args:
            named: the evaluators and their options, as text.
        """
        which = units.with_columns(judged=pl.col("score").is_not_null()).select(WHICH)
        for before, found in self._made.setdefault(named, []):
            if before.equals(which):
                return found
        made = Modelless.of(units, evaluators, unit, weighted)
        self._made[named].append((which, made))
        return made
