"""Data in memory are a data set: frames of lines or key sequences, sessions, lists, with labels or without."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

import logbench
from logbench import ConfigError, RunRecord, Sessions

WORDS = ("open", "read", "write", "flush", "close", "panic")
DRAWN = random.Random(3)
SEQUENCES = [[0, 1, *(DRAWN.choice([2, 3]) for _ in range(DRAWN.randint(1, 5))), 4] for _ in range(300)]
LABELS = [int(at % 20 == 0) for at in range(300)]
for sequence, label in zip(SEQUENCES, LABELS, strict=True):
    if label:
        sequence += [5, 5]
UNITS = [f"u{at}" for at in range(300)]
KEYS = pl.DataFrame({"unit": UNITS, "keys": SEQUENCES, "label": LABELS})
LINES = pl.DataFrame(
    [
        {"unit": unit, "message": f"{WORDS[key]} block {7 * place}", "label": bool(label)}
        for unit, keys, label in zip(UNITS, SEQUENCES, LABELS, strict=True)
        for place, key in enumerate(keys)
    ]
)


def run(data: object, model: object = "markov", **options: Any) -> RunRecord:
    (record,) = logbench.run(model, dataset=data, **{"out": None, **options})
    assert record.status == "ok", record.error
    return record


def test_lines_keys_and_sessions_say_the_same() -> None:
    sessions = Sessions.of(SEQUENCES, labels=LABELS, ids=UNITS)
    made = [run(data) for data in (KEYS, sessions, LINES, LINES.lazy(), KEYS.reverse())]
    first = made[0].scores
    assert first["unit"].to_list() == UNITS[240:] and first["label"].to_list() == LABELS[240:]
    assert first["verdict"].to_list() == [bool(label) for label in LABELS[240:]]
    for other in made[1:4]:
        assert other.scores.equals(first)
    assert [record.dataset["sessions"] for record in made] == [300] * 5
    assert made[0].dataset["digest"] == made[1].dataset["digest"]
    assert len({record.dataset["digest"] for record in (made[0], made[2], made[4])}) == 3


def test_lists_have_no_labels() -> None:
    record = run(SEQUENCES)
    assert not record.metrics and record.scores["label"].unique().to_list() == [-1]
    assert record.scores["score"].to_list() == run(KEYS.drop("label")).scores["score"].to_list()


def test_labels_of_lines_are_labels_of_events_too() -> None:
    by_line = LINES.with_columns(label=pl.col("message").str.starts_with("panic"))
    record = run(by_line)
    assert record.scores.equals(run(LINES).scores)
    assert record.split["test"] == 60


def test_windows_of_lines_without_units() -> None:
    begun = datetime(2026, 1, 1)
    timed = LINES.drop("unit").with_columns(
        time=pl.Series([begun + timedelta(seconds=at) for at in range(len(LINES))])
    )
    assert run(timed, windower="count", settings={"count": {"size": 10}}).dataset["unit"] == "window"
    record = run(timed, settings={"time": {"size": "60s"}})
    assert record.dataset["unit"] == "window" and record.components["windower"]["name"] == "time"


def test_parts_are_kept() -> None:
    parts = ["test" if at < 100 else "train" for at in range(300)]
    record = run(KEYS.with_columns(part=pl.Series(parts)))
    assert record.scores["unit"].to_list() == UNITS[:100]


def test_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    assert run(pandas.DataFrame(LINES.to_dicts())).scores.equals(run(LINES).scores)


def test_study_and_preparation_take_them() -> None:
    found = logbench.leaderboard(["markov", "length"], dataset=LINES, out=None, seeds=(0,), baselines=False)
    assert [record["status"] for record in found] == ["ok", "ok"]
    material = logbench.prepare_sessions("markov", KEYS)
    assert material.test.labels is not None and int(material.test.labels.sum()) == sum(LABELS[240:])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            pl.DataFrame({"text": ["x"]}),
            r"needs a column message \(lines\) or keys \(key sequences\), it has text",
        ),
        (KEYS.with_columns(label=pl.lit(2)), r"label 2 is neither 0 \(normal\) nor 1 \(anomaly\)"),
        (KEYS.with_columns(label=pl.lit(0.7)), "column label holds fractions, expected Int8"),
        (
            KEYS.with_columns(keys=pl.Series([[0.5, 1.0]] * 300)),
            r"column keys holds fractions, expected List\(Int64\)",
        ),
        (KEYS.with_columns(label=pl.lit("no")), "column label is String, expected Int8"),
        (LINES.with_columns(time=pl.lit("2026")), "column time is String; make it a Datetime"),
        ([[1, "a"]], "lists of keys hold whole numbers alone"),
        (3, "int is neither a data set nor data that an installed plugin takes"),
        (["a"], "list is neither a data set nor data"),
    ],
)
def test_one_line_says_what_is_wrong(data: object, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        logbench.run("length", dataset=data, out=None)
    assert "\n" not in str(caught.value)


def test_whole_numbers_may_be_of_any_type() -> None:
    """pandas makes floats of labels where one is missing."""
    floats = KEYS.with_columns(pl.col("label").cast(pl.Float64), pl.col("keys").cast(pl.List(pl.Float64)))
    assert run(floats).dataset["digest"] == run(KEYS).dataset["digest"]


def test_what_other_processes_take_part_in_is_refused() -> None:
    executor: Any = object()
    with pytest.raises(ConfigError, match=r"executor: memory-.* is in this process alone"):
        logbench.leaderboard("length", dataset=KEYS, out=None, executor=executor)
    with pytest.raises(ConfigError, match=r"save: memory-.* is in this process alone"):
        logbench.run("length", dataset=KEYS, save="bundle")
