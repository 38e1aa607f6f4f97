"""Units of equal key sequence and label, counted once."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

# Columns that tell units of one pair apart: how they are judged, and the type of their anomaly.
APART = ("score", "verdict", "flagged", "type")


def distinct_units(units: pl.DataFrame, judged: Sequence[str] = APART) -> pl.DataFrame:
    """Each pair of key sequence and label with weight 1, in order of its first unit.

    A model that looks beyond keys (at times, say) may judge units of one pair differently. Then each judgement
    has a row, of its share of the pair's units as weight: the pair counts with its mean verdict, whatever the
    order of the units. So do anomalies of two types that have one key sequence: neither is lost.

    Args:
        judged: columns, as far as there are, that tell units of a pair apart.
    """
    pair = ["sequence", "label"]
    same = [*pair, *(name for name in judged if name in units.columns)]
    rows = units.select(*same, row=pl.int_range(pl.len()))
    groups = rows.group_by(same).agg(pl.col("row").min(), size=pl.len()).sort("row")
    weight = groups.select(pl.col("size") / pl.col("size").sum().over(pair)).to_series()
    return units[groups["row"]].with_columns(weight=weight)
