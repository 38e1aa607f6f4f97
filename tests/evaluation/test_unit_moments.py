"""Evaluators see when units happened and where the first anomalous line is: by loops, in `run` and `rescore`."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from labelled_log import EPOCH, Row, registry, run_one, write

import logbench
from logbench import EvaluatorComponent, Sessions, testing
from logbench.data.scores import MOMENTS
from logbench.evaluation.unit_moments import moments_of, with_moments
from logbench.running import records
from logbench.studies.rescore import rescore


def by_hand(units: list[list[tuple[int, int]]]) -> list[tuple[int | None, ...]]:
    """Of units of (label, time): earliest, latest, place and time of the first anomalous line."""
    found: list[tuple[int | None, ...]] = []
    for unit in units:
        times, place = [time for _, time in unit], [at for at, (label, _) in enumerate(unit) if label == 1]
        anomalous = (place[0], times[place[0]]) if place else (None, None)
        found.append((min(times) if times else None, max(times) if times else None, *anomalous))
    return found


@given(st.lists(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(-9, 99)), max_size=5), min_size=1),
       st.randoms())  # fmt: skip
def test_moments_are_those_of_a_loop(units: list[list[tuple[int, int]]], rng: Any) -> None:
    flat = [event for unit in units for event in unit]
    columns = {
        "times": np.array([time for _, time in flat], dtype=np.int64),
        "line_labels": np.array([label for label, _ in flat], dtype=np.int8),
    }
    keys = [[0] * len(unit) for unit in units]
    asked = np.array(rng.sample(range(len(units)), rng.randint(1, len(units))), dtype=np.int64)
    wanted = by_hand([units[at] for at in asked])
    frame = pl.DataFrame(moments_of(Sessions.of(keys, 1, **columns), asked))
    assert frame.columns == list(MOMENTS) and set(frame.dtypes) == {pl.Int64()} and frame.rows() == wanted
    untimed = pl.DataFrame(moments_of(Sessions.of(keys, 1, line_labels=columns["line_labels"]), asked))
    assert untimed.rows() == [(None, None, place, None) for *_, place, _ in wanted]
    unlabelled = pl.DataFrame(moments_of(Sessions.of(keys, 1, times=columns["times"]), asked))
    assert unlabelled.rows() == [(first, last, None, None) for first, last, *_ in wanted]


class Sees:
    """Keeps every frame that it is given."""

    of_units = True

    def __init__(self) -> None:
        self.frames: list[pl.DataFrame] = []

    def evaluate(self, units: pl.DataFrame) -> dict[str, float]:
        self.frames.append(units)
        return {"units": float(len(units))}


def labelled_rows() -> list[Row]:
    """Ninety lines, ten apart; in the last third two windows of five are anomalous, from their places 1 and 4."""
    return [(f"step {at % 5}", int(at in (71, 73, 84)), 10 * at, "n") for at in range(90)]


def test_a_run_and_a_rescored_run_see_the_same(tmp_path: Path) -> None:
    seen = Sees()
    found = registry(evaluators=[EvaluatorComponent("sees", lambda: seen)])
    settings = {"protocol": {"train_ratio": 0.5}, "count": {"size": 5, "stride": 5}}
    record = run_one(write(tmp_path / "log", labelled_rows()), found, "length", settings, evaluators=("sees",))
    assert record.status == "ok", record.error
    frame = seen.frames[0]
    zero = int(EPOCH.replace(tzinfo=UTC).timestamp()) * 10**6
    by_window = [list(range(at, at + 5)) for at in range(45, 90, 5)]
    expected = by_hand([[(row[1], zero + row[2] * 10**6) for row in map(labelled_rows().__getitem__, window)]
                        for window in by_window])  # fmt: skip
    assert frame.select(MOMENTS).rows() == expected
    assert [place for *_, place, _ in expected if place is not None] == [1, 4]
    seen.frames.clear()
    rescore(record.as_dict(), tmp_path / "runs", {}, ("sees",), found, "")
    assert seen.frames[0].select(MOMENTS).rows() == expected


def test_single_events_have_no_times_and_are_themselves_the_first_anomalous_line(tmp_path: Path) -> None:
    seen = Sees()
    found = registry(evaluators=[EvaluatorComponent("sees", lambda: seen)])
    settings = {"protocol": {"train_ratio": 0.5}, "count": {"size": 5, "stride": 5}}
    record = run_one(write(tmp_path / "log", labelled_rows()), found, "new-event", settings, evaluators=("sees",))
    assert "event" in record.metrics
    events = next(frame for frame in seen.frames if "unit" not in frame.columns)
    assert events.select(MOMENTS[:2]).null_count().row(0) == (len(events), len(events))
    assert events["first_anomalous"].to_list() == [0 if label == 1 else None for label in events["label"]]
    assert set(events["label"]) == {0, 1} and events["first_anomalous_time"].null_count() == len(events)


def test_scores_of_before_there_were_such_columns_have_them_null(tmp_path: Path) -> None:
    seen, small = Sees(), {"dataset": {"blocks": 300}, "protocol": {"train_units": 100}}
    seen.of_units = False  # as `classification` is
    found = testing.registry(evaluators=[EvaluatorComponent("sees", lambda: seen)])
    (record,) = logbench.run("length", dataset="hdfs-sim", out=tmp_path, settings=small, registry=found)
    old = record.as_dict()
    scores = records.scores(old, tmp_path)
    assert scores["first_time"].null_count() == 0 and scores["first_anomalous"].null_count() == len(scores)
    scores.drop(MOMENTS).write_parquet(tmp_path / old["artifacts"]["scores"])
    old["checksums"] = {}
    rescore(old, tmp_path, {}, ("sees",), found, "")
    for frame in seen.frames:
        assert frame.select(MOMENTS).null_count().row(0) == (len(frame),) * 4
        assert set(frame.select(MOMENTS).dtypes) == {pl.Int64()}
    assert with_moments(seen.frames[0]).equals(seen.frames[0])
