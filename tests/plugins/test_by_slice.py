"""What tables, report and site say of slices: the numbers of the record, and what depends on order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import logbench
from logbench_reporters.report.figures.by_slice import by_slice
from logbench_reporters.slices import columns_by_slice
from logbench_reporters.table import Table

SETTINGS = {
    "dataset": {"jobs": 250, "anomalies": 0.08},
    "protocol": {"slices": 4, "feedback_budget": 9, "feedback_delay": 20},
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("runs")
    models = ["n-gram", "n-gram-online"]
    return [one.as_dict() for one in logbench.run(models, dataset="drift-sim", out=folder, settings=SETTINGS)]


def test_a_table_has_the_metric_of_each_slice_and_marks_what_depends_on_order(records: list[Any]) -> None:
    text = Table("github").report(records)
    assert "| n-gram-online †" in text and "| n-gram †" not in text
    assert "scores depend on the order of the stream" in text and "without a sign: kept as fitted" in text
    assert "prequential, 4 slices" in text and "labels of 9 alarms a slice, 20 units late" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| n-gram-online †") and line.count("|") == 6]
    values = [one["metrics"]["job"]["f1"] for one in records[1]["stream"]["slices"]]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == ["" if v is None else f"{v:.2f}" for v in values]


def test_a_batch_run_has_no_table_of_slices(records: list[Any]) -> None:
    batch = [{**one, "stream": {}, "protocol": {**one["protocol"], "procedure": "batch"}} for one in records]
    text = Table("github").report(batch)
    assert "slice" not in text and "†" not in text
    assert by_slice(batch, "job") is None and columns_by_slice(batch, "f1") == ({}, 0)


def test_the_figure_has_the_numbers_of_the_record(records: list[Any]) -> None:
    figure = by_slice(records, "job")
    assert figure is not None
    for record, name in zip(records, ("n-gram (as fitted)", "n-gram-online (online)"), strict=True):
        shown = {row["slice"]: row["value"] for row in figure.data["values"] if row["model"] == name}
        own = {at: one["metrics"]["job"]["f1"] for at, one in enumerate(record["stream"]["slices"], 1)}
        assert shown == {at: round(value, 4) for at, value in own.items() if value is not None}
    drift = {(row["slice"], row["what"]): row["value"] for row in figure.data["drift"]}
    third = records[0]["stream"]["slices"][2]["drift"]
    assert drift[3, "events with unseen keys"] == round(third["unseen"], 4)
    assert [row["slice"] for row in figure.table] == [1, 2, 3, 4]
    assert json.dumps(figure.spec()) and "n-gram-online (online)" in figure.description


def test_the_site_shows_slices_and_says_that_feedback_is_labels(records: list[Any], tmp_path: Path) -> None:
    from logbench_reporters.site.board import _saw_labels

    assert records[1]["audit"]["stream"]["told"] > 0
    assert [_saw_labels(one) for one in records] == [False, True]
