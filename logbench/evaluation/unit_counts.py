"""How many units of each kind a decision is about, for the record."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..api.record_sections import Excluded, UnitsDecided, Unjudged


def counts_of(units: pl.DataFrame) -> UnitsDecided:
    """How many ruled units are `labelled`, `scored`, `excluded` (by class), `short`, `unseen`, `unlabelled`.

    And, where it is known, how many repeat a training sequence (`repeats`), and what the model cannot judge
    (`unjudged`: `events` `of` all those of units that are not short, and `units` none of whose events it judges).
    """
    labelled, dropped, label = pl.col("label") >= 0, pl.col("score").is_null(), pl.col("label")
    asked = {
        "labelled": labelled,
        "scored": labelled & ~dropped,
        "normal": (label == 0) & dropped,
        "anomaly": (label == 1) & dropped,
        "short": pl.col("short"),
        "unseen": pl.col("unseen") > 0,
    }
    if "repeats" in units.columns:
        asked["repeats"] = pl.col("repeats")
    found = _numbers_of(units, asked)
    excluded: Excluded = {"normal": found["normal"], "anomaly": found["anomaly"]}
    if found["scored"] + excluded["normal"] + excluded["anomaly"] != found["labelled"]:
        raise AssertionError("scored + excluded units must be all labelled ones")
    counts: UnitsDecided = {
        "labelled": found["labelled"],
        "scored": found["scored"],
        "excluded": excluded,
        "short": found["short"],
        "unseen": found["unseen"],
    }
    if "repeats" in found:
        counts["repeats"] = found["repeats"]
    counts["unlabelled"] = number_of(units) - found["labelled"]
    if (unjudged := _unjudged(units)) is not None:
        counts["unjudged"] = unjudged
    return counts


def _numbers_of(units: pl.DataFrame, asked: Mapping[str, pl.Expr]) -> dict[str, int]:
    """Number of the units of each kind, without a copy of any; see `number_of`."""
    stands_for = pl.col("count") if "count" in units.columns else pl.lit(1, pl.Int64)
    found = units.select(
        pl.when(kind).then(stands_for).otherwise(0).sum().alias(name) for name, kind in asked.items()
    )
    return {name: int(number) for name, number in found.row(0, named=True).items()}


def _unjudged(units: pl.DataFrame) -> Unjudged | None:
    """`unjudged`, see `counts_of`; None for a model that judges every event."""
    if "unjudged" not in units.columns or not units["unjudged"].count():
        return None
    asked = units.filter(~pl.col("short"))
    nothing = asked.filter(pl.col("unjudged") >= pl.col("events"))
    return {
        "events": int(asked["unjudged"].sum()),
        "of": int(asked["events"].sum()),
        "units": nothing.height,
    }


def number_of(units: pl.DataFrame) -> int:
    """Units, where a row may stand for several."""
    return int(units["count"].sum()) if "count" in units.columns else units.height
