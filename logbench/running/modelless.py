"""What no model moves: columns of units, figures of rules without a model, the upper bound; kept for the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
# Columns of a rule's units that hold values: none is a model's. Those of a model are there, but empty.
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
        of_model = [(name, dtype) for name, dtype in units.schema.items() if name not in SEEN]
        bare = units.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in of_model)
        trivial = {name: metrics_of(rule(bare, name), evaluators, unit, weighted) for name in RULES}
        return cls(bound_of(units), {name: one for name, one in trivial.items() if one})


@dataclass
class Known:
    """What is known of the units of one split, so that models judged on the same ones share it."""

    _made: dict[str, list[tuple[pl.DataFrame, Modelless]]] = field(default_factory=dict)
    _columns: tuple[tuple[Any, ...], pl.DataFrame] | None = None

    def columns(self, arrays: tuple[Any, ...], make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """What `make` gives, kept until it is asked for of other arrays.

        Args:
            arrays: all that it depends on; the same objects mean the same values.
        """
        if self._columns is None or any(a is not b for a, b in zip(self._columns[0], arrays, strict=True)):
            self._columns = arrays, make()
        return self._columns[1]

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
