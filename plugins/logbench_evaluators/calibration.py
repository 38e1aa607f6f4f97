"""Whether scores that are probabilities are right as such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import polars as pl

from .options import CalibrationOptions


class Calibration:
    """Brier score and expected calibration error; None where scores are no probabilities; see `Evaluator`."""

    columns = ("brier", "ece")
    directions: ClassVar[Mapping[str, Literal["higher", "lower"]]] = {
        **dict.fromkeys(("brier", "ece"), "lower"),
        "skill": "higher",
    }

    def __init__(self, options: CalibrationOptions) -> None:
        self.options = options

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, float | None]:
        """`brier skill ece`, each a float; None where a score is below 0 or above 1.

        `brier` is the mean squared distance of score and label (Brier, Monthly Weather Review 1950); `skill` is
        1 minus its ratio to that of a forecast that always says the share of anomalies, so 0 is of no use; `ece`
        is the mean distance of the mean score and the share of anomalies in a bin (Naeini et al., AAAI 2015).
        Scores between 0 and 1 need not be meant as probabilities: read these of models that say so.
        """
        if not units.select(pl.col("score").is_between(0, 1).all()).item():
            return dict.fromkeys(("brier", "skill", "ece"))
        score, label, weight = pl.col("score"), pl.col("label").cast(pl.Float64), pl.col("weight")
        total = float(units["weight"].sum())
        share, brier = units.select(
            (label * weight).sum() / total, ((score - label) ** 2 * weight).sum() / total
        ).row(0)
        bins = self.options.bins
        number = (score * bins).floor().clip(0, bins - 1)
        off = units.group_by(bin=number).agg(distance=((score - label) * weight).sum().abs())["distance"]
        useless = share * (1 - share)
        return {"brier": brier, "skill": 1 - brier / useless if useless else None, "ece": float(off.sum()) / total}
