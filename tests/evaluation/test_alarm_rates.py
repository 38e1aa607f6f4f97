"""A threshold by a rate or budget of alarms: the lowest score under which no more of the known units alarm."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbench.base.errors import IncompatibleError
from logbench.evaluation.alarm_rates import AlarmRate, threshold_by

SCORES = st.lists(st.sampled_from([0.0, 1.0, 2.5, 7.0, float("inf")]), min_size=1, max_size=40)


def known(scores: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"score": scores, "weight": 1.0, "units": 1}, schema_overrides={"score": pl.Float64})


@given(scores=SCORES, rate=st.sampled_from([0.001, 0.05, 0.1, 0.3, 1.0]))
def test_it_is_the_lowest_that_a_loop_finds(scores: list[float], rate: float) -> None:
    found = threshold_by(AlarmRate(rate=rate), known(scores), None, "unit").value
    fits = [one for one in sorted(set(scores)) if sum(s > one for s in scores) <= rate * len(scores) + 1e-9]
    assert found == fits[0]


@given(scores=SCORES, budget=st.sampled_from([1.0, 20.0, 500.0]), a_day=st.sampled_from([10.0, 400.0]))
def test_a_budget_is_kept_by_the_known_units(scores: list[float], budget: float, a_day: float) -> None:
    found = threshold_by(AlarmRate(budget=budget), known(scores), a_day, "unit").value
    assert sum(score > found for score in scores) / len(scores) * a_day <= budget + 1e-9


def test_ties_and_too_few_units_are_told() -> None:
    frame = pl.DataFrame({"score": [9.0, 5.0, 1.0], "weight": [1.0, 9.0, 90.0], "units": [1, 9, 90]})
    chosen = threshold_by(AlarmRate(rate=0.02), frame, None, "held-out unit")
    assert chosen.value == 5.0
    assert chosen.said == (
        "1% of 100 held-out units score above 5 (2% asked)",
        "9 held-out units score exactly 5: as ties they do not alarm (10% would with them)",
    )
    assert threshold_by(AlarmRate(rate=0.1), frame, None, "unit").value == 1.0, "10% is not more than 10%"
    assert "at least 1,000 are needed" in threshold_by(AlarmRate(rate=0.001), frame, None, "unit").said[-1]
    assert threshold_by(AlarmRate(budget=20), frame, 1000, "unit").said[0] == (
        "20 alarms a day of 1,000 units a day are a rate of 2%"
    )


def test_what_cannot_be_found_is_said() -> None:
    with pytest.raises(IncompatibleError, match="needs lines with times"):
        threshold_by(AlarmRate(budget=20), known([1.0]), None, "unit")
    with pytest.raises(IncompatibleError, match="there are none; give a --threshold"):
        threshold_by(AlarmRate(rate=0.1), known([]), None, "unit")
    assert threshold_by(AlarmRate(threshold=3.0), known([]), None, "unit").value == 3.0
