"""Whether a recall is that of many kinds of anomalies, or of one that is frequent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import polars as pl

# Anomalies of which the data do not say what they are, beside others of which they do.
UNKNOWN = "unknown"


def recall_by(units: pl.DataFrame, column: str) -> pl.DataFrame:
    """Recall of each kind of anomaly that a column names, the most frequent kind first.

    Returns:
        `kind` (String), `weight` (Float64, of its anomalies) and `recall` (Float64); no row where no anomaly has a
        kind. Anomalies without one are one kind.
    """
    anomalies = units.filter(pl.col("label") == 1)
    known = anomalies if anomalies[column].null_count() < len(anomalies) else anomalies.clear()
    weight = pl.col("weight")
    return (
        known.group_by(kind=pl.col(column).cast(pl.String).fill_null(UNKNOWN))
        .agg(weight=weight.sum(), recall=weight.filter("verdict").sum() / weight.sum())
        .sort("weight", "kind", descending=[True, False])
    )


class Types:
    """Recall of each type of anomaly that the data name; see `Evaluator` and `NeedsKinds`."""

    needs_kinds = True
    columns = ("types", "macro_recall", "worst_recall")
    directions: ClassVar[Mapping[str, Literal["higher", "lower"]]] = dict.fromkeys(
        ("found", "macro_recall", "worst_recall"), "higher"
    )

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, float | None]:
        """`types found macro_recall worst_recall`, and `recall:TYPE` of each type, each a float.

        `found` types have an alarm; `macro_recall` is the mean of their recalls, so that each type counts once
        however frequent it is. None where the data name no type.
        """
        kinds = recall_by(units, "type")
        return {
            **_figures(kinds, "types"),
            "worst_recall": _number(kinds["recall"].min()),
            **{f"recall:{kind}": recall for kind, recall in kinds.select("kind", "recall").iter_rows()},
        }


class TemplateSets:
    """Recall of each set of templates that anomalies consist of; see `Evaluator` and `NeedsKinds`."""

    needs_kinds = True
    columns = ("sets", "macro_recall", "largest_share")
    directions: ClassVar[Mapping[str, Literal["higher", "lower"]]] = dict.fromkeys(
        ("found", "macro_recall"), "higher"
    )

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, float | None]:
        """`sets found macro_recall largest_share`, each a float.

        Anomalies of one set have the same templates, in whatever order and number. `found` sets have an alarm;
        `macro_recall` is the mean of their recalls; `largest_share` is the share of the anomalies that are of the
        most frequent set: a model that knows this one alone has that recall. None where sets are not known.
        """
        kinds = recall_by(units, "template_set")
        share = float(kinds["weight"][0]) / float(kinds["weight"].sum()) if len(kinds) else None
        return {**_figures(kinds, "sets"), "largest_share": share}


def _figures(kinds: pl.DataFrame, name: str) -> dict[str, float | None]:
    if not len(kinds):
        return dict.fromkeys((name, "found", "macro_recall"))
    return {
        name: float(len(kinds)),
        "found": float((kinds["recall"] > 0).sum()),
        "macro_recall": _number(kinds["recall"].mean()),
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
