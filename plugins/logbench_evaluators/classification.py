"""Metrics of verdicts and of rankings, weighted, by scikit-learn on aggregated counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from sklearn.metrics import (
    average_precision_score,
    matthews_corrcoef,
    precision_recall_fscore_support,
    roc_auc_score,
)


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
        weights = np.array([cells["tp"], cells["fp"], cells["tn"], cells["fn"]])
        truth, verdict = [1, 0, 0, 1], [1, 1, 0, 0]
        precision, recall, f1, _ = precision_recall_fscore_support(
            truth, verdict, sample_weight=weights, average="binary", zero_division=0.0
        )
        positive = cells["tp"] + cells["fn"]
        both = 0 < positive < weights.sum()
        return {
            **cells,
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "mcc": float(matthews_corrcoef(truth, verdict, sample_weight=weights)) if both else None,
            **(_ranking(units) if both else {"auroc": None, "auprc": None}),
            "prevalence": float(positive / weights.sum()),
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


def _ranking(units: pl.DataFrame) -> dict[str, float]:
    """AUROC and AUPRC (average precision) on dense ranks, so that infinite scores are only first or last."""
    ranked = units.group_by(rank=pl.col("score").rank("dense"), label="label").agg(pl.col("weight").sum())
    truth, rank, weight = (ranked[name].to_numpy() for name in ("label", "rank", "weight"))
    return {
        "auroc": float(roc_auc_score(truth, rank, sample_weight=weight)),
        "auprc": float(average_precision_score(truth, rank, sample_weight=weight)),
    }
