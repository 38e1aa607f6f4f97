"""Held-out units as a threshold sees them: their scores, and what each is like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..base.array_files import load_arrays, save_arrays
from ..base.jsonable import four_digits, several, shorten
from ..data.failure_words import FAILURE
from ..data.per_unit import events_of_units
from ..evaluation.thresholds import validation_threshold
from ..evaluation.verdicts import units_of_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.protocol import EvaluationProtocol
    from .prepared import Prepared

# Columns by which units are alike.
ALIKE = ("score", "flagged", "key")
# Templates that a note names.
NAMED = 2
# Share of the lines at each end of a log whose times are left aside: one wrong clock is no month.
ENDS = 0.001
DAY = 86_400 * 10**6


def held_out_units(frame: pl.DataFrame, prepared: Prepared, protocol: EvaluationProtocol) -> pl.DataFrame:
    """Held-out units, alike ones in one row, highest score first.

    Args:
        frame: see `verdicts.Decision`.

    Returns:
        `score` (Float64), `flagged` (Boolean, a rule alarms), `key` (Int32) and `template` (String), of the
        deciding event, else of the one that is rarest in training, `weight` (Float64), `units` (Int64, how many).
    """
    held = units_of_threshold(frame, protocol)
    keys = pl.Series(_telling_keys(held, prepared), dtype=pl.Int32)
    alike = held.select("score", "flagged", "weight", key=keys).group_by(ALIKE, maintain_order=True)
    units = alike.agg(pl.col("weight").sum(), units=pl.len().cast(pl.Int64))
    return _named(units.sort("score", descending=True, maintain_order=True), prepared.vocabulary.templates)


def _named(units: pl.DataFrame, templates: Sequence[str]) -> pl.DataFrame:
    names = pl.Series([*templates, "an unseen template"], dtype=pl.String)
    return units.with_columns(template=names.gather(units["key"].clip(0, len(templates))))


def save_held_out(file: Path, units: pl.DataFrame) -> None:
    """Write what `held_out_units` gives as an npz file, for `load_held_out`."""
    save_arrays(file, **{name: units[name].to_numpy() for name in (*ALIKE, "weight", "units")})


def load_held_out(file: Path, templates: Sequence[str]) -> pl.DataFrame:
    """What `save_held_out` wrote.

    Raises:
        DataError: the file is missing or damaged.
    """
    columns = load_arrays(
        file, score="float64 [rows]", flagged="bool [rows]", key="int32 [rows]", weight="float64 [rows]",
        units="int64 [rows]",
    )  # fmt: skip
    return _named(pl.DataFrame(columns), templates)


def _telling_keys(held: pl.DataFrame, prepared: Prepared) -> NDArray[np.int64]:
    """Key of each unit's deciding event, else its key that is rarest in training; int64 [units]."""
    sessions = prepared.sessions.take(held["index"].to_numpy())
    counts = prepared.sessions.cached(
        f"logbench.training_counts {prepared.split.digest}", lambda: _training_counts(prepared)
    )
    place = held["decided_by"].fill_null(-1).to_numpy().copy()
    undecided = (place < 0) & (sessions.lengths > 0)
    order = np.lexsort((counts[sessions.clipped_keys], sessions.units))
    rarest = order[np.minimum(sessions.offsets[:-1], max(len(order) - 1, 0))] - sessions.offsets[:-1]
    place[undecided] = rarest[undecided]
    keys = np.full(len(held), sessions.vocabulary, dtype=np.int64)
    has = place >= 0
    keys[has] = sessions.clipped_keys[(sessions.offsets[:-1] + place)[has]]
    return keys


def _training_counts(prepared: Prepared) -> NDArray[np.int64]:
    """Training events of each key, unseen ones in one, int64 [keys + 1]."""
    positions, _ = events_of_units(prepared.sessions.offsets, prepared.split.train)
    keys = prepared.sessions.clipped_keys[positions]
    return np.bincount(keys, minlength=prepared.sessions.vocabulary + 1)


def failures_said(held: pl.DataFrame, threshold: float, alpha: float) -> str:
    """Say which held-out units that look like failures drive a validation threshold up; empty where none do.

    Args:
        held: see `held_out_units`. alpha: see `validation_threshold`.

    Examples:
        >>> held = pl.DataFrame({"score": [9.0, 1.0], "template": ["job failed <*>", "job done"]})
        >>> held = held.with_columns(units=pl.Series([4, 96]), weight=pl.Series([4.0, 96.0]), flagged=False)
        >>> failures_said(held, 9.0, 0.01).partition(";")[0]
        'failures in the training set the threshold: 4 held-out units like: job failed <*>'
    """
    above = held.filter((pl.col("score") >= threshold) & ~pl.col("flagged"))
    failing = above.filter(pl.col("template").map_elements(_fails, return_dtype=pl.Boolean))
    others = held.join(failing, on=("score", "flagged", "template"), how="anti")
    if not len(failing) or not len(others):
        return ""
    without = validation_threshold(others["score"].to_numpy(), others["weight"].to_numpy(), alpha)
    if not without < threshold:
        return ""
    kinds = failing.group_by("template", maintain_order=True).agg(pl.col("units").sum())
    kinds = kinds.sort("units", descending=True, maintain_order=True).head(NAMED)
    like = "; ".join(
        f"{several(units, 'held-out unit')} like: {shorten(template, 60)}" for template, units in kinds.iter_rows()
    )
    change = f"without them {four_digits(without)} in place of {four_digits(threshold)}"
    return f"failures in the training set the threshold: {like}; {change}"


def _fails(template: str) -> bool:
    return bool(FAILURE.search(template))


def units_a_day(units: int, times: NDArray[np.int64] | None) -> float | None:
    """How many units a day of the log makes; a silence of more than a day counts as a day.

    Args:
        times: int64 [events], microseconds, any order; None where lines have none.
    """
    if times is None or len(times) < 2:
        return None
    known = np.sort(times)
    cut = int(ENDS * len(known))
    kept = known[cut : len(known) - cut]
    days = float(np.minimum(np.diff(kept), DAY).sum()) / DAY * (len(known) - 1) / max(len(kept) - 1, 1)
    return units / days if days > 0 else None
