"""Metrics of `logbench score` where new logs have labels: as counted by hand, and never at the price of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import logbench
from logbench.components.registry import Registry
from logbench.deploy.labelled import figures
from logbench.deploy.score_files import TRAINED, score_bundle
from logbench.running.bundle import Bundle
from logbench.running.resolve import evaluators_of

MESSAGES = ["Receiving block blk_{} src: /10.0.0.1", "Verification succeeded for blk_{}", "Deleting block blk_{}"]


def log_of(write_hdfs: Any, name: str, bad: set[int], labels: str) -> Path:
    lines = [MESSAGES[2 * (kind == 1 and unit in bad)].format(unit) if kind else MESSAGES[1].format(unit)
             for unit in range(60) for kind in (0, 1, 2)]  # fmt: skip
    written: Path = write_hdfs(name, lines, labels)
    return written


@pytest.fixture
def saved(write_hdfs: Any, tmp_path: Path) -> Bundle:
    labels = "BlockId,Label\n" + "".join(f"blk_{unit},Normal\n" for unit in range(60))
    data = log_of(write_hdfs, "old", set(), labels)
    settings = {"protocol": {"train_units": 40, "min_events": 1}}
    (record,) = logbench.run(
        "new-event", dataset="hdfs", data=data, settings=settings, out=tmp_path / "runs", save=tmp_path / "saved"
    )
    assert record.error is None
    return Bundle(tmp_path / "saved", Registry())


def test_metrics_are_those_counted_by_hand(saved: Bundle, write_hdfs: Any) -> None:
    bad, called = {3, 7, 20, 40}, {3, 7, 50}
    labels = "BlockId,Label\n" + "".join(
        f"blk_{unit},{'Anomaly' if unit in called else 'Normal'}\n" for unit in range(59)
    )
    data, known = log_of(write_hdfs, "new", bad, labels), list[pl.DataFrame]()
    plain = score_bundle(saved, data, "cpu", lambda *_: None)
    frame = score_bundle(saved, data, "cpu", lambda *_: None, measured=known.append)
    assert frame.equals(plain), "labels change no score"
    (units,) = known
    by_unit = dict(zip(frame["unit"], frame["verdict"], strict=True))
    assert {unit for unit, alarm in by_unit.items() if alarm} == {f"blk_{unit}" for unit in bad}
    assert dict(zip(units["unit"], units["label"], strict=True)) == {
        f"blk_{unit}": -1 if unit == 59 else int(unit in called) for unit in range(60)
    }
    built = {one.item.name: one.item.build() for one in evaluators_of((), Registry())}
    found = figures(units, saved, built)
    assert found["model"]["precision"] == pytest.approx(2 / 4) and found["model"]["recall"] == pytest.approx(2 / 3)
    assert found["predict_all"]["precision"] == pytest.approx(3 / 59) and found["predict_all"]["recall"] == 1.0
    assert found["unseen"]["f1"] == found["model"]["f1"] == pytest.approx(2 * 2 / (4 + 3))


def test_metrics_on_the_log_that_trained_are_marked(saved: Bundle, write_hdfs: Any, tmp_path: Path) -> None:
    labels, noted = "BlockId,Label\nblk_3,Anomaly\nblk_4,Normal\n", list[str]()
    old = tmp_path / "old"
    score_bundle(saved, old, "cpu", lambda *_: None, noted.append, measured=lambda units: None)
    assert noted == [TRAINED]
    score_bundle(saved, log_of(write_hdfs, "new", {3}, labels), "cpu", lambda *_: None, noted.append,
                 measured=lambda units: None)  # fmt: skip
    score_bundle(saved, old, "cpu", lambda *_: None, noted.append)
    assert noted == [TRAINED], "not of other logs, nor where nobody asks for metrics"


@pytest.mark.parametrize(
    "labels", ["BlockId,Label\n", "BlockId,Label\nblk_1,Odd\n", "BlockId,Label\nblk_999,Normal\n"]
)
def test_without_labels_that_fit_scores_stay(saved: Bundle, write_hdfs: Any, labels: str) -> None:
    data, known = log_of(write_hdfs, "new", {3}, f"BlockId,Label\n{labels}"), list[pl.DataFrame]()
    frame = score_bundle(saved, data, "cpu", lambda *_: None, measured=known.append)
    assert not known and len(frame) == 60 and frame["verdict"].sum() == 1


def test_the_command_prints_them(saved: Bundle, write_hdfs: Any, tmp_path: Path, run_logbench: Any) -> None:
    labels = "BlockId,Label\nblk_3,Anomaly\nblk_4,Normal\n"
    words = ["score", str(tmp_path / "saved"), "--data", str(log_of(write_hdfs, "new", {3}, labels))]
    done = run_logbench(*words)
    assert done.code == 0, done.err
    assert "2 of 60 units labelled, 1 anomalous" in done.out and "rule: " in done.out
    assert "2 of 60 units labelled, 1 anomalous; model: f1 1.000" in run_logbench(*words, "--json").err
