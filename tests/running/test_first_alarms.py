"""Where within its unit an alarm is raised first: against a loop over prefixes, by the model and by each rule."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import logbench
from logbench import RunRecord, Scores
from logbench.components.registry import Registry
from logbench.running.records import scores
from logbench.studies.rescore import rescore

DRAWN = random.Random(5)
WORDS = ("open", "read", "write", "close", "strange", "panic")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SEQUENCES = [[DRAWN.randint(0, 3) for _ in range(DRAWN.choice([2, *range(3, 12)]))] for _ in range(120)]
for place in range(60, 120, 3):
    SEQUENCES[place].insert(DRAWN.randint(0, len(SEQUENCES[place])), DRAWN.choice([4, 5]))
LABELS = [int(at % 3 == 0 and at >= 60) for at in range(120)]
# The first word is `strange` in training, so only `panic` is unseen; each unit has its own minute.
SEQUENCES[0] = [0, 1, 2, 3, 4]
LINES = pl.DataFrame(
    [
        {
            "unit": f"u{unit:03}", "message": WORDS[key], "label": bool(LABELS[unit]),
            "time": BEGIN + timedelta(minutes=unit, seconds=3 * at),
        }
        for unit, keys in enumerate(SEQUENCES)
        for at, key in enumerate(keys)
    ]
)  # fmt: skip


class Highest:
    """The score of an event is how rare its key was; that of a unit is its highest."""

    def fit(self, train: Any, context: Any) -> None:
        self.rare = 1 / np.bincount(train.keys, minlength=train.vocabulary + 1).clip(0.2)

    def score(self, sessions: Any, context: Any) -> Scores:
        events = self.rare[np.minimum(sessions.keys, sessions.vocabulary)]
        return Scores(np.maximum.reduceat(events, sessions.offsets[:-1]), events=events)


class Total(Highest):
    """The same events, but the unit's score is their sum: no event alone tells the alarm."""

    def score(self, sessions: Any, context: Any) -> Scores:
        events = self.rare[np.minimum(sessions.keys, sessions.vocabulary)]
        return Scores(np.add.reduceat(events, sessions.offsets[:-1]), events=events)


def run(model: Any, folder: Path, **protocol: Any) -> tuple[RunRecord, pl.DataFrame]:
    """The record and the stored scores."""
    settings = {"protocol": {"train": "first", "train_units": 50, "alpha": 0.3, "min_events": 3, **protocol}}
    (record,) = logbench.run(
        model, dataset=LINES, settings=settings, evaluators=["classification", "first-alarm"], out=folder,
    )  # fmt: skip
    assert record.status == "ok", record.error
    return record, scores(record.as_dict(), folder)


def expected(record: RunRecord, keys: list[int], highest: bool, unseen: str, rare: dict[str, float]) -> int:
    """The first event after which a reader who scores each prefix would alarm."""
    limit = float(record.threshold["exact"])
    for at in range(len(keys)):
        if len(keys) < 3:
            break
        if unseen == "anomalous" and WORDS[keys[at]] not in rare:
            return at
        if highest and rare.get(WORDS[keys[at]], 5.0) > limit:
            return at
    return len(keys) - 1  # known at the end alone


@pytest.mark.parametrize("unseen", ["target", "anomalous"])
@pytest.mark.parametrize("model", [Highest, Total])
def test_an_alarm_is_raised_at_the_event_after_which_a_reader_knows(
    model: Any, unseen: str, tmp_path: Path
) -> None:
    record, frame = run(model, tmp_path, unseen=unseen)
    others = set(frame["unit"])
    fitted = [
        key for at, keys in enumerate(SEQUENCES) if not LABELS[at] and f"u{at:03}" not in others for key in keys
    ]
    rare = {WORDS[key]: 1 / fitted.count(key) for key in set(fitted)}
    frame = frame.filter(pl.col("part") == "test")
    alarms = frame.filter("verdict")
    assert alarms.height > 15 and not frame.filter(~pl.col("verdict"))["first_alarm"].drop_nulls().len()
    firsts = set()
    for name, place, moment in alarms.select("unit", "first_alarm", "first_alarm_time").iter_rows():
        unit = int(name[1:])
        at = expected(record, SEQUENCES[unit], model is Highest, unseen, rare)
        assert (name, place) == (name, at)
        assert moment == int((BEGIN + timedelta(minutes=unit, seconds=3 * at)).timestamp() * 1_000_000)
        firsts.add(at == len(SEQUENCES[unit]) - 1)
    assert firsts == {True, False} if model is Highest or unseen == "anomalous" else {True}


def test_metrics_are_means_over_the_anomalies_that_alarm(tmp_path: Path) -> None:
    record, frame = run(Highest, tmp_path)
    found = record.metrics["first-alarm"]["all"]
    alarms = frame.filter(pl.col("part") == "test").filter("verdict", label=1)
    places = alarms["first_alarm"].to_list()
    lengths = [len(SEQUENCES[int(name[1:])]) for name in alarms["unit"]]
    # Labels of lines: every line of an anomalous unit is labelled, so one waits from the first.
    assert found["events"] == pytest.approx(np.mean(places))
    assert found["seconds"] == pytest.approx(3 * np.mean(places))
    left = [length - 1 - place for place, length in zip(places, lengths, strict=True)]
    assert found["early"] == pytest.approx(np.mean([one > 0 for one in left]))
    assert found["seconds_left"] == pytest.approx(3 * np.mean(left))
    assert found["known"] == pytest.approx(len(places) / frame.filter(part="test", label=1).height)
    assert record.trivial["predict_all"]["first-alarm"]["all"]["known"] == 0


def test_rescoring_keeps_them_as_long_as_no_verdict_changes(tmp_path: Path) -> None:
    old = run(Highest, tmp_path)[0].as_dict()
    same = rescore(old, tmp_path, {}, [], Registry(), "test")
    assert same.metrics["first-alarm"] == old["metrics"]["first-alarm"]
    other = rescore(old, tmp_path, {"short": "miss"}, [], Registry(), "test")
    assert other.metrics["first-alarm"]["all"]["events"] is None
    assert any("first alarms are known of the stored verdicts alone" in note for note in other.notes)
    assert not any("first alarms" in note for note in same.notes)


def test_rescoring_says_what_the_run_did_not_store(tmp_path: Path) -> None:
    settings = {"protocol": {"train_units": 50}}
    (record,) = logbench.run(Highest, dataset=LINES, out=tmp_path, settings=settings)
    more = rescore(record.as_dict(), tmp_path, {}, ["types", "template-sets", "first-alarm"], Registry(), "test")
    assert [note for note in more.notes if note.startswith("evaluator")] == [
        "evaluator types, template-sets: kinds of anomalies are not stored with this run; run again with it",
        "evaluator first-alarm: first alarms are not stored with this run; run again with it",
    ]


class Learning(Highest):
    """Learns nothing, but could have."""

    def update(self, unit: Any, verdict: bool, label: int | None) -> None:
        pass


def test_where_a_model_alarmed_that_learned_since_is_not_known(tmp_path: Path) -> None:
    """The last event would be a guess, and make an online model late beside the same one that was kept."""
    fields = {"train": "ratio", "train_ratio": 0.4, "procedure": "prequential", "slices": 3}
    kept, learning = (
        logbench.run(
            model, dataset=LINES, out=tmp_path, evaluators=("first-alarm",), settings={"protocol": fields}
        )[0]
        for model in (Highest, Learning)
    )
    assert kept.metrics["first-alarm"]["all"]["early"] > 0
    found = learning.metrics["first-alarm"]["all"]
    assert found["known"] == 0 and [of for name, of in found.items() if name != "known"] == [None] * 4
    assert any("has learned since it raised alarms" in note for note in learning.notes)
    again = rescore(learning.as_dict(), tmp_path, {}, [], Registry(), "test")
    assert again.metrics["first-alarm"] == learning.metrics["first-alarm"]
    assert any("has learned since it raised alarms" in note for note in again.notes)
