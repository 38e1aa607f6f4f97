"""Rows as CSV, JSON, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from reporter_records import failed, record

from logbench import ConfigError
from logbench_reporters.flat import Flat
from logbench_reporters.rows import prevalence
from logbench_reporters.table import Table


def test_simulated_data_is_marked_in_every_form() -> None:
    simulated = [record(dataset={"name": "d", "simulated": True})]
    for reporter in (Table("simple"), Table("github"), Table("latex_booktabs", comment="% ")):
        assert "SIMULATED" in reporter.report(simulated)
    (row, *_) = json.loads(Flat("json").report(simulated))
    assert row["simulated"] is True


def numbers(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(None if row[name] in {"", None} else float(row[name]) for name in ("f1", "f1_low", "fit_s"))


@pytest.mark.parametrize("each", [False, True])
def test_csv_and_json_hold_the_same_rows(each: bool) -> None:
    records = [record("a", 0.25, 0), record("a", 0.75, 1), failed("b", why='said "no",\nand left')]
    as_csv = list(csv.DictReader(io.StringIO(Flat("csv", each).report(records))))
    as_json = json.loads(Flat("json", each).report(records))
    assert [row["name"] for row in as_csv] == [row["name"] for row in as_json]
    assert [numbers(row) for row in as_csv] == [numbers(row) for row in as_json]
    assert [row["name"] for row in as_json if row["kind"] == "model"] == (["a", "a", "b"] if each else ["a", "b"])
    (last,) = [row for row in as_csv if row["name"] == "b"]
    assert last["status"] == "error" and last["reason"] == 'said "no",\nand left'
    assert {row["name"] for row in as_json if row["kind"] == "rule"} == {"unseen", "short"}
    assert all(row["prevalence"] == prevalence(records) == 0.1 for row in as_json)


def test_each_seed_is_a_row_of_its_own_with_its_seed_and_no_interval() -> None:
    text = Table("simple", each_seed=True).report([record(f1=0.2, seed=3), record(f1=0.4, seed=7)])
    rows = [line.split() for line in text.splitlines()]
    assert ["m", "3", "0.200"] in [row[:3] for row in rows] and ["m", "7", "0.400"] in [row[:3] for row in rows]
    assert "±" not in text


def test_markdown_and_latex_are_what_they_say() -> None:
    records = [record("a_b", 0.2, 0), record("a_b", 0.4, 1), failed("c")]
    lines = Table("github").report(records).splitlines()
    header = next(at for at, line in enumerate(lines) if line.startswith("| model"))
    table = lines[header : lines.index("", header)]
    assert set(table[1]) <= set("|-: ") and len({line.count("|") for line in table}) == 1
    text = Table("latex_booktabs", comment="% ").report(records)
    within = re.findall(r"\\begin\{tabular\}.*?\\end\{tabular\}", text, re.S)
    outside = re.sub(r"\\begin\{tabular\}.*?\\end\{tabular\}", "", text, flags=re.S)
    assert all(line.startswith("%") for line in outside.splitlines() if line)
    assert len(within) == 2 and all("a\\_b" in table for table in within)  # quality and cost


def test_a_reporter_without_each_seed_is_a_clear_error() -> None:
    import logbench
    from logbench.cli import State
    from logbench.cli.reporting import reporter_of
    from logbench.components.entry import Plugin
    from logbench.components.registry import Registry

    class Offer:
        @staticmethod
        @logbench.hookimpl
        def logbench_reporters() -> list[logbench.ReporterComponent[Any]]:
            return [logbench.ReporterComponent("mute", dict)]

    state = State(())
    state.__dict__["registry"] = Registry([Plugin("offer", "tests", "0", lambda: Offer)])
    assert reporter_of(state, "mute", Path("runs")).own == {}
    with pytest.raises(ConfigError, match="each_seed"):
        reporter_of(state, "mute", Path("runs"), each_seed=True)
