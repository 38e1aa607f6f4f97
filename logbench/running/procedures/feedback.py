"""Labels of a stream, kept by the harness: it tells those of a few alarms, once they are due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Told:
    """What a model may learn from after a slice, one entry a unit, in the order of learning.

    Attributes:
        units: int64 [entries]. verdicts: bool [entries].
        labels: int8 [entries], 0 or 1 where the label is told, −1 where it is not.
    """

    units: NDArray[np.int64]
    verdicts: NDArray[np.bool_]
    labels: NDArray[np.int8]

    @property
    def labelled(self) -> NDArray[np.int64]:
        """Units whose label is told."""
        return self.units[self.labels >= 0]


class Feedback:
    """Takes the units of each tested slice, and says what may be learned from them.

    After a slice the labels of at most `budget` alarms are asked for, the highest scores first, of equal ones the
    earlier. A label is due when `delay` more units of the stream were tested. Each unit comes once: with its label
    when that is due, or without one after its slice.

    Args:
        labels: int8, label of each unit of the data, −1 unknown. Nobody is asked for an unknown one.
        budget: labels a slice. delay: units.
    """

    def __init__(self, labels: NDArray[np.int8], budget: int, delay: int) -> None:
        self._labels, self._budget, self._delay = labels, budget, delay
        self._tested = 0
        self._waiting: list[tuple[int, int]] = []  # when it is due, and the unit

    @property
    def waiting(self) -> int:
        """Labels asked for that are not due yet."""
        return len(self._waiting)

    def after(
        self,
        units: NDArray[np.int64],
        scored: NDArray[np.bool_],
        verdicts: NDArray[np.bool_],
        scores: NDArray[np.float64],
    ) -> tuple[Told, int]:
        """What may be learned after a slice, and for how many of its alarms the label is asked.

        Args:
            units: int64 [units], the slice, in order of time.
            scored: whether the model scored it, bool [units]; what it did not score is left out.
            verdicts: bool [units]. scores: float64 [units], NaN where there is none.
        """
        asked = self._asked(units, scored & verdicts, scores)
        due = self._tested + np.arange(len(units)) + np.where(asked, self._delay, 0)
        self._tested += len(units)
        now = scored & ~asked
        entries = [(int(at), int(unit), bool(verdict), -1) for at, unit, verdict in
                   zip(due[now], units[now], verdicts[now], strict=True)]  # fmt: skip
        self._waiting += [(int(at), int(unit)) for at, unit in zip(due[asked], units[asked], strict=True)]
        ready = [one for one in self._waiting if one[0] < self._tested]
        self._waiting = [one for one in self._waiting if one[0] >= self._tested]
        entries += [(at, unit, True, int(self._labels[unit])) for at, unit in ready]
        entries.sort(key=lambda entry: entry[0])
        told = Told(
            np.array([unit for _, unit, _, _ in entries], dtype=np.int64),
            np.array([verdict for _, _, verdict, _ in entries], dtype=bool),
            np.array([label for _, _, _, label in entries], dtype=np.int8),
        )
        return told, int(asked.sum())

    def _asked(
        self, units: NDArray[np.int64], alarms: NDArray[np.bool_], scores: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """The alarms whose label is asked for, bool [units]."""
        known = np.flatnonzero(alarms & (self._labels[units] >= 0))
        first = known[np.argsort(-scores[known], kind="stable")][: self._budget]
        asked = np.zeros(len(units), dtype=bool)
        asked[first] = True
        return asked
