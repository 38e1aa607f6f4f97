"""Rate and time left of a study, computed by hand."""

from __future__ import annotations

import pytest

from logbench.studies.time_left import TimeLeft, clock_text


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_runs_are_expected_to_take_what_those_of_their_name_took() -> None:
    clock = Clock()
    left = TimeLeft(["slow", "fast", "slow", "fast", "new"], clock=clock)
    assert left.seconds() is None and str(left) == ""
    left.running([0])
    clock.now += 60
    left.ended(0, 60.0)
    assert left.seconds() == pytest.approx(4 * 60.0)
    left.running([1])
    clock.now += 10
    left.ended(1, 10.0)
    assert left.seconds() == pytest.approx(60 + 10 + 35)
    assert str(left) == ", 1.7 a minute, 1:45 left"  # two runs in 70 seconds
    left.running([2])
    clock.now += 20
    assert left.seconds() == pytest.approx(40 + 10 + 35)
    clock.now += 90  # longer than expected: nothing is left of it, but not less
    assert left.seconds() == pytest.approx(10 + 35)


def test_runs_side_by_side_share_what_is_left_and_those_taken_over_are_no_rate() -> None:
    clock = Clock()
    left = TimeLeft(["a"] * 6, jobs=2, clock=clock)
    left.ended(0, 30.0)
    assert left.seconds() == pytest.approx(75) and str(left) == ", 1:15 left"
    left.running([1, 2])
    clock.now += 30
    for number in (1, 2):
        left.ended(number, 30.0)
    assert str(left) == ", 4 a minute, 0:45 left"
    for number in (3, 4, 5):
        left.ended(number, 30.0)
    assert str(left) == "" and left.seconds() == 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (3600, "1:00:00"), (7325, "2:02:05")]
)
def test_how_time_is_written(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
