"""What one log shows without labels: silence, slow answers, what is new and what stays away for two windows."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from logbench.data.lines import Lines
from logbench.data.sessions import Sessions
from logbench.studies.durations import durations_of
from logbench.studies.surprise import Ranking, rank

TOLD = [
    ("response sent after 300 ms", 0.3),
    ("response sent after 1.5s", 1.5),
    ('{"msg": "done", "duration": "250us"}', 250e-6),
    ("level=info duration_ms=40 path=/a", 40.0),
    ('"{\\"elapsed\\": 12}"', 12.0),
    ("be/web1 0/0/1/20/25 200 9000 - - ----", 25.0),
    ('"GET / HTTP/1.1" 200 512 "-" "curl/8.5.0" 0.345', 0.345),
    ("started 3 workers", None),
    ("version 1.234 of app", None),
]


def test_durations_are_read_as_lines_tell_them() -> None:
    texts = [text for text, _ in TOLD]
    frame = pl.LazyFrame({"message": texts}).with_row_index("line")
    found = durations_of(Lines(frame))
    expected = [np.nan if value is None else value for _, value in TOLD]
    assert found.tolist() == pytest.approx(expected, nan_ok=True)


def units_of(keys: list[list[int]], seconds: list[list[float]] | None = None) -> Sessions:
    made = Sessions.of(keys, vocabulary=max(map(max, keys)) + 1)
    lines = np.arange(len(made.keys))
    times = None if seconds is None else (np.concatenate(seconds) * 1e6).astype(np.int64)
    return dataclasses.replace(made, lines=lines, times=times)


def first(ranking: Ranking) -> int:
    return int(np.argmax(ranking.scores))


def test_a_unit_whose_events_took_long_is_surprising_by_its_slowest_event() -> None:
    rng = np.random.default_rng(1)
    units = units_of([[0, 1] * 5 for _ in range(100)])
    told = np.where(units.keys == 0, rng.lognormal(-2, 0.5, 1000), np.nan)
    told[700:710] *= 20  # the unit 70
    told[704] *= 3
    ranking = rank(units, False, told)
    assert first(ranking) == 70
    assert [(one.what, one.event) for one in ranking.reasons[70]] == [("slow", 704)]
    assert rank(units, False, np.full(1000, np.nan)).scores.max() == 0


def test_silence_between_windows_is_a_reason_of_the_one_after_it() -> None:
    rng = np.random.default_rng(2)
    seconds = [np.sort(rng.random(20) * 60 + 60 * k).tolist() for k in range(100)]
    seconds[40] = [seconds[40][0]]
    ranking = rank(units_of([[0] * len(some) for some in seconds], seconds), False)
    assert {one.what for one in ranking.reasons[40]} >= {"few"}
    assert "pace" in {one.what for unit in (40, 41) for one in ranking.reasons[unit]}
    assert first(ranking) in (40, 41)


def test_what_two_windows_in_a_row_lack_is_seen_where_every_other_one_lacks_it() -> None:
    usual = [[0, 0, 1] if k % 2 else [0, 0] for k in range(200)]  # a beat every two windows
    usual[101] = [0, 0]
    ranking = rank(units_of(usual), False)
    twice = {unit for unit in range(200) for one in ranking.reasons[unit] if one.what == "absent twice"}
    assert twice == {100, 101, 102}
    assert ranking.scores[50] == 0


def test_a_key_that_is_new_goes_before_a_count_of_the_same_surprise() -> None:
    usual = [[0] * 4 for _ in range(100)]
    usual[30] = [*usual[30], 1]
    alone = rank(units_of(usual), False).scores[30]
    for k in range(1, 100, 15):
        usual[k] = [*usual[k], 2 + k]  # where many units have such a key, it is less worth
    assert rank(units_of(usual), False).scores[30] == pytest.approx(alone - 1.5)
