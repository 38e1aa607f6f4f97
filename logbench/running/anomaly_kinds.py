"""What kind of anomaly each unit is, for evaluators alone: no model sees these columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.optional_evaluators import NeedsKinds
from ..base.errors import PluginError
from ..data.per_unit import events_of_units
from ..pipeline.label_ids import label_ids

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Windower
    from ..data.sessions import Sessions
    from ..evaluation.verdicts import Decision
    from ..pipeline.grouping import GroupedLines
    from .prepared import Prepared


def wants_kinds(evaluators: Iterable[Any]) -> bool:
    """Whether one of them reads the columns."""
    return any(isinstance(one, NeedsKinds) and one.needs_kinds for one in evaluators)


def with_kinds(decision: Decision, prepared: Prepared, windower: Windower | None) -> Decision:
    """Add the columns `KINDS` to the frame: `type` of anomalous units, and `template_set` of all.

    Args:
        windower: says which id a unit is a piece of, see `NamesLabels`.
    """
    frame, units = decision.frame, decision.frame["index"]
    types = types_of(prepared.grouped, windower).gather(units).set(frame["label"] != 1, None)
    sets = pl.Series(template_sets(prepared.sessions)).gather(units)
    return replace(decision, frame=frame.with_columns(type=types, template_set=sets))


def template_sets(sessions: Sessions) -> NDArray[np.uint32]:
    """Number of each unit's set of keys, uint32 [units], in first-seen order: equal sets have equal numbers.

    How often and in which order the keys come makes no difference.
    """
    distinct = sessions.distinct
    positions, begins = events_of_units(sessions.offsets, distinct.first)
    unit = np.repeat(np.arange(len(distinct.first)), np.diff(begins))
    keys = pl.DataFrame({"unit": unit, "key": sessions.keys[positions]}).unique().sort("unit", "key")
    text = keys.group_by("unit").agg(set=pl.col("key").cast(pl.String).str.join(" "))
    sets = pl.DataFrame({"unit": np.arange(len(distinct.first))}).join(text, "unit", "left", maintain_order="left")
    first = sets.select("set").unique(maintain_order=True).with_row_index("number")
    numbered = sets.join(first, "set", "left", maintain_order="left", nulls_equal=True)["number"]
    numbers: NDArray[np.uint32] = numbered.cast(pl.UInt32).to_numpy()[distinct.inverse]
    return numbers


def types_of(grouped: GroupedLines, windower: Windower | None) -> pl.Series:
    """Type of each unit's anomaly, String [units]; of a unit with labelled lines that of its first anomalous one.

    Null where the data set names none.

    Raises:
        PluginError: the data set gives a frame without `type`, or without `unit` or `line`, or a unit twice.
    """
    if grouped.types is None:
        return pl.Series("type", [None], dtype=pl.String).new_from_index(0, len(grouped))
    given = grouped.types()
    key = "unit" if "unit" in given.columns else "line"
    if not {key, "type"} <= set(given.columns) or given["type"].dtype != pl.String:
        raise PluginError(
            f"the data set's types need columns unit or line, and type (String), got {', '.join(given.columns)}"
        )
    if (twice := given[key].is_duplicated()).any():
        raise PluginError(f"the data set names two types of {key} {given[key].filter(twice)[0]}; keep one")
    if key == "unit":
        named = pl.DataFrame({"unit": label_ids(windower, grouped.units["unit"])})
    else:
        named = pl.DataFrame({"line": _first_anomalous(grouped)}, {"line": pl.Int64})
        given = given.with_columns(pl.col("line").cast(pl.Int64))
    return named.join(given, on=key, how="left", maintain_order="left")["type"]


def _first_anomalous(grouped: GroupedLines) -> pl.Series:
    """Number of each unit's first anomalous line, Int64 [units]; null where it has none."""
    lines = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(grouped))
    if grouped.line_labels is None:
        return lines
    events = np.flatnonzero(np.asarray(grouped.line_labels) == 1)
    units, first = np.unique(np.searchsorted(grouped.offsets, events, side="right") - 1, return_index=True)
    return lines.scatter(units, pl.Series(grouped.lines[events[first]]).cast(pl.Int64))
