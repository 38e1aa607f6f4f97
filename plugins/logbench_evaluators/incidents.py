"""Whether incidents are found: anomalous units that follow each other are one, and so are alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import polars as pl

from .options import IncidentsOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # Places of units in order of time, the first and one after the last of each incident: int64 [incidents].
    Ranges = tuple[NDArray[np.int64], NDArray[np.int64]]

SECOND = 1_000_000
ADJUSTED = ("f1_units", "f1_point_adjusted", "f1_point_adjusted_random")
CAUTION = (
    "point-adjusted F1 calls a whole incident found by one alarm, so random alarms get "
    "f1_point_adjusted_random; compare by range_f1 or f1"
)


class Incidents:
    """Precision and recall of incidents and of ranges of units; see `Evaluator`."""

    in_time = True
    directions: ClassVar[Mapping[str, Literal["higher", "lower"]]] = {
        **dict.fromkeys(
            ("incident_recall", "incident_precision", "range_recall", "range_precision", "range_f1"), "higher"
        ),
        "false": "lower",
    }

    def __init__(self, options: IncidentsOptions) -> None:
        self.options = options
        ordinary = ("incident_recall", "incident_precision", "range_f1")
        self.columns = (*ordinary, *ADJUSTED) if options.point_adjusted else ordinary
        self.caution = CAUTION if options.point_adjusted else None

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, float | None]:
        """`incidents found incident_recall alarms false incident_precision` and `range_recall range_precision
        range_f1`, each a float.

        `incidents` and `alarms` count ranges of anomalous and of alarming units in order of their first lines;
        `found` incidents overlap an alarm, `false` alarms overlap no incident. The range metrics are those of
        Tatbul et al. (NeurIPS 2018, sections 4.1 and 4.2) with a flat bias: the mean share of an incident that
        alarms cover, and of an alarm that incidents cover.

        With `point_adjusted` also `f1_units`, `f1_point_adjusted`, and `f1_point_adjusted_random`: what alarms at
        random get that are as many. The adjusted figure is high without skill where incidents are long (Kim et
        al., AAAI 2022), so it has no direction and ranks nothing. None where units have no times.
        Of a class that is a sample the incidents are those of the sample.
        """
        if units["first_time"].null_count():
            return dict.fromkeys(self._names())
        # Units of one time in an order that hangs on nothing else.
        units = units.sort("first_time", "last_time", "label", "verdict")
        weight = np.concatenate([[0.0], np.cumsum(units["weight"].to_numpy())])
        real, alarms = (self._ranges(units, mask) for mask in (pl.col("label") == 1, pl.col("verdict")))
        covered, pieces = _overlap(real, alarms, weight)
        true, parts = _overlap(alarms, real, weight)
        existence = self.options.existence
        range_recall = _mean(existence * (covered > 0) + (1 - existence) * covered * self._factor(pieces))
        range_precision = _mean(true * self._factor(parts))
        return {
            "incidents": float(len(covered)),
            "found": float((covered > 0).sum()),
            "incident_recall": _mean(covered > 0),
            "alarms": float(len(true)),
            "false": float((true == 0).sum()),
            "incident_precision": _mean(true > 0),
            "range_recall": range_recall,
            "range_precision": range_precision,
            "range_f1": _harmonic(range_recall, range_precision),
            **(_adjusted(units, real) if self.options.point_adjusted else {}),
        }

    def _names(self) -> tuple[str, ...]:
        ranges = ("range_recall", "range_precision", "range_f1")
        counts = ("incidents", "found", "incident_recall", "alarms", "false", "incident_precision")
        return (*counts, *ranges, *(ADJUSTED if self.options.point_adjusted else ()))

    def _ranges(self, units: pl.DataFrame, mask: pl.Expr) -> Ranges:
        """Where incidents begin and end among units in order of time, of the units that the mask takes."""
        rows = (
            units.select(first=pl.col("first_time"), last=pl.col("last_time"), of=mask)
            .with_row_index("place")
            .filter("of")
        )
        place = rows["place"].to_numpy().astype(np.int64)
        if not len(place):
            return place, place
        if self.options.gap is None:
            apart = np.diff(place) > 1
        else:
            silent = rows["first"].to_numpy()[1:] - np.maximum.accumulate(rows["last"].to_numpy())[:-1]
            apart = silent > self.options.gap * SECOND
        begins = np.flatnonzero(np.concatenate([[True], apart]))
        return place[begins], place[np.concatenate([begins[1:], [len(place)]]) - 1] + 1

    def _factor(self, pieces: NDArray[np.int64]) -> NDArray[np.float64]:
        if self.options.fragments == "one":
            return np.ones(len(pieces))
        return 1 / np.maximum(pieces, 1)


def _overlap(of: Ranges, by: Ranges, weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The share of each range that others cover, and how many of them do; ranges of one kind do not overlap.

    Args:
        weight: sum of the weights of the units before each place, [units + 1].
    """
    begin, end = of
    starts, stops = by
    sizes = np.concatenate([[0.0], np.cumsum(weight[stops] - weight[starts])])

    def before(places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weight below these places that `by` covers."""
        which = np.searchsorted(starts, places, side="right")
        beyond = np.concatenate([[0], stops])[which]
        return np.asarray(sizes[which] - np.maximum(weight[beyond] - weight[places], 0.0) * (which > 0))

    pieces = np.searchsorted(starts, end, side="left") - np.searchsorted(stops, begin, side="right")
    shares = (before(end) - before(begin)) / (weight[end] - weight[begin])
    return np.where(pieces > 0, shares, 0.0), pieces


def _adjusted(units: pl.DataFrame, real: Ranges) -> dict[str, float]:
    """F1 of units, after point adjustment, and what alarms at random of as many units are expected to get then."""
    weight, alarms = units["weight"].to_numpy(), units["verdict"].to_numpy()
    inside, adjusted, lucky = np.zeros(len(units), dtype=bool), alarms.copy(), 0.0
    share = float(weight[alarms].sum() / weight.sum())
    for first, last in zip(*real, strict=True):
        inside[first:last] = True
        adjusted[first:last] |= alarms[first:last].any()
        size = float(weight[first:last].sum())
        lucky += size * (1 - (1 - share) ** size)
    of_incidents = float(weight[inside].sum())
    called = lucky + share * float(weight[~inside].sum())
    return {
        "f1_units": _f1(units["label"].to_numpy() == 1, alarms, weight),
        "f1_point_adjusted": _f1(inside, adjusted, weight),
        "f1_point_adjusted_random": 2 * lucky / (called + of_incidents) if lucky else 0.0,
    }


def _f1(label: NDArray[np.bool_], verdict: NDArray[np.bool_], weight: NDArray[np.float64]) -> float:
    both = float(weight[label & verdict].sum())
    return 2 * both / float(weight[label].sum() + weight[verdict].sum()) if both else 0.0


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _harmonic(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return None
    return 2 * one * other / (one + other) if one + other else 0.0
