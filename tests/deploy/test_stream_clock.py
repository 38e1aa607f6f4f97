"""How far a stream has come: by steps of the clocks in it, whatever a host, a night or one line shows."""

from __future__ import annotations

import random

import pytest

from logbench.deploy.stream_clock import StreamClock


def true_times(count: int = 400, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    now, times = 1_700_000_000.0, []
    for _ in range(count):
        now += rng.random() * 10
        times.append(now)
    return times


def come(stamps: list[float | None]) -> list[float]:
    return StreamClock().read(stamps)


def test_one_clock_is_followed_as_it_goes() -> None:
    times = true_times()
    assert come(list(times)) == pytest.approx([time - times[0] for time in times])


@pytest.mark.parametrize("behind", [-900.0, 900.0, -20.0, 7200.0])
def test_a_host_whose_clock_is_off_moves_nothing_on(behind: float) -> None:
    times, rng = true_times(), random.Random(2)
    stamps: list[float | None] = [time + behind * (rng.random() < 0.5) for time in times]
    found = come(stamps)
    for at, time in enumerate(times):
        assert -abs(behind) * (abs(behind) < 300) - 60 <= found[at] - (time - times[0]) <= 60


@pytest.mark.parametrize("shift", [3600.0, -3600.0, -365 * 86_400.0])
def test_summer_time_and_a_year_set_back_are_no_silence(shift: float) -> None:
    times = true_times()
    found = come([time + shift * (at >= 200) for at, time in enumerate(times)])
    assert found[-1] == pytest.approx(times[-1] - times[0], abs=30)


def test_one_line_from_the_future_is_alone_with_it() -> None:
    times: list[float | None] = list(true_times())
    without = come(times)
    found = come([*times[:100], 2_000_000_000.0, *times[100:]])
    assert [*found[:100], *found[101:]] == pytest.approx(without, abs=30)


def test_a_real_silence_is_told_after_a_few_lines_and_lines_without_time_take_none() -> None:
    times = true_times()
    stamps: list[float | None] = [time + 7000 * (at >= 200) for at, time in enumerate(times)]
    found = come(stamps)
    assert found[199] < 2000
    assert found[203] > 7000
    assert found[-1] == pytest.approx(times[-1] + 7000 - times[0], abs=60)
    assert come([None, 5.0, None, 8.0]) == [0.0, 0.0, 0.0, 3.0]
