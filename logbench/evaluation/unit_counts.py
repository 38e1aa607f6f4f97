"""How many units of each kind a decision is about, for the record."""

from __future__ import annotations

from typing import Any

import polars as pl


def counts_of(units: pl.DataFrame) -> dict[str, Any]:
    """How many ruled units are `labelled`, `scored`, `excluded` (by class), `short`, `unseen`, `unlabelled`.

    And, where it is known, how many repeat a training sequence (`repeats`), and what the model cannot judge
    (`unjudged`: `events` `of` all those of units that are not short, and `units` none of whose events it judges).
    """
    labelled = units.filter(pl.col("label") >= 0)
    dropped = labelled.filter(pl.col("score").is_null())
    excluded = {
        "normal": number_of(dropped.filter(pl.col("label") == 0)),
        "anomaly": number_of(dropped.filter(pl.col("label") == 1)),
    }
    scored = number_of(labelled) - number_of(dropped)
    if scored + sum(excluded.values()) != number_of(labelled):
        raise AssertionError("scored + excluded units must be all labelled ones")
    return {
        "labelled": number_of(labelled),
        "scored": scored,
        "excluded": excluded,
        "short": number_of(units.filter("short")),
        "unseen": number_of(units.filter(pl.col("unseen") > 0)),
        **({"repeats": number_of(units.filter("repeats"))} if "repeats" in units.columns else {}),
        "unlabelled": number_of(units) - number_of(labelled),
        **_unjudged(units),
    }


def _unjudged(units: pl.DataFrame) -> dict[str, Any]:
    """`unjudged`, see `counts_of`; nothing for a model that judges every event."""
    if "unjudged" not in units.columns or not units["unjudged"].count():
        return {}
    asked = units.filter(~pl.col("short"))
    nothing = asked.filter(pl.col("unjudged") >= pl.col("events"))
    return {
        "unjudged": {
            "events": int(asked["unjudged"].sum()),
            "of": int(asked["events"].sum()),
            "units": nothing.height,
        }
    }


def number_of(units: pl.DataFrame) -> int:
    """Units, where a row may stand for several."""
    return int(units["count"].sum()) if "count" in units.columns else units.height
