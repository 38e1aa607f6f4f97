"""Recall of each type of anomaly, where the data name them: a bar a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..theme import CATEGORIES
from .figure import Figure, number

if TYPE_CHECKING:
    import polars as pl

# Types of which there are bars, the most frequent ones, and models that have bars, the best ones.
MOST_TYPES, MOST_MODELS = 20, 4
UNKNOWN = "unknown"


def recall_by_type(units: pl.DataFrame) -> list[tuple[str, float, float]]:
    """Type, weight of its anomalies and recall, the most frequent type first; empty where no type is known."""
    import polars as pl

    anomalies = units.filter(pl.col("label") == 1)
    if "type" not in units.columns or anomalies["type"].null_count() == len(anomalies):
        return []
    weight = pl.col("weight")
    by = anomalies.group_by(pl.col("type").fill_null(UNKNOWN)).agg(
        weight=weight.sum().cast(pl.Float64), recall=weight.filter("verdict").sum() / weight.sum()
    )
    return list(by.sort("weight", "type", descending=[True, False]).iter_rows())


def types(models: Sequence[tuple[str, pl.DataFrame]]) -> Figure | None:
    """Bars by type; None where no run has types."""
    found = {model: each for model, units in models[:MOST_MODELS] if (each := recall_by_type(units))}
    if not found:
        return None
    rows = [
        {"model": model, "type": f"{name} ({weight:,.0f})", "recall": round(recall, 4)}
        for model, each in found.items()
        for name, weight, recall in each[:MOST_TYPES]
    ]
    first, own = next(iter(found.items()))
    worst = min(own, key=lambda row: row[2])
    mean = sum(recall for *_, recall in own) / len(own)
    more = f" {len(own) - MOST_TYPES} rarer types are left out." if len(own) > MOST_TYPES else ""
    names, order = list(found), list(dict.fromkeys(row["type"] for row in rows))
    colour = {"field": "model", "type": "nominal", "title": None,
              "scale": {"domain": names, "range": CATEGORIES[: len(names)]}}  # fmt: skip
    return Figure(
        "types",
        "Recall by type of anomaly",
        f"{first} finds {number(mean)} of a type on average, and least of {worst[0]}: {number(worst[2])} of "
        f"{worst[1]:,.0f}. In brackets: how many there are; of few a recall says little.{more}",
        {
            "data": {"name": "types"},
            "mark": {"type": "bar"},
            "encoding": {
                "y": {"field": "type", "type": "nominal", "sort": order, "title": None},
                "yOffset": {"field": "model", "sort": names},
                "x": {"field": "recall", "type": "quantitative", "scale": {"domain": [0, 1]}},
                "color": colour,
                "tooltip": [{"field": "model"}, {"field": "type"}, {"field": "recall", "format": ".3f"}],
            },
        },
        {"types": rows},
        rows,
        height=max(80, (8 + 14 * len(names)) * len(order)),
    )
