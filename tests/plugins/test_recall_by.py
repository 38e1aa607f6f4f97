"""Recall by type of anomaly and by set of templates, against loops over units; types reach evaluators alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logbench
from logbench.cli import main
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.data.sessions import Sessions
from logbench.evaluation.unit_metrics import metrics_of
from logbench.pipeline.grouping import GroupedLines
from logbench.running.anomaly_kinds import template_sets, types_of


def test_types_of_one_key_sequence_are_all_among_distinct_units() -> None:
    """A pair of sequence and label has a weight of 1, whichever types its units are of."""
    units = pl.DataFrame(
        {
            "label": pl.Series([1, 1, 1, 0], dtype=pl.Int8), "verdict": [True, True, True, False],
            "score": [1.0, 1.0, 1.0, 0.0], "weight": [1.0] * 4, "events": [3] * 4,
            "sequence": pl.Series([5, 5, 5, 6], dtype=pl.UInt32), "type": ["disk", "net", "net", None],
        }
    )  # fmt: skip
    built = {name: configured(Registry().get("evaluator", name)).build() for name in ("types", "classification")}
    found = metrics_of(units, built, "session", weighted=False)
    kinds = found["types"]["distinct"]
    assert (kinds["types"], kinds["found"], kinds["recall:disk"], kinds["recall:net"]) == (2, 2, 1, 1)
    cells = {name: found["session"]["distinct"][name] for name in ("tp", "fp", "tn", "fn")}
    assert cells == pytest.approx({"tp": 1, "fp": 0, "tn": 1, "fn": 0})


KINDS = st.lists(
    st.tuples(st.integers(0, 1), st.booleans(), st.sampled_from(["disk", "net", None]), st.integers(1, 3)),
    min_size=1,
)


@settings(max_examples=40, deadline=None)
@given(KINDS)
@pytest.mark.parametrize(
    ("name", "column", "count"), [("types", "type", "types"), ("template-sets", "template_set", "sets")]
)
def test_recall_by_kind_is_that_of_a_loop(name: str, column: str, count: str, rows: list[tuple[Any, ...]]) -> None:
    label, verdict, kind, weight = zip(*rows, strict=True)
    code = {"disk": 3, "net": 8, None: None}
    units = pl.DataFrame(
        {
            "label": pl.Series(label, dtype=pl.Int8), "verdict": verdict,
            "weight": pl.Series(weight, dtype=pl.Float64),
            "type": pl.Series(kind, dtype=pl.String),
            "template_set": pl.Series([code[one] for one in kind], dtype=pl.UInt32),
        }
    )  # fmt: skip
    found = configured(Registry().get("evaluator", name)).build().evaluate(units)
    total: dict[Any, int] = defaultdict(int)
    hits: dict[Any, int] = defaultdict(int)
    for one, alarm, of, each in rows:
        if one:
            total[of] += each
            hits[of] += each * alarm
    if not any(of is not None for of in total):
        assert found[count] is None and found["macro_recall"] is None
        return
    recalls = {of: hits[of] / total[of] for of in total}
    assert found[count] == len(recalls) and found["found"] == sum(one > 0 for one in recalls.values())
    assert found["macro_recall"] == pytest.approx(np.mean(list(recalls.values())))
    if name == "types":
        assert found["worst_recall"] == pytest.approx(min(recalls.values()))
        named = {key: value for key, value in found.items() if key.startswith("recall:")}
        assert named == pytest.approx({f"recall:{of or 'unknown'}": one for of, one in recalls.items()})
    else:
        assert found["largest_share"] == pytest.approx(max(total.values()) / sum(total.values()))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=12))
def test_units_of_the_same_templates_are_one_set_in_any_order_and_number(walks: list[list[int]]) -> None:
    numbers = template_sets(Sessions.of(walks)).tolist()
    for one, a in zip(walks, numbers, strict=True):
        for other, b in zip(walks, numbers, strict=True):
            assert (a == b) == (set(one) == set(other))


def grouped(**columns: Any) -> GroupedLines:
    """Three units of two, one and three lines."""
    units = pl.DataFrame({"unit": ["a", "b", "c"], "label": pl.Series([1, 0, 1], dtype=pl.Int8)})
    return GroupedLines(
        units, np.array([0, 2, 3, 6]), np.zeros(6, dtype=np.int32), np.array([0, 4, 1, 2, 3, 5], dtype=np.uint32),
        pl.Series(["m"]), line_labels=np.array([0, 1, 0, 0, 1, 1], dtype=np.int8), **columns,
    )  # fmt: skip


def test_a_unit_has_the_type_of_its_first_anomalous_line_or_of_its_name() -> None:
    by_line = pl.DataFrame({"line": pl.Series([3, 4, 5], dtype=pl.UInt32), "type": ["net", "disk", "cpu"]})
    assert types_of(grouped(types=lambda: by_line), None).to_list() == ["disk", None, "net"]
    by_unit = pl.DataFrame({"unit": ["c", "other"], "type": ["net", "disk"]})
    assert types_of(grouped(types=lambda: by_unit), None).to_list() == [None, None, "net"]
    assert types_of(grouped(), None).to_list() == [None] * 3
    with pytest.raises(logbench.PluginError, match="two types of unit c"):
        types_of(grouped(types=lambda: pl.concat([by_unit, by_unit])), None)
    with pytest.raises(logbench.PluginError, match="need columns unit or line, and type"):
        types_of(grouped(types=lambda: by_unit.drop("type")), None)


class Looking:
    """A model that writes down all that it is given."""

    seen: ClassVar[list[str]] = []

    def fit(self, train: Sessions, context: Any) -> None:
        Looking.seen.append(repr(vars(train)))

    def score(self, sessions: Sessions, context: Any) -> Any:
        Looking.seen.append(repr(vars(sessions)))
        return sessions.lengths.astype(float)


def test_types_are_those_of_the_simulation_and_no_model_sees_one(tmp_path: Path) -> None:
    (record,) = logbench.run(
        Looking(), dataset="hdfs-sim", settings={"hdfs-sim": {"blocks": 3000}}, out=tmp_path,
        evaluators=("classification", "types", "template-sets"),
    )  # fmt: skip
    scores = pl.read_parquet(tmp_path / record.artifacts["scores"])
    folder = Path(record.dataset["path"])
    written = dict(pl.read_csv(folder / "preprocessed/anomaly_type.csv").iter_rows())
    expected = [written.get(unit) for unit in scores["unit"]]
    assert scores["type"].to_list() == expected and len(set(written.values())) == 11
    found = record.metrics["types"]["all"]
    test = scores.filter((pl.col("part") == "test") & (pl.col("type") == "delete error"))
    assert found["recall:delete error"] == pytest.approx(test["verdict"].mean())
    assert record.metrics["template-sets"]["all"]["sets"] > 1
    assert Looking.seen and not any(kind in text for kind in written.values() for text in Looking.seen)


def test_prices_of_the_command_are_those_of_the_evaluator(tmp_path: Path) -> None:
    def asked(*words: str) -> Any:
        command = [sys.executable, "-m", "logbench", *words, "--out", str(tmp_path), "--json"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    asked_of = ("run", "length", "--dataset", "hdfs-sim", "--set", "hdfs-sim.blocks=1000")
    run = asked(*asked_of, "--set", "protocol.train_units=400", "--cost", "fp=2,fn=30")
    assert run["config"]["evaluators"]["costs"] == {"fp": 2.0, "fn": 30.0}
    counts = run["metrics"]["session"]["all"]
    price = 2 * counts["fp"] + 30 * counts["fn"]
    assert run["metrics"]["costs"]["all"]["per_unit"] == pytest.approx(price / run["counts"]["scored"])
    again = asked("rescore", run["run_id"], "--cost", "fn=7")
    assert again["config"]["evaluators"]["costs"] == {"fp": 2.0, "fn": 7.0}


def refused(cost: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["run", "length", "--dataset", "hdfs-sim", "--cost", cost])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and "Traceback" not in said
    return said


@pytest.mark.parametrize("text", ["fp", "fp=-1", "fp=x", "fp=nan", "fp=inf", "=1", "fp=1,fp=2", "fp=1,"])
def test_prices_that_are_none_are_said(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Invalid value for '--cost'" in refused(text, capsys)


def test_a_price_that_no_evaluator_has_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no evaluator has it; there is fp, fn" in refused("miss=1", capsys)
