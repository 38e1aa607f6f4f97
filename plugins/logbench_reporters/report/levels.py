"""What a threshold does at every level: alarms right and wrong, and how many units score between two levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Levels:
    """Thresholds with what they decide, ascending; a unit alarms where its score is above, or a rule says so.

    Attributes:
        values: float64 [levels], the thresholds, from −∞, where all that score above it alarm, to the
            highest score of all.
        tp, fp: float64 [levels], weight of anomalies and of normal units that alarm.
        anomalies, normal: weight of all of them.
    """

    values: NDArray[np.float64]
    tp: NDArray[np.float64]
    fp: NDArray[np.float64]
    anomalies: float
    normal: float

    @classmethod
    def of(cls, units: pl.DataFrame) -> Levels:
        """Of every score that occurs, and −∞ below them.

        Args:
            units: `score` (Float64), `label` (0 or 1), `weight`, `flagged` (Boolean).
        """
        import numpy as np

        score, weight = units["score"].to_numpy(), units["weight"].cast(float).to_numpy()
        anomaly, flagged = (units["label"] == 1).to_numpy(), units["flagged"].to_numpy()
        values, place = np.unique(np.append(score, -np.inf), return_inverse=True)
        place = place[:-1]

        def alarms(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
            graded = np.bincount(place, weights=weight * (chosen & ~flagged), minlength=len(values))
            above = graded[::-1].cumsum()[::-1] - graded
            return np.asarray(above + float((weight * (chosen & flagged)).sum()))

        return cls(
            values, alarms(anomaly), alarms(~anomaly), *(float(weight[a].sum()) for a in (anomaly, ~anomaly))
        )

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of the alarms that are right; 1 where nothing alarms."""
        import numpy as np

        alarms = self.tp + self.fp
        return np.divide(self.tp, alarms, out=np.ones_like(alarms), where=alarms > 0)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of the anomalies that alarm; 0 where there is none."""
        share: NDArray[np.float64] = self.tp / (self.anomalies or 1.0)
        return share

    @property
    def f1(self) -> NDArray[np.float64]:
        """F1 at each level."""
        total = self.tp + self.fp + self.anomalies
        f1: NDArray[np.float64] = 2 * self.tp / (total + (total == 0))
        return f1

    @property
    def oracle(self) -> float:
        """The threshold with the best F1 on these labels, to compare with alone; of equal ones the highest."""
        best = self.f1[::-1].argmax()
        return float(self.values[len(self.values) - 1 - int(best)])

    def at(self, threshold: float) -> int:
        """The level that decides as a threshold does; −1: there is none (NaN)."""
        if isnan(threshold):
            return -1
        return int(self.values.searchsorted(threshold, side="right")) - 1

    def thinned(self, most: int, keep: Iterable[float] = ()) -> Levels:
        """At most about `most` levels: even in value and in rank, and those that decide as each of `keep` does."""
        import numpy as np

        count = len(self.values)
        if count <= most:
            return self
        finite = np.flatnonzero(np.isfinite(self.values))
        by_rank = np.linspace(0, count - 1, most // 2).round().astype(int)
        steps = np.linspace(self.values[finite[0]], self.values[finite[-1]], most // 2)
        by_value = self.values.searchsorted(steps, side="right") - 1
        kept = [self.at(value) for value in keep]
        chosen = np.unique([0, count - 1, finite[-1], *by_rank, *by_value, *(at for at in kept if at >= 0)])
        return Levels(self.values[chosen], self.tp[chosen], self.fp[chosen], self.anomalies, self.normal)


def labels_of(values: Sequence[float]) -> list[str]:
    """Texts of levels, as short as tells them apart."""
    for digits in (3, 4, 6, 9, 17):
        texts = [_text(value, digits) for value in values]
        if len(set(texts)) == len(texts):
            return texts
    return texts


def _text(value: float, digits: int) -> str:
    return f"{value:.{digits}g}".replace("-inf", "−∞").replace("inf", "∞").replace("-", "−")


def binned(scores: pl.Series, weight: pl.Series, levels: Any) -> list[float]:
    """Weight of the scores above each level's predecessor and up to it; what is above the last counts there."""
    import numpy as np

    at = np.minimum(np.searchsorted(levels, scores.to_numpy(), side="left"), len(levels) - 1)
    counts = np.bincount(at, weights=weight.cast(float).to_numpy(), minlength=len(levels))
    return [round(float(one), 6) for one in counts]
