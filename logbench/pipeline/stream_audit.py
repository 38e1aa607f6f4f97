"""Prove in each run that no unit trains before it is tested, and that no label comes from the future."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..api.record_split import StreamAudit
from ..base.errors import LeakError
from ..data.per_unit import events_of_units
from .grouping import GroupedLines
from .split import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TestThenTrain:
    """A ledger of the units of a stream: whatever is learned from one must come after its test.

    Args:
        grouped: all units. split: their sides.
        delay: units that must be tested after a unit, itself not counted, until its label may be told.
    """

    __test__ = False  # no class of tests, for pytest

    def __init__(self, grouped: GroupedLines, split: Split, delay: int) -> None:
        self._names, self._delay = grouped.units["unit"], delay
        self._last = grouped.units["last_line"].to_numpy()
        self._grouped = grouped
        self._trains = np.zeros(len(grouped), dtype=bool)
        self._trains[np.concatenate([split.train, split.held_out])] = True
        self._place = np.full(len(grouped), -1)
        self._learned = np.zeros(len(grouped), dtype=bool)
        self._known = np.zeros(len(grouped.messages), dtype=bool)
        self._tested, self._told, self._ended = 0, 0, -1

    def test(self, units: NDArray[np.int64]) -> None:
        """Note that these units, in order of time, are tested now.

        Raises:
            LeakError: one of them trained, was tested before, or ended before one that was.
        """
        for wrong, what in (
            (self._learned[units] | self._trains[units], "trained before it was tested"),
            (self._place[units] >= 0, "is tested twice"),
            (self._last[units] < self._ended, "is tested after a unit that ended later"),
        ):
            self._refuse(units, wrong, what)
        self._place[units] = self._tested + np.arange(len(units))
        self._tested += len(units)
        self._ended = max(self._ended, int(self._last[units].max(initial=-1)))
        events, _ = events_of_units(self._grouped.offsets, units)
        self._known[self._grouped.codes[events]] = True

    def learn(self, units: NDArray[np.int64]) -> None:
        """Note that something is learned from these units, without their labels.

        Raises:
            LeakError: one of them neither is of the training nor was tested.
        """
        self._refuse(units, (self._place[units] < 0) & ~self._trains[units], "trains before it was tested")
        self._learned[units] = True

    def parse(self, messages: NDArray[np.int64]) -> None:
        """Note that a parser learns these messages.

        Raises:
            LeakError: no tested unit holds one of them.
        """
        if len(wrong := messages[~self._known[messages]]):
            text = self._grouped.messages[int(wrong[0])]
            raise LeakError(f"the parser learned a message that no tested unit holds: {text[:80]}")

    def tell(self, units: NDArray[np.int64]) -> None:
        """Note that the labels of these units are told.

        Raises:
            LeakError: one of them was not tested, or not `delay` units ago.
        """
        late = self._place[units] + self._delay >= self._tested
        self._refuse(units, (self._place[units] < 0) | late, "has a label that is told too early")
        self._told += len(units)

    def facts(self) -> StreamAudit:
        """For the record's `audit`."""
        return {
            "tested": self._tested,
            "learned": int((self._learned & (self._place >= 0)).sum()),
            "told": self._told,
            "order": "last lines",
        }

    def _refuse(self, units: NDArray[np.int64], wrong: NDArray[np.bool_], what: str) -> None:
        if wrong.any():
            raise LeakError(f"unit {self._names[int(units[wrong.argmax()])]} {what}")
