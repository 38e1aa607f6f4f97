"""The note on thresholds that let far more normal test units alarm than held-out ones."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from made_records import made

import logbench
from logbench_reporters.kept import thresholds_not_kept
from logbench_reporters.rows import Row
from logbench_reporters.table import Table

PROTOCOL = {"threshold": "validation", "alpha": 0.005}


def row(name: str, false: float, source: str = "validation", **metrics: float) -> Row:
    return Row(name, source=source, runs=1, metrics={"fp": false, "tn": 1000.0 - false, "f1": 0.2, **metrics})


def test_rates_and_the_best_ranking_are_named() -> None:
    rows = [row("a", 240.0, auprc=0.4), row("b", 290.0, auprc=0.8), row("c", 4.0, auprc=0.9)]
    first, second = thresholds_not_kept(rows, [], PROTOCOL)
    assert first.startswith("thresholds not kept by a and b: 24% to 29% of the normal test units alarm")
    assert "where 0.5% (alpha) of" in first and "b: auprc 0.800, f1 0.200" in second


def test_many_rows_are_counted() -> None:
    rows = [row(name, 240.0) for name in "abcde"]
    (said,) = thresholds_not_kept(rows, [], PROTOCOL)
    assert said.startswith("thresholds not kept by a, b, c and 2 others: 24% of")


@pytest.mark.parametrize(
    "unsaid",
    [
        ([row("kept", 24.0)], [], PROTOCOL),
        ([row("rule", 240.0, "rule")], [], PROTOCOL),
        ([row("a", 240.0)], [row("unseen or short (< 2)", 230.0, "rule")], PROTOCOL),  # alarms of the rule
        ([row("a", 240.0, "oracle")], [], {**PROTOCOL, "threshold": "oracle"}),
        ([row("a", 240.0)], [], {"threshold": "validation"}),  # a record from before there was alpha
        ([Row("skipped", source="validation")], [], PROTOCOL),
    ],
)
def test_nothing_is_said_where_the_threshold_is_not_to_blame(unsaid: Any) -> None:
    assert thresholds_not_kept(*unsaid) == []


def test_a_table_of_records_has_the_note() -> None:
    metrics = {"all": {"fp": 25.0, "tn": 75.0, "tp": 5.0, "fn": 0.0, "f1": 0.286, "auprc": 0.7}}
    shown = {
        "metrics": {"session": {**metrics, "distinct": metrics["all"]}},
        "columns": {"session": ["f1", "auprc"]},
    }
    protocol = {**asdict(logbench.EvaluationProtocol()), **PROTOCOL}
    record = made(protocol=protocol, preset="own", dataset={"name": "d", "unit": "session"}, **shown).as_dict()
    assert "thresholds not kept by m: 25%" in " ".join(Table("simple", width=80).report([record]).split())
    assert "thresholds not kept" in Table("github").report([record])
