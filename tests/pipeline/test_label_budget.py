"""A budget of labels: as many as asked, nested, blind to the labels; nobody sees more; the record counts them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_log import Row, registry, run_one, write
from splitting import frame, split

import logbench.running.prepared
import logbench.running.procedures.batch
from logbench import ConfigError, Context, EvaluationProtocol, ModelComponent, ModelTraits, RunRecord, Sessions
from logbench.running.prepared import Prepared

BUDGETS = (0.01, 0.1, 0.3, 0.9, 1.0)


@given(
    labels=st.lists(st.sampled_from([0, 0, 1]), min_size=20, max_size=80),
    held_out=st.sampled_from([0.0, 0.1, 0.5]),
    seed=st.integers(0, 3),
)
@settings(max_examples=30)
def test_so_many_labels_may_be_seen_in_proportion_and_nested(
    labels: list[int], held_out: float, seed: int
) -> None:
    asked: dict[str, Any] = {"train": "random_ratio", "train_ratio": 0.7, "content": "labelled"}
    asked |= {"split_seed": seed, "held_out": held_out}
    plain = split(frame(labels), **asked)
    parts = [set(part.tolist()) for part in (plain.train, plain.held_out)]
    units = len(parts[0]) + len(parts[1])
    assert not len(plain.hidden)
    before = set[int]()
    for budget in (*BUDGETS, *(number for number in (2, units // 2, units, units + 5) if number > 1)):
        found = split(frame(labels), label_budget=budget, **asked)
        assert found.digest == plain.digest and found.test.tolist() == plain.test.tolist()
        other = split(frame([1 - label for label in labels]), label_budget=budget, **asked)
        assert found.hidden.tolist() == other.hidden.tolist(), "which labels are seen depends on no label"
        wanted = min(round(budget * units) if budget <= 1 else budget, units)
        seen = (parts[0] | parts[1]) - set(found.hidden.tolist())
        assert len(seen) == wanted and found.hidden.tolist() == sorted(set(found.hidden.tolist()))
        assert len(seen & parts[1]) == round(wanted * len(parts[1]) / units)
        assert budget == 2 or before <= seen, "a larger budget shows the same and more"
        before = seen


def test_which_labels_are_seen_depends_on_the_splits_seed() -> None:
    asked: dict[str, Any] = {"train": "ratio", "content": "labelled", "label_budget": 0.5}
    found = [split(frame([0, 1] * 20), split_seed=seed, **asked).hidden.tolist() for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(("more", "said"), [
    ({"content": "normal", "label_budget": 0.5}, "protocol.content=normal shows none; use content=labelled"),
    ({"content": "labelled", "label_budget": 2.5}, "above 1 it is a whole number"),
])  # fmt: skip
def test_a_budget_that_means_nothing_is_refused(more: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        EvaluationProtocol(**more)


class Spy:
    """Keeps what it is told of each unit, by the number in its one message."""

    told: ClassVar[list[dict[int, int | None]]] = []

    def fit(self, train: Sessions, context: Context) -> None:
        assert context.held_out is not None
        for units in (train, context.held_out):
            labels = [None] * len(units) if units.labels is None else units.labels.tolist()
            texts = [units.templates[key] if key < len(units.templates) else "" for key in units.keys]
            numbers = units.times // 1_000_000 if units.times is not None else []
            assert len(texts) == len(numbers)
            self.told.append(dict(zip([int(n) - int(START) for n in numbers], labels, strict=True)))

    def score(self, sessions: Sessions, context: Context) -> Any:
        return sessions.keys[sessions.offsets[:-1]].astype(float)


LINES = 400
START = np.datetime64("2005-06-03", "s").astype(np.int64)


def label(line: int) -> int:
    return int(line % 3 == 0)


def run_with(folder: Path, kind: Any, budget: float | None, unlabelled: bool = False, **more: Any) -> RunRecord:
    Spy.told.clear()
    rows: list[Row] = [(f"message {line % 7}", label(line), line, "n") for line in range(LINES)]
    traits = ModelTraits(supervision=kind, unlabelled=unlabelled, needs=frozenset({"times"}))
    protocol = {"train": "ratio", "train_ratio": 0.5, "content": "labelled", "held_out": 0.2, **more}
    options: dict[str, Any] = {"protocol": {**protocol, "label_budget": budget}, "count": {"size": 1}}
    found = registry(models=[ModelComponent("spy", Spy, traits=traits)])
    return run_one(write(folder / "a.log", rows), found, "spy", options)


def seen_of(record: RunRecord, folder: Path) -> dict[int, int]:
    """Label of each held-out unit that a threshold may see, by line."""
    scores = pl.read_parquet(folder / "runs" / record.artifacts["scores"]).filter(part="held_out")
    return {line: label for line, label in scores.select("index", "label").iter_rows() if label >= 0}


@pytest.mark.parametrize("budget", [0.1, 50, 1.0])
@pytest.mark.parametrize("kind", ["supervised", "unlabelled", "semi-supervised", "unsupervised"])
def test_no_model_is_told_more_than_the_budget(tmp_path: Path, kind: str, budget: float) -> None:
    of = "supervised" if kind == "unlabelled" else kind
    record = run_with(tmp_path, of, budget, unlabelled=kind == "unlabelled")
    assert record.status == "ok", record.error
    train, held = Spy.told
    seen = round(200 * budget) if budget <= 1 else int(budget)
    facts = record.labels
    assert facts["seen"] == seen == facts["seen_normal"] + facts["seen_anomalous"]
    told = {line: one for one_part in (train, held) for line, one in one_part.items() if one not in (None, -1)}
    assert all(label(line) == one for line, one in told.items())
    if of == "supervised":
        assert len(told) == seen == facts["used"]
        assert sum(told.values()) == facts["seen_anomalous"]
        assert len(train) == (160 if kind == "unlabelled" else seen - round(seen * 0.2))
        assert len(held) == (40 if kind == "unlabelled" else round(seen * 0.2))
    else:
        assert not told, "labels are for supervised models"
        if kind == "semi-supervised":
            assert len(train) + len(held) == facts["seen_normal"] == facts["used"]
            assert not any(map(label, [*train, *held])), "it gets the units that are known to be normal"
        else:
            assert len(train) + len(held) == 200 and facts["used"] == 0
    known = seen_of(record, tmp_path)
    assert len(known) == round(seen * 0.2) and all(label(line) == one for line, one in known.items())
    assert record.threshold["held_out"] == sum(not one for one in known.values())


def test_a_budget_of_everything_changes_nothing(tmp_path: Path) -> None:
    for kind in ("supervised", "semi-supervised"):
        some, every = run_with(tmp_path, kind, 1.0), run_with(tmp_path, kind, None)
        assert some.metrics == every.metrics and some.threshold == every.threshold and some.labels == every.labels
        assert some.split == every.split


def test_a_larger_budget_tells_the_same_and_more(tmp_path: Path) -> None:
    told: list[dict[int, int | None]] = []
    for budget in (0.1, 0.5):
        run_with(tmp_path, "supervised", budget)
        told.append({**Spy.told[0], **Spy.told[1]})
    assert told[0].items() <= told[1].items() and len(told[0]) < len(told[1])


def test_wrong_labels_stay_wrong_and_count_as_they_are_seen(tmp_path: Path) -> None:
    record = run_with(tmp_path, "supervised", 0.5, label_noise=1.0)
    told = {**Spy.told[0], **Spy.told[1]}
    assert all(one == 1 - label(line) for line, one in told.items())
    assert record.labels["seen_anomalous"] == sum(1 - label(line) for line in told)


def test_a_model_that_would_see_one_class_alone_is_skipped_in_one_line(tmp_path: Path) -> None:
    record = run_with(tmp_path, "supervised", 2)
    assert record.status == "skipped" and record.error is not None
    assert "protocol.label_budget=2 shows model spy" in record.error["message"]
    assert "needs both; give a larger budget" in record.error["message"] and "\n" not in record.error["message"]


def test_a_label_beyond_the_budget_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made on purpose: every training unit is handed out with its true label."""

    def every(resolved: Any, prepared: Prepared) -> Any:
        true = prepared.grouped.units["label"].to_numpy()
        parts = [prepared.part(n, u, resolved.needs) for n, u in
                 (("train", prepared.split.train), ("held_out", prepared.split.held_out))]  # fmt: skip
        return [
            logbench.running.prepared.HandedUnits(replace(part.sessions, labels=true[part.units]), part.units)
            for part in parts
        ]

    monkeypatch.setattr(logbench.running.procedures.batch, "learning_parts", every)
    record = run_with(tmp_path, "supervised", 0.5)
    assert record.error is not None and record.error["type"] == "LeakError"
    assert "which protocol.label_budget hides" in record.error["message"]


def test_a_threshold_by_labels_sees_those_within_the_budget_alone(tmp_path: Path) -> None:
    record = run_with(tmp_path, "supervised", 0.5, threshold="labelled")
    scores = pl.read_parquet(tmp_path / "runs" / record.artifacts["scores"])
    known = seen_of(record, tmp_path)
    rows = [(raw, known[at]) for at, raw in scores.filter(part="held_out").select("index", "raw").iter_rows()
            if at in known]  # fmt: skip

    def f1(threshold: float) -> float:
        alarms = [one for raw, one in rows if raw > threshold]
        return 2 * sum(alarms) / (len(alarms) + sum(one for _, one in rows))

    assert f1(float(record.threshold["exact"])) == max(f1(raw - 0.5) for raw in range(9))
    assert record.audit["threshold"] == "held-out units and their labels"
    assert record.threshold["source"] == "labelled"
