"""Test units that repeat a training sequence are counted, and metrics without them stand beside the others."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from labelled_log import Row, registry, run_one, write

from logbench.evaluation.unit_counts import counts_of
from logbench.evaluation.unit_metrics import metrics_of


class Rows:
    """Which units an evaluator is given."""

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        return {"sequences": sorted(units["sequence"].to_list())}


def scored(**columns: Any) -> pl.DataFrame:
    made = {"label": [0, 1, 0, 1, -1], "score": [0.0, 1.0, 1.0, None, 0.0], "sequence": [0, 1, 2, 3, 4], **columns}
    frame = pl.DataFrame(made, schema_overrides={"label": pl.Int8, "sequence": pl.UInt32})
    return frame.with_columns(weight=1.0, events=pl.lit(3), short=False, unseen=0, verdict=pl.col("score") > 0)


@pytest.mark.parametrize(
    ("repeats", "left"),
    [
        ([True, False, False, False, False], [1, 2]),
        ([False] * 5, [0, 1, 2]),
        ([True, True, True, False, False], None),
    ],
)
def test_metrics_beyond_training_sequences(repeats: list[bool], left: list[int] | None) -> None:
    units = scored(repeats=repeats)
    found = metrics_of(units, {"rows": Rows()}, "session", weighted=True)["rows"]
    assert found["all"] == {"sequences": [0, 1, 2]} and found["distinct"] is None
    assert found["unseen_sequences"] == (None if left is None else {"sequences": left})
    assert counts_of(units)["repeats"] == sum(repeats), "of all test units"


def test_what_is_not_known_is_left_out() -> None:
    """Scores stored before, and single events."""
    assert "unseen_sequences" not in metrics_of(scored(), {"rows": Rows()}, "session", weighted=False)["rows"]
    assert "repeats" not in counts_of(scored())


def test_a_run_counts_them_by_its_key_sequences(tmp_path: Path) -> None:
    draw = random.Random(1)
    rows: list[Row] = [(f"message {draw.randrange(4)}", int(i % 7 == 3), i, "n") for i in range(300)]
    protocol = {"train": "ratio", "train_ratio": 0.4, "held_out": 0.2, "content": "mixed", "min_events": 1}
    settings = {"protocol": protocol, "count": {"size": 3}}
    record = run_one(write(tmp_path / "a.log", rows), registry(), "new-event", settings)
    sides = {"train": rows[:96], "test": rows[120:]}
    windows = {side: [tuple(part[at : at + 3]) for at in range(0, len(part), 3)] for side, part in sides.items()}
    trained = {tuple(message for message, *_ in window) for window in windows["train"]}
    labels = [
        any(label for _, label, *_ in window)
        for window in windows["test"]
        if tuple(message for message, *_ in window) not in trained
    ]
    assert 0 < len(labels) < len(windows["test"])
    assert record.counts["repeats"] == len(windows["test"]) - len(labels)
    found = record.metrics["window"]["unseen_sequences"]
    assert found["tp"] + found["fn"] == sum(labels) and found["fp"] + found["tn"] == len(labels) - sum(labels)
    assert record.trivial["predict_all"]["window"]["unseen_sequences"]["recall"] == 1.0
