"""The table: every run accounted for, and lines that fit a terminal."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from reporter_records import MODELS, PROTOCOL, costing, failed, record

from logbench_reporters.flat import Flat
from logbench_reporters.rows import model_rows, rule_rows
from logbench_reporters.table import Table


def test_a_seed_that_failed_is_counted_and_said() -> None:
    records = [record("a", seed=0), record("a", seed=1), failed("a", seed=2), record("b", seed=0)]
    text = Table("simple").report(records)
    assert "2/3" in text and "error: a (1 of 3 runs): no luck" in text


def test_no_run_is_lost_where_models_fail() -> None:
    unfit = [failed(name, "skipped", "supervised") for name in ("x", "y")]
    text = Table("simple").report([record("a"), *unfit, failed("z")])
    assert "skipped: x, y: supervised" in text and "error: z: no luck" in text
    rows = [line.split()[:2] for line in text.splitlines()]
    assert ["x", "skipped"] in rows and ["y", "skipped"] in rows and ["z", "error"] in rows


def test_a_table_of_failures_alone_still_says_which_and_why() -> None:
    text = Table("simple").report([failed("only")])
    assert "only" in text and "error: only: no luck" in text


def test_contended_times_are_left_out_and_said() -> None:
    alone, beside = Table("simple").report([record()]), record(environment={"contended": 2})
    assert re.search(r"^m +0\.500 +1\.00$", alone, re.M) and "side by side" not in alone
    text = Table("simple").report([beside, record("n", environment={"contended": 2})])
    assert "fit" not in text and "up to 2 runs went side by side" in text


def test_an_oracle_is_named() -> None:
    oracle = record(threshold={"value": 0.25, "source": "oracle"})
    assert "oracle" in Table("simple").report([oracle]).split("\n\n")[1]
    mixed = Table("simple").report([oracle, record("n", threshold={"value": 0.0, "source": "rule"})])
    assert "0.25 (oracle)" in mixed and "0 (rule)" in mixed


def limited(model: str, limit: int, short: int, f1: float, **more: Any) -> dict[str, Any]:
    """A record whose rule *short* has an F1 that goes with the limit; *unseen* has always the same."""
    made = record(model, counts={"short": short, "short_limit": limit}, **more)
    metrics = {"all": {"f1": f1, "prevalence": 0.1}, "distinct": {"f1": f1}}
    made["trivial"] = {"unseen": made["trivial"]["unseen"], "short": {"session": metrics}}
    return made


def test_rows_that_differ_in_the_limit_of_short_units_say_so_and_have_a_rule_each() -> None:
    records = [limited("a", 2, 0, 0.0), limited("b", 2, 0, 0.0), limited("c", 11, 1234, 0.7)]
    text = Table("simple").report(records)
    assert (
        "(< 2 or 11 events) flag" in text
        and "ROWS DIFFER in the limit" in text
        and "1,234 (< 11)" in text
        and "0 (< 2)" in text
    )
    rules = {row.name: row.metrics["f1"] for row in rule_rows(records)}
    assert rules == {"unseen": 0.5, "short (< 2)": 0.0, "short (< 11)": 0.7}
    dropped = [{**one, "protocol": {**one["protocol"], "short": "drop"}} for one in records]
    assert "leaves out other units" in Table("simple").report(dropped)
    flat = {row["name"]: (row["short"], row["short_limit"]) for row in json.loads(Flat("json").report(records))}
    assert flat["a"] == (0, 2) and flat["c"] == (1234, 11) and flat["short (< 11)"] == (None, 11)


def test_rows_of_one_limit_name_it_once_and_a_column_of_zeros_is_left_out() -> None:
    records = [limited("a", 11, 7, 0.7), limited("b", 11, 7, 0.7), failed("c", "skipped")]
    text = Table("simple").report(records)
    assert "short (< 11 events) flag" in text and "DIFFER" not in text and "(< 11)" not in text
    assert "short (< 1 event) flag" in Table("simple").report([limited("a", 1, 0, 0.7)])
    assert [row.name for row in rule_rows(records)] == ["unseen", "short"]
    assert model_rows(records)[0].short == 7
    none = Table("simple").report([limited("a", 11, 0, 0.0)]).split("\n\n")[1]
    assert "short" not in none.splitlines()[0]


@pytest.mark.parametrize("seeds", [1, 5])
@pytest.mark.parametrize("source", ["validation", "oracle"])
def test_a_table_fits_100_columns(seeds: int, source: str) -> None:
    threshold = {"value": -0.0001234, "source": source}
    runs = [record(name, 0.1 * seed, seed, threshold=threshold) for name in MODELS for seed in range(seeds)]
    for one in runs:
        one["metrics"]["session"]["all"]["mcc"] = -0.123
    unfit = [failed("one-class-svm", "skipped", "for a reason " * 12, seed=seed) for seed in range(seeds)]
    text = Table("simple").report([*runs, *unfit])
    assert max(map(len, text.splitlines())) <= 100, text


def test_a_narrow_table_keeps_figures_of_quality_longer_than_how_they_were_judged() -> None:
    shown = {"session": ["f1", "precision", "recall", "mcc", "auprc"], "cost": ["cost"]}
    runs = [
        {**costing(name, 90.0, stochastic=False, counts={"short": 12345, "short_limit": 2}), "columns": shown}
        for name in MODELS
    ]
    tables = {}
    for width in range(60, 130):
        text = Table("simple", width=width).report(runs)
        tables[width] = next(line for line in text.splitlines() if line.startswith("model ")).split()
    quality, judged = {"mcc", "auprc", "cost.cost"}, {"threshold", "short"}
    assert quality | judged <= {*tables[129]}
    assert any(quality <= {*names} and not judged & {*names} for names in tables.values())
    assert all(quality <= {*names} for names in tables.values() if judged & {*names})


def test_a_small_negative_number_is_no_minus_zero() -> None:
    assert "-0.000" not in Table("simple").report([record(f1=-0.0001)])


def test_what_a_model_does_not_judge_stands_below_the_table() -> None:
    counts = {"short": 0, "short_limit": 2, "unjudged": {"events": 500, "of": 1100, "units": 0}}
    text = Table("simple").report([record("deep", counts=counts), record("n-gram")])
    assert "not judged: deep: 500 of 1,100 tested events" in text and "n-gram:" not in text
    counts = {**counts, "unjudged": {"events": 7, "of": 9, "units": 3}}
    assert "among them every one of 3 units" in Table("simple").report([record("deep", counts=counts)])


def test_a_heading_of_runs_that_all_failed_names_no_limit() -> None:
    protocol = {**PROTOCOL, "min_events": 0, "split_seed": 0, "hash": "h"}
    assert "protocol p: short flag, unseen target" in Table("simple").report([failed("a", protocol=protocol)])


@pytest.mark.parametrize(("exact", "shown"), [("inf", "∞"), ("-inf", "−∞")])
def test_an_infinite_threshold_is_shown_with_its_sign(exact: str, shown: str) -> None:
    infinite = [record(threshold={"value": None, "exact": exact, "source": "validation"})]
    for form in ("simple", "github", "latex_booktabs"):
        line = next(line for line in Table(form).report(infinite).splitlines() if "m (1 seed)" in line)
        assert shown in line.replace("|", " ").replace("&", " ").split(), form
    row = json.loads(Flat("json").report(infinite))[0]
    assert float(row["threshold_exact"]) == float(exact)
    assert next(csv.DictReader(io.StringIO(Flat("csv").report(infinite))))["threshold"] == exact


def test_one_of_a_kind_is_not_said_in_the_plural() -> None:
    counts = {"short": 0, "short_limit": 2, "unjudged": {"events": 1, "of": 1, "units": 1}}
    one = record(split={"train": 1, "held_out": 1, "test": 2}, bound={"units": 1, "f1": 0.9}, counts=counts)
    said = Table("simple").report([one, failed("z", seed=1), record("z")])
    for text in ("1 session trains", "1 anomaly has a normal", "1 of 1 tested event,", "every one of 1 unit"):
        assert text in said
    assert not re.search(r"\b1 (sessions|anomalies|units|events|runs|seeds)\b", said)


def test_rows_tested_on_other_units_have_prevalences_of_their_own() -> None:
    runs = [record("a"), limited("b", 9, 3, 0.5)]
    runs[1]["metrics"]["session"]["all"]["prevalence"] = 0.3
    assert "(prevalence 0.1000 to 0.3000)" in Table("simple").report(runs)
    shares = {row["name"]: row["prevalence"] for row in json.loads(Flat("json").report(runs))}
    assert (shares["a"], shares["b"]) == (0.1, 0.3)
    assert "(prevalence 0.1000)" in Table("simple").report(runs[:1])
