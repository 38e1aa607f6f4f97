"""Reporters: means and intervals against scipy, every run accounted for, tables that fit a terminal."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from logbench import ConfigError, mean_interval
from logbench.evaluation.run_intervals import limits, overlap
from logbench.studies.mean_row import mean_row
from logbench_reporters.cost import front
from logbench_reporters.flat import Flat
from logbench_reporters.rows import comparisons, model_rows, over, prevalence, rule_rows
from logbench_reporters.table import Table

PROTOCOL = {
    "train": "first", "content": "normal", "min_events": 2, "short": "flag", "unseen": "target",
    "threshold": "validation", "duplicates": "all",
}  # fmt: skip
MODELS = ("log-clustering-labelled", "new-event", "isolation-forest")


def record(model: str = "m", f1: float = 0.5, seed: int = 0, split_seed: int = 0, **more: Any) -> dict[str, Any]:
    """A record as reporters get it; F1 of distinct units is a tenth of the other."""
    metrics = dict.fromkeys(("f1", "precision", "recall", "mcc", "auroc", "auprc"), f1)
    values = {"all": {**metrics, "prevalence": 0.1}, "distinct": {**metrics, "f1": f1 / 10, "prevalence": 0.2}}
    return {
        "model": model, "seed": seed, "status": "ok", "error": None, "preset": "p", "config": {"model": {}},
        "dataset": {"name": "d", "unit": "session", "digest": "0", "simulated": False},
        "protocol": {**PROTOCOL, "split_seed": split_seed, "hash": f"h{split_seed}"},
        "split": {"seed": split_seed, "train": 9, "held_out": 1, "test": 10},
        "threshold": {"value": 0.25, "source": "validation"}, "counts": {"short": 0, "short_limit": 2},
        "metrics": {"session": values}, "trivial": {"unseen": {"session": values}, "short": {"session": values}},
        "stages": {"fit": {"wall_s": 1.0}, "score": {"wall_s": 2.0}}, "environment": {}, "training": {},
        **more,
    }  # fmt: skip


def failed(model: str, status: str = "error", why: str = "no luck", **changes: Any) -> dict[str, Any]:
    error = {"stage": "fit", "type": "X", "message": why}
    nothing: dict[str, Any] = {
        "metrics": {},
        "trivial": {},
        "threshold": {},
        "split": {},
        "stages": {},
        "counts": {},
    }
    return record(model, status=status, error=error, **{**nothing, **changes})


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_the_interval_is_that_of_scipy_within_the_range(values: list[float]) -> None:
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=max(stats.sem(values), 1e-300))
    assert mean_interval("f1", values) == pytest.approx((max(0, low), min(1, high)), abs=1e-9)
    assert mean_interval("mcc", values) == pytest.approx((max(-1, low), min(1, high)), abs=1e-9)


def test_overlap_widens_by_tested_units_to_training_units() -> None:
    """Nadeau & Bengio, equation 9: the factor 1 / J becomes 1 / J + n_test / n_train."""
    values = [0.50, 0.51, 0.49, 0.52]
    half = record(split={"train": 6, "held_out": 2, "test": 4})
    plain, corrected = mean_interval("f1", values), mean_interval("f1", values, [half])
    assert plain is not None and corrected is not None
    assert np.ptp(corrected) == pytest.approx(np.ptp(plain) * np.sqrt(4 * (1 / 4 + 0.5)))
    assert overlap([half]) == 0.5


@pytest.mark.parametrize(
    ("metric", "least", "greatest"),
    [("auroc", 0, 1), ("auprc", 0, 1), ("mcc", -1, 1), ("budget.recall_at_k", 0, 1), ("incidents.range_f1", 0, 1),
     ("types.recall:a.b", 0, 1), ("costs.relative", -np.inf, np.inf), ("mine.lost_mcc", -np.inf, np.inf)],
)  # fmt: skip
def test_intervals_of_tables_and_studies_end_where_the_metric_ends(
    metric: str, least: float, greatest: float
) -> None:
    values = [-0.9, 0.1, 0.99]
    half = stats.t.ppf(0.975, 2) * np.std(values, ddof=1) / np.sqrt(3)
    mean = np.mean(values)
    expected = pytest.approx((max(mean - half, least), min(mean + half, greatest)))
    assert mean_interval(metric, values) == expected and limits(metric) == (least, greatest)
    owner, _, name = metric.rpartition(".") if ":" not in metric else ("types", ".", "recall:a.b")
    runs = [
        {
            "run_id": f"run {seed}", "error": None, "dataset": {"unit": "session"}, "trivial": {},
            "protocol": {"split_seed": seed, "train": "first", "duplicates": "all"},
            "metrics": {owner or "session": {"all": {name: value}, "distinct": {}}},
            "directions": {owner or "session": {name: "higher"}},
            "split": {"test": 1, "train": 1, "held_out": 0},
        }
        for seed, value in enumerate(values)
    ]  # fmt: skip
    row = mean_row(runs, metric)
    assert (row["low"], row["high"]) == expected


def test_one_value_has_no_interval() -> None:
    assert mean_interval("f1", [0.3]) is None


def test_what_did_not_vary_has_no_interval_and_the_table_says_so() -> None:
    """A deterministic model's seeds, and split seeds that only hold out other training units."""
    same = [record("a", 0.5, seed) for seed in range(5)]
    other = [record("b", value, seed) for seed, value in enumerate((0.1, 0.2, 0.3, 0.4, 0.5))]
    fixed, drawn = model_rows([*same, *other])
    assert not fixed.bounds and drawn.bounds
    assert "no ±: the same figures in every run: a" in Table("simple").report([*same, *other])
    splits = [record("a", value, split_seed=seed) for seed, value in enumerate((0.1, 0.9))]
    assert not model_rows(splits)[0].bounds and not over(model_rows(splits))
    text = Table("simple").report(splits)
    assert "±" not in text.replace("no ±", "") and "protocol.train=first another split seed only holds out" in text
    (row, *_) = json.loads(Flat("json").report(splits))
    assert row["interval"] is row["f1_low"] is row["f1_high"] is None


@pytest.mark.parametrize("drawn", [{"train": "random_ratio"}, {"contamination": 0.1}, {"label_noise": 0.2}])
def test_split_seeds_that_draw_what_trains_have_an_interval(drawn: dict[str, Any]) -> None:
    splits = [record("a", value, split_seed=seed) for seed, value in enumerate((0.4, 0.6, 0.5))]
    for one in splits:
        one["protocol"] |= drawn
    (row,) = model_rows(splits)
    assert row.bounds["f1"] == pytest.approx(mean_interval("f1", [0.4, 0.6, 0.5], splits))
    assert "corrected for what they share" in over([row])


def test_an_interval_at_the_end_of_the_range_is_cut_there() -> None:
    values = (0.9, 0.95, 1.0)
    text = Table("simple").report([record(f1=value, seed=seed) for seed, value in enumerate(values)])
    assert "0.950 -.124+.050" in text
    assert "0.500 ±.124" in Table("simple").report([record(f1=v - 0.45, seed=s) for s, v in enumerate(values)])


def test_seeds_of_a_model_are_one_row_with_an_interval_for_f1_precision_and_recall() -> None:
    values = [0.2, 0.4, 0.9]
    (row,) = model_rows([record(f1=value, seed=seed) for seed, value in enumerate(values)])
    assert (row.runs, row.seeds, row.splits) == (3, (0, 1, 2), (0,))
    assert row.metrics["f1"] == pytest.approx(0.5) and row.metrics["mcc"] == pytest.approx(0.5)
    assert row.other == pytest.approx(0.05)
    assert set(row.bounds) == {"f1", "precision", "recall"}
    half = stats.t.ppf(0.975, 2) * np.std(values, ddof=1) / np.sqrt(3)
    assert row.bounds["f1"] == pytest.approx((max(0, 0.5 - half), min(1, 0.5 + half)))
    assert over([row]) == "3 seeds"


def test_over_splits_the_seeds_of_a_split_are_no_runs_of_their_own() -> None:
    """Two splits of two seeds are two values, not four: the seeds of a split share its luck."""
    values = {(0, 0): 0.1, (0, 1): 0.3, (1, 0): 0.5, (1, 1): 0.9}
    (row,) = model_rows(
        at_random([record(f1=value, split_seed=split, seed=seed) for (split, seed), value in values.items()])
    )
    assert row.bounds["f1"] == pytest.approx(mean_interval("f1", [0.2, 0.7], [record()]))
    assert over([row]).startswith("2 splits, each the mean of 2 seeds")
    runs = at_random([record(split_seed=0), record(split_seed=0, seed=1), record(split_seed=1, f1=0.9)])
    rules = rule_rows(runs)
    assert [rule.metrics["f1"] for rule in rules] == pytest.approx([0.7, 0.7])
    assert rules[0].bounds["f1"] == pytest.approx(mean_interval("f1", [0.5, 0.9], [record()]))


def at_random(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same under a split whose seed draws what trains."""
    return [{**one, "protocol": {**one["protocol"], "train": "random"}} for one in records]


def test_split_seeds_are_one_comparison_and_protocols_are_not() -> None:
    other = record(protocol={**PROTOCOL, "short": "drop", "split_seed": 0, "hash": "x"})
    first, second = comparisons([record(split_seed=0), other, record(split_seed=1)])
    assert [one["protocol"]["split_seed"] for one in first] == [0, 1] and second == [other]


def test_an_undefined_metric_is_not_averaged_away() -> None:
    undefined = record(seed=1)
    undefined["metrics"]["session"]["all"]["f1"] = None
    (row,) = model_rows([record(seed=0), undefined])
    assert row.metrics["f1"] is None and "f1" not in row.bounds and row.metrics["recall"] == 0.5


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


def test_simulated_data_is_marked_in_every_form() -> None:
    simulated = [record(dataset={"name": "d", "simulated": True})]
    for reporter in (Table("simple"), Table("github"), Table("latex_booktabs", comment="% ")):
        assert "SIMULATED" in reporter.report(simulated)
    (row, *_) = json.loads(Flat("json").report(simulated))
    assert row["simulated"] is True


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


def test_the_metric_that_ranks_has_an_interval_beyond_0_and_1() -> None:
    values, runs = (50.0, 70.0, 60.0), []
    for seed, value in enumerate(values):
        one = record(f1=0.1 * seed, seed=seed)
        runs.append({**one, "metrics": {**one["metrics"], "cost": {"all": {"cost": value}, "distinct": {}}}})
    half = stats.t.ppf(0.975, 2) * stats.sem(values)
    assert f"60.00 ±{half:.2f}" in Table("simple", metric="cost.cost").report(runs)
    (row, *_) = json.loads(Flat("json", metric="cost.cost").report(runs))
    assert (row["cost.cost_low"], row["cost.cost_high"]) == pytest.approx((60 - half, 60 + half))
    auprc = next(line for line in Table("simple", metric="auprc").report(runs).splitlines() if "(3 seeds)" in line)
    assert auprc.count("±") + auprc.count("+") == 4


def test_rows_tested_on_other_units_have_prevalences_of_their_own() -> None:
    runs = [record("a"), limited("b", 9, 3, 0.5)]
    runs[1]["metrics"]["session"]["all"]["prevalence"] = 0.3
    assert "(prevalence 0.1000 to 0.3000)" in Table("simple").report(runs)
    shares = {row["name"]: row["prevalence"] for row in json.loads(Flat("json").report(runs))}
    assert (shares["a"], shares["b"]) == (0.1, 0.3)
    assert "(prevalence 0.1000)" in Table("simple").report(runs[:1])


def costing(model: str, cost: float, **more: Any) -> dict[str, Any]:
    """A record with the metrics of two evaluators beside, one before those of units; rules cost ten times."""
    one = record(model, **more)
    units = one["metrics"]["session"]
    beside = {
        "cost": {"all": {"cost": cost, "count": 7}, "distinct": {"cost": 1.0, "count": 7}},
        "session": units,
        "delay": {"all": {"seconds": cost / 3, "hidden": 5.5}, "distinct": None},
    }
    rules = {name: {**beside, "cost": {"all": {"cost": 10 * cost}, "distinct": {}}} for name in one["trivial"]}
    columns = {"cost": ["cost"], "session": ["f1", "recall"], "delay": ["seconds"]}
    ways = {"session": {"f1": "higher"}, "cost": {"cost": "lower"}, "delay": {"seconds": "lower"}}
    return {**one, "metrics": beside, "trivial": rules, "columns": columns, "directions": ways}


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


def timed(model: str, f1: float, seconds: float, seed: int = 0, **more: Any) -> dict[str, Any]:
    fit = {"wall_s": seconds, "cpu_s": 2 * seconds, "peak_rss_mb": 100 + seconds, "added_rss_mb": seconds}
    score = {"wall_s": 1.0, "cpu_s": 1.5, "items_per_s": 500 * (seed + 1), "peak_rss_mb": 90.0}
    facts = {"stages": {"fit": fit, "score": score}, "training": {"parameters": 1234}}
    return record(model, f1, seed, **{**facts, "environment": {"device": "auto"}, **more})


def test_cost_stands_beside_quality() -> None:
    """Means of times over seeds, the largest memory, the sum of the parameters of a combination's members."""
    members = {"members": {"a": {"parameters": 2}, "b": {"parameters": 40}}}
    runs = [timed("m", 0.5, 3.0), timed("m", 0.7, 5.0, seed=1), timed("a+b", 0.4, 9.0, training=members)]
    runs += [timed("a+c", 0.3, 0.5, training={"members": {"a": {"parameters": 2}, "c": {}}}), failed("n")]
    rows = {row["name"]: row for row in json.loads(Flat("json").report(runs))}
    assert [rows[name]["parameters"] for name in ("m", "a+b", "a+c", "n")] == [1234, 42, None, None]
    facts = ("fit_s", "fit_cpu_s", "score_s", "score_cpu_s", "units_per_s", "peak_mb", "added_mb", "device")
    assert [rows["m"][name] for name in facts] == [4, 8, 1, 1.5, 750, 105, 5, "cpu"]
    text = Table("simple").report(runs)
    assert "cost on cpu, means over runs" in text and "–" not in text.partition("cost on")[2]
    assert re.search(r"^m +0\.600 +1,234 +4\.00 +8\.00 +750 +105 +5$", text, re.M), text
    assert "the fastest first: a+c, m" in text  # a+b is slower than m, and worse
    assert max(map(len, text.partition("cost on")[2].splitlines()[:9])) <= 80


def test_the_front_is_what_no_point_beats() -> None:
    points = {"a": (0.9, 5.0), "b": (0.9, 6.0), "c": (0.8, 1.0), "twin": (0.9, 5.0), "d": (0.7, 1.0)}
    assert front(points, lower=False) == ["a", "c", "twin"]
    assert front(points, lower=True) == ["d"]


def test_runs_elsewhere_and_scores_of_before_say_so() -> None:
    gpu = timed("m", 0.5, 3.0)
    gpu["stages"]["fit"]["peak_gpu_mb"] = 77.0
    text = Table("simple").report(
        [gpu, timed("n", 0.4, 1.0), record("old", stages={}, environment={"device": "cpu"})]
    )
    assert re.search(r"^m .* 77 +cuda$", text, re.M) and re.search(r"^n .* cpu$", text, re.M), text
    assert "without times, as scores are those of an earlier run: old" in text
    assert "cost" not in Table("simple").report([failed("b")])
