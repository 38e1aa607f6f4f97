"""How many units of each kind a decision is about, for the record."""

from __future__ import annotations

import polars as pl

from ..api.record_sections import Excluded, UnitsDecided, Unjudged


def counts_of(units: pl.DataFrame) -> UnitsDecided:
    """How many ruled units are `labelled`, `scored`, `excluded` (by class), `short`, `unseen`, `unlabelled`.

    And, where it is known, how many repeat a training sequence (`repeats`), and what the model cannot judge
    (`unjudged`: `events` `of` all those of units that are not short, and `units` none of whose events it judges).
    """
    labelled = units.filter(pl.col("label") >= 0)
    dropped = labelled.filter(pl.col("score").is_null())
    excluded: Excluded = {
        "normal": number_of(dropped.filter(pl.col("label") == 0)),
        "anomaly": number_of(dropped.filter(pl.col("label") == 1)),
    }
    scored = number_of(labelled) - number_of(dropped)
    if scored + excluded["normal"] + excluded["anomaly"] != number_of(labelled):
        raise AssertionError("scored + excluded units must be all labelled ones")
    counts: UnitsDecided = {
        "labelled": number_of(labelled),
        "scored": scored,
        "excluded": excluded,
        "short": number_of(units.filter("short")),
        "unseen": number_of(units.filter(pl.col("unseen") > 0)),
    }
    if "repeats" in units.columns:
        counts["repeats"] = number_of(units.filter("repeats"))
    counts["unlabelled"] = number_of(units) - number_of(labelled)
    if (unjudged := _unjudged(units)) is not None:
        counts["unjudged"] = unjudged
    return counts


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
