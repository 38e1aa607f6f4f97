"""Times between events against a loop over pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from baseline_units import KEYS, shared, timed
from hypothesis import given
from hypothesis import strategies as st

from logbench import Context, IncompatibleError, Sessions
from logbench_baselines.timing import Timing

timed_units = st.lists(
    st.lists(st.tuples(st.integers(0, KEYS), st.integers(-2, 5)), min_size=1, max_size=6), min_size=1, max_size=6
)


def gaps(unit: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    for (a, _), (b, gap) in pairwise(unit):
        yield a, b, gap


@given(timed_units, timed_units)
@shared
@pytest.mark.usefixtures("block")
def test_timing_counts_pairs_outside_their_range(train: Any, test: Any) -> None:
    seen: dict[tuple[int, int], list[int]] = {}
    for a, b, gap in (found for unit in train for found in gaps(unit)):
        seen.setdefault((a, b), []).append(gap)
    model = Timing()
    model.fit(timed(train), Context())
    scores = model.score(timed(test), Context())
    assert scores.event is not None
    for at, unit in enumerate(test):
        out = [i for i, (a, b, gap) in enumerate(gaps(unit), 1)
               if (a, b) in seen and not min(seen[a, b]) <= gap <= max(seen[a, b])]  # fmt: skip
        assert scores.primary[at] == pytest.approx(len(out) / max(len(unit) - 1, 1))
        assert scores.event[at] == (out[0] if out else -1)


def test_timing_without_times_is_unfit() -> None:
    with pytest.raises(IncompatibleError, match="needs times"):
        Timing().fit(Sessions.of([(0, 1)], KEYS), Context())
