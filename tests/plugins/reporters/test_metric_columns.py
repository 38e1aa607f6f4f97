"""Columns of metrics: those of other evaluators, and those of distinct units."""

from __future__ import annotations

import csv
import io
import json

import pytest
from reporter_records import costing, failed, record

from logbench_reporters.flat import Flat
from logbench_reporters.table import Table


def test_metrics_that_other_evaluators_show_have_columns() -> None:
    runs = [costing("a", 1234.5), costing("b", 90.0), failed("c")]
    text = Table("simple").report(runs)
    heads = next(line for line in text.splitlines() if "cost.cost" in line and "model" in line).split()
    assert heads[:5] == ["model", "f1", "recall", "cost.cost", "delay.seconds"], "those of units before others"
    a, b = (next(line for line in text.splitlines() if line.startswith(f"{name} (1 seed)")) for name in "ab")
    assert a.split()[3:7] == ["0.500", "0.500", "1,234", "411.5"] and b.split()[5:7] == ["90", "30.0"]
    assert "lower is better: cost.cost, delay.seconds" in text and "hidden" not in text and "count" not in text
    assert "12,345" in next(line for line in text.splitlines() if line.startswith("rule: unseen"))
    first = Table("simple", metric="cost.cost").report(runs).splitlines()
    assert next(line for line in first if line.startswith("model")).split()[:2] == ["model", "cost.cost"]


@pytest.mark.parametrize("form", ["github", "latex_booktabs"])
def test_documents_have_these_columns_too(form: str) -> None:
    (row,) = (line for line in Table(form).report([costing("a", 90.0)]).splitlines() if "a (1 seed)" in line)
    cells = [cell.strip(" \\") for cell in row.strip("| ").split("|" if form == "github" else "&")]
    assert cells[1:5] == ["0.500", "0.500", "90.0", "30.00"]


def test_machines_have_these_columns_in_every_row() -> None:
    runs = [costing("a", 1234.5), record("b")]
    rows = {row["name"]: row for row in json.loads(Flat("json").report(runs))}
    assert (rows["a"]["cost.cost"], rows["a"]["delay.seconds"]) == (1234.5, 411.5)
    assert rows["b"]["cost.cost"] is None and rows["b"]["auprc"] == 0.5 and rows["unseen"]["cost.cost"] == 12345
    table = list(csv.DictReader(io.StringIO(Flat("csv").report(runs))))
    assert {row["name"]: row["cost.cost"] for row in table}["a"] == "1234.5"


def test_where_distinct_units_are_the_headline_their_metrics_are_shown() -> None:
    one = costing("a", 90.0)
    one["protocol"] = {**one["protocol"], "duplicates": "unique"}
    row = json.loads(Flat("json").report([one]))[0]
    assert row["cost.cost"] == 1.0 and row["delay.seconds"] is None and row["f1"] == 0.05


def test_records_of_before_there_were_columns_show_the_usual_metrics() -> None:
    heads = next(line for line in Table("github").report([record()]).splitlines() if "model" in line)
    assert [name in heads for name in ("f1", "precision", "recall", "mcc", "auroc", "auprc")] == [True] * 6
