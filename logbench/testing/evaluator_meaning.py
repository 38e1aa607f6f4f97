"""Rules for evaluators: metrics with well-known names follow their definitions, and scores have no scale."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

from . import material
from .evaluator import CLOSE, as_before, evaluate, usual
from .outcome import expect
from .rule import Subject, rule


@rule("evaluator", "meaning", "precision, recall, F1 and the like follow their definitions, with weights")
def meaning(subject: Subject) -> None:
    for units in (material.units(), material.units(60, 5)):
        known = _defined(units)
        for name, value in evaluate(subject, units).items():
            if value is None or name not in known:
                continue
            right = math.isclose(value, known[name], rel_tol=CLOSE, abs_tol=CLOSE)
            expect(right, f"{name} = {known[name]:.6g}, as it is defined, or another name", f"{value:.6g}")


def _defined(units: pl.DataFrame) -> Mapping[str, float]:
    weights = [
        float(units.filter((pl.col("label") == label) & (pl.col("verdict") == verdict))["weight"].sum())
        for label, verdict in ((1, True), (0, True), (1, False), (0, False))
    ]
    tp, fp, fn, tn = weights
    assert min(weights) > 0, "every metric of the material is defined"
    root = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return {
        "tp": tp, "fp": fp, "fn": fn, "tn": tn, "precision": tp / (tp + fp), "recall": tp / (tp + fn),
        "f1": 2 * tp / (2 * tp + fp + fn), "specificity": tn / (tn + fp), "accuracy": (tp + tn) / sum(weights),
        "prevalence": (tp + fn) / sum(weights), "mcc": (tp * tn - fp * fn) / root,
    }  # fmt: skip


@rule("evaluator", "scale", "scores have no scale: their order and the verdicts count", advises=True)
def scale(subject: Subject) -> None:
    others = material.units().with_columns(score=pl.col("score") * 3 + 7)
    as_before(
        usual(subject), evaluate(subject, others), "where scores are on another scale under the same verdicts"
    )
