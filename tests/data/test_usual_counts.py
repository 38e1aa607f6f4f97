"""What is unusual about a unit's counts, against counting by hand."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from logbench import Sessions
from logbench.data.usual_counts import MOST, RARE, UsualCounts

NAMES = {key: f"event {key}" for key in range(20)}


def by_hand(train: list[list[int]], unit: list[int]) -> list[tuple[float, int, int, int, int]]:
    """Distance, key, count and usual range of each count outside its range, the farthest first."""
    n, found = len(train), []
    for key in sorted({*unit, *(k for one in train for k in one)}):
        counts = sorted(one.count(key) for one in train)
        low = next(c for c in counts if sum(x <= c for x in counts) > RARE * n)
        high = next(c for c in counts if sum(x <= c for x in counts) >= n - RARE * n)
        c = unit.count(key)
        if c > high:
            beyond, extreme = sum(x >= c for x in counts), (c + 1) / (counts[-1] + 1)
        elif c < low:
            beyond, extreme = sum(x <= c for x in counts), (counts[0] + 1) / (c + 1)
        else:
            continue
        far = -math.log((beyond + 0.5) / (n + 1)) + math.log(max(extreme, 1))
        found.append((far, key, c, low, high))
    return sorted(found, key=lambda one: (-round(one[0], 9), one[1]))


def drawn(seed: int, units: int, keys: int) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [
        [key for key in range(keys) for _ in range(random.poisson(0.3 + key % 4))] or [0] for _ in range(units)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_reasons_are_those_found_by_hand(seed: int) -> None:
    train, asked = drawn(seed, 250, 8), [*drawn(seed + 100, 20, 8), [7] * 30, [11, 11, 0], [0]]
    usual = UsualCounts.of(Sessions.of(train, 8))
    for unit, said in zip(asked, usual.explained(Sessions.of(asked, 8), NAMES), strict=True):
        reasons = by_hand(train, unit)[:MOST]
        having = Counter(key for one in train for key in set(one))
        if not reasons:
            rarest = min(unit, key=lambda key: (having[key], unit.index(key)))
            assert said.why.startswith("each count is usual; the rarest, in ")
            assert said.why.endswith(f": event {rarest}") and said.events == [unit.index(rarest)]
            continue
        lines = said.why.split("\n")
        for line, (_, key, count, low, high) in zip(lines, reasons, strict=True):
            assert line.endswith(f": event {key}") and line.startswith(f"{count or 'none'}")
            if not having[key]:
                assert "never in training" in line
            elif high:
                assert f"usually {low}{'' if low == high else f'–{high}'}:" in line
            else:
                assert "% of training units:" in line
        there = [unit.index(key) for _, key, count, _, _ in reasons if count]
        if there:
            assert said.events == there


def test_a_usual_range_is_what_nearly_all_units_have() -> None:
    train = [[0, 0]] * 99 + [[0, 0, 0], [0] * 9] + [[0]] * 99
    said = UsualCounts.of(Sessions.of(train, 1)).explained(Sessions.of([[0] * 7], 1), NAMES)
    assert said[0].why == "7 against usually 1–3: event 0"


def test_the_key_of_the_deciding_event_is_said_first() -> None:
    train = [[0, 1, 2]] * 100
    unit = Sessions.of([[0, 0, 0, 0, 0, 0, 1, 1]], 3)
    usual = UsualCounts.of(Sessions.of(train, 3))
    assert usual.explained(unit, NAMES)[0].why.split("\n")[0] == "6 against usually 1: event 0"
    assert usual.explained(unit, NAMES, np.array([7]))[0].why.split("\n")[0] == "2 against usually 1: event 1"
    assert usual.explained(unit, NAMES, np.array([7]))[0].events == [6, 0]


def test_an_empty_unit_lacks_what_all_have() -> None:
    usual = UsualCounts.of(Sessions.of([[0]] * 50, 1))
    (said,) = usual.explained(Sessions.of([[]], 1), NAMES)
    assert said.why == "none against usually 1: event 0" and not said.events
