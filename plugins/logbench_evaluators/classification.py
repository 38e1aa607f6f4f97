"""Metrics of verdicts and of rankings, weighted, on aggregated counts; those of scikit-learn load slowly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import polars as pl

from .steps import steps


class Classification:
    """The field's metrics of labelled units; see `Evaluator.evaluate`."""

    of_units = True
    columns = ("f1", "precision", "recall", "mcc", "auroc", "auprc")
    # Fewer errors are better; `tp`, `tn` and `prevalence` depend as much on the data, so have no direction.
    directions: ClassVar[Mapping[str, Literal["higher", "lower"]]] = {
        **dict.fromkeys(("precision", "recall", "f1", "mcc", "auroc", "auprc"), "higher"),
        **dict.fromkeys(("fp", "fn"), "lower"),
    }

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, float | None]:
        """`tp fp tn fn precision recall f1 mcc auroc auprc prevalence`, each a float.

        Counts are sums of weights. Precision, recall and F1 are 0 where they would divide by zero; AUROC,
        AUPRC and MCC are None where the units are all of one class.
        """
        cells = confusion(units)
        tp, fp, tn, fn = (cells[name] for name in ("tp", "fp", "tn", "fn"))
        positive, negative = tp + fn, fp + tn
        both = positive > 0 and negative > 0
        return {
            **cells,
            "precision": tp / (tp + fp) if tp else 0.0,
            "recall": tp / positive if tp else 0.0,
            "f1": 2 * tp / (2 * tp + fp + fn) if tp else 0.0,
            "mcc": _correlation(tp, fp, tn, fn) if both else None,
            **(_ranking(units, positive, negative) if both else {"auroc": None, "auprc": None}),
            "prevalence": positive / (positive + negative),
        }


def confusion(units: pl.DataFrame) -> dict[str, float]:
    """Weights of true and false alarms and non-alarms."""
    anomaly, alarm, weight = pl.col("label") == 1, pl.col("verdict"), pl.col("weight")
    return units.select(
        tp=weight.filter(anomaly & alarm).sum(),
        fp=weight.filter(~anomaly & alarm).sum(),
        tn=weight.filter(~anomaly & ~alarm).sum(),
        fn=weight.filter(anomaly & ~alarm).sum(),
    ).row(0, named=True)


def _correlation(tp: float, fp: float, tn: float, fn: float) -> float:
    """Matthews' correlation of label and verdict; 0 where all verdicts are equal."""
    alarms, silences = tp + fp, tn + fn
    if not (alarms and silences):
        return 0.0
    # Roots of two products, so that verdicts without an error give exactly 1.
    spread = math.sqrt(alarms * (tp + fn)) * math.sqrt(silences * (fp + tn))
    return max(-1.0, (tp * tn - fp * fn) / spread)


def _ranking(units: pl.DataFrame, positive: float, negative: float) -> dict[str, float]:
    """AUROC and AUPRC (average precision), ties in one step, so that infinite scores are only first or last.

    Args:
        positive, negative: weights of both classes, above 0.
    """
    ranked = steps(units)
    hits, false = ranked["anomalies"].to_numpy(), ranked["normal"].to_numpy()
    all_hits, all_false = hits.cumsum(), false.cumsum()
    # Half of a step's own hits stand above its false alarms.
    above = (false * (all_hits - hits / 2)).sum()
    gained = hits > 0
    precision = all_hits[gained] / (all_hits[gained] + all_false[gained])
    return {
        "auroc": float(above / (positive * negative)),
        "auprc": float((hits[gained] / positive * precision).sum()),
    }
