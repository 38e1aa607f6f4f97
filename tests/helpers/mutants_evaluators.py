"""Wrong evaluators: see `mutants`."""

from __future__ import annotations

from typing import Any

import polars as pl
from broken import Evaluator, instead, metrics


def alarms(units: pl.DataFrame) -> float:
    return float(units.filter("verdict")["weight"].sum())


class Summing(Evaluator):
    """Alarms of all that it was ever asked of."""

    total = 0.0

    def evaluate(self, units: pl.DataFrame) -> Any:
        self.total += alarms(units)
        return {"alarms": self.total}


class Named(Evaluator):
    """Looks for the name of a unit, which events do not have."""

    of_units = True

    def evaluate(self, units: pl.DataFrame) -> Any:
        return {"alarms": alarms(units.unique("unit", maintain_order=True)) if "unit" in units.columns else None,
                "names": units["unit"].n_unique()}  # fmt: skip


def rates(units: pl.DataFrame, alarm: pl.Expr) -> tuple[float | None, float | None]:
    """Precision and recall."""
    some = units.select(alarm=alarm, anomaly=pl.col("label") == 1, weight="weight")
    chosen = (pl.col("alarm") & pl.col("anomaly"), pl.col("alarm"), pl.col("anomaly"))
    tp, alarmed, anomalies = (float(some.filter(which)["weight"].sum()) for which in chosen)
    return tp / alarmed if alarmed else None, tp / anomalies if anomalies else None


def exchanged(units: pl.DataFrame) -> Any:
    recall, precision = rates(units, pl.col("verdict"))
    return {"precision": precision, "recall": recall}


ADVISED: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "alarms above a half": (
        "scale", instead("evaluator", directions={}, evaluate=lambda self, units: {
            "half": rates(units, pl.col("score") > 0.5)[1]}), {}),
}  # fmt: skip

EVALUATORS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "counts units of some name": (
        "names", metrics(lambda u: {"alarms": alarms(u.filter(pl.col("unit").str.starts_with("u1")))}), {}),
    "goes by the place in the log": (
        "names", metrics(lambda u: {"alarms": alarms(u.filter(pl.col("index") < 30))}), {}),
    "goes by the number of a sequence": (
        "names", metrics(lambda u: {"alarms": alarms(u.filter(pl.col("sequence") > 9))}), {}),
    "goes by the raw score": (
        "judged", metrics(lambda u: {"alarms": float(u.filter(pl.col("raw") > 0.5)["weight"].sum())}), {}),
    "sums up every number": (
        "judged", metrics(lambda u: {"alarms": sum(u.select(pl.col(pl.Float64).sum()).row(0))}), {}),
    "takes precision for recall": (
        "meaning", instead("evaluator", directions={}, evaluate=lambda self, units: exchanged(units)), {}),
    "leaves weights out of a count": (
        "meaning", instead("evaluator", directions={}, evaluate=lambda self, units: {
            "tp": float(units.filter(pl.col("verdict") & (pl.col("label") == 1)).height * 2)}), {}),
    "adds up over calls": ("again", Summing, {}),
    "judges the first thousand": ("large", metrics(lambda u: {"alarms": alarms(u.head(1000))}), {}),
    "needs names, which events do not have": ("events", Named, {}),
    "needs the times of units": (
        "untimed", metrics(lambda u: {"seconds": float((u["last_time"] - u["first_time"]).mean() / 1e6)}), {}),
    "needs labels of lines": (
        "untimed", metrics(lambda u: {"first": float(u["first_anomalous"].mean())}), {}),
    "shows a metric that it does not give": (
        "columns", instead("evaluator", columns=("alarms", "alrams")), {}),
    "shows a metric twice": ("columns", instead("evaluator", columns=("alarms", "alarms")), {}),
    "takes inverted verdicts for better": (
        "directions", instead("evaluator", directions={"alarms": "higher"}), {}),
}  # fmt: skip
