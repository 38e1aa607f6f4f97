"""Wrong labels: as many as asked, of the classes asked, of training units alone; tested labels never change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_log import Row, registry, run_one, write
from splitting import frame, split

from logbench import ConfigError, Context, EvaluationProtocol, ModelComponent, ModelTraits, RunRecord, Sessions
from logbench.pipeline.label_noise import noisy

CLASSES = {"symmetric": {0, 1}, "anomaly_to_normal": {1}, "normal_to_anomaly": {0}}
LABELS = st.lists(st.sampled_from([0, 0, 1, -1]), min_size=20, max_size=60)


@pytest.mark.parametrize("held_out", [0.0, 0.3])
@pytest.mark.parametrize("kind", CLASSES)
@given(labels=LABELS, seed=st.integers(0, 3))
@settings(max_examples=15)
def test_so_many_labels_of_training_units_are_wrong(
    kind: str, held_out: float, labels: list[int], seed: int
) -> None:
    options: dict[str, Any] = {"train": "random_ratio", "content": "labelled", "label_noise_kind": kind}
    options |= {"split_seed": seed, "held_out": held_out, "train_ratio": 0.7}
    if not {0, 1} & set(labels):
        return
    before: set[int] = set()
    for share in (0.0, 0.1, 0.5, 1.0):
        found = split(frame(labels), label_noise=share, **options)
        wrong = set(found.flipped.tolist())
        for part in (found.train, found.held_out):
            of_class = [int(i) for i in part if labels[i] in CLASSES[kind]]
            assert len(wrong & set(of_class)) == round(share * len(of_class))
        assert {labels[i] for i in wrong} <= CLASSES[kind] and not wrong & set(found.test.tolist())
        assert before <= wrong, "more noise adds to less"
        seen, true = noisy(np.array(labels, dtype=np.int8), found.flipped).tolist(), list(labels)
        assert [i for i in range(len(labels)) if seen[i] != true[i]] == found.flipped.tolist()
        assert all({seen[i], true[i]} == {0, 1} for i in wrong)
        before = wrong


def test_which_labels_depends_on_the_splits_seed() -> None:
    options: dict[str, Any] = {"train": "ratio", "content": "labelled", "label_noise": 0.5}
    found = [split(frame([0, 1] * 20), split_seed=seed, **options).flipped.tolist() for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("content", ["normal", "mixed"])
def test_without_labels_there_is_nothing_to_flip(content: str) -> None:
    with pytest.raises(ConfigError, match="content=labelled"):
        EvaluationProtocol(content=content, label_noise=0.1)  # type: ignore[arg-type]


class Remembers:
    """Scores 1 what it was told is anomalous in training, by its first key."""

    def fit(self, train: Sessions, context: Context) -> dict[str, Any]:
        assert train.labels is not None
        self.bad = {
            int(train.keys[at]) for at, label in zip(train.offsets, train.labels, strict=False) if label == 1
        }
        return {"anomalous": int((train.labels == 1).sum()), "line_labels": train.line_labels is not None}

    def score(self, sessions: Sessions, context: Context) -> Any:
        return np.array([float(int(sessions.keys[at]) in self.bad) for at in sessions.offsets[:-1]])


def run_with(folder: Path, model: str, share: float, kind: str = "symmetric", **more: float) -> RunRecord:
    rows: list[Row] = [(f"message {i % 3}", int(i % 3 == 2), i, "n") for i in range(600)]
    needs = ModelTraits(supervision="supervised", needs=frozenset({"line_labels"}))
    models = [
        ModelComponent("remembers", Remembers, traits=ModelTraits(supervision="supervised")),
        ModelComponent("of-lines", Remembers, traits=needs),
    ]
    protocol = {
        "train": "ratio",
        "train_ratio": 0.5,
        "content": "labelled",
        "held_out": 0.2,
        "label_noise": share,
        **more,
    }
    settings: dict[str, Any] = {"protocol": {**protocol, "label_noise_kind": kind}, "count": {"size": 1}}
    return run_one(write(folder / "a.log", rows), registry(models=models), model, settings)


@pytest.mark.parametrize(
    ("kind", "flips"), [("symmetric", None), ("anomaly_to_normal", (0, 16)), ("normal_to_anomaly", (32, 0))]
)
def test_a_run_trains_on_wrong_labels_and_is_measured_on_true_ones(
    tmp_path: Path, kind: str, flips: tuple[int, int] | None
) -> None:
    clean, noised = (run_with(tmp_path, "remembers", share, kind) for share in (0.0, 0.2))
    assert (
        clean.error is None
        and clean.training["anomalous"] == 80
        and clean.split["flipped"] == {"normal": 0, "anomaly": 0}
    )
    assert clean.metrics["window"]["all"]["f1"] == 1.0
    flipped = noised.split["flipped"]
    truth = pl.read_parquet(tmp_path / "runs" / noised.artifacts["scores"]).filter(part="test")["label"]
    assert truth.to_list() == [int(i % 3 == 2) for i in range(300, 600)], "tested labels are the true ones"
    held = (
        pl.read_parquet(tmp_path / "runs" / noised.artifacts["scores"])
        .filter(part="held_out")
        .sort("index")["label"]
    )
    wrong = sum(one != int(i % 3 == 2) for i, one in enumerate(held.to_list(), start=240))
    assert (
        sum(flipped.values()) == wrong + {"symmetric": 48, "anomaly_to_normal": 16, "normal_to_anomaly": 32}[kind]
    )
    if flips:
        assert noised.training["anomalous"] == 80 + flips[0] - flips[1]
    assert not noised.training["line_labels"], "labels of lines would tell the true ones"
    assert any("have the wrong label" in note for note in noised.notes)


def test_a_model_of_line_labels_is_refused_under_noise(tmp_path: Path) -> None:
    assert run_with(tmp_path, "of-lines", 0.0).status == "ok"
    record = run_with(tmp_path, "of-lines", 0.2)
    assert record.status == "skipped" and record.error is not None and "labels of lines" in record.error["message"]


@pytest.mark.parametrize("kind", CLASSES)
def test_so_many_labels_of_tested_units_are_wrong_and_none_that_trains(kind: str) -> None:
    labels = [0, 0, 1, -1] * 30
    options: dict[str, Any] = {"train": "random_ratio", "content": "labelled", "label_noise_kind": kind}
    plain, before = split(frame(labels), label_noise=0.3, **options), set[int]()
    for share in (0.0, 0.1, 0.5, 1.0):
        found = split(frame(labels), label_noise=0.3, test_label_noise=share, **options)
        wrong = set(found.flipped_test.tolist())
        of_class = [int(i) for i in found.test if labels[i] in CLASSES[kind]]
        assert len(wrong) == round(share * len(of_class)) and wrong <= set(of_class) and before <= wrong
        assert found.flipped.tolist() == plain.flipped.tolist() and found.digest == plain.digest
        before = wrong


def test_wrong_labels_of_the_test_change_metrics_and_no_score(tmp_path: Path) -> None:
    plain, none = run_with(tmp_path, "remembers", 0.0), run_with(tmp_path, "remembers", 0.0, test_label_noise=0.0)
    noisy_run = run_with(tmp_path, "remembers", 0.0, test_label_noise=0.5)
    scores = [pl.read_parquet(tmp_path / "runs" / one.artifacts["scores"]) for one in (plain, noisy_run, none)]
    assert scores[0].equals(scores[2]) and plain.metrics == none.metrics and plain.protocol == none.protocol
    assert (
        scores[0]
        .select("unit", "raw", "score", "verdict")
        .equals(scores[1].select("unit", "raw", "score", "verdict"))
    )
    tested = [one.filter(part="test")["label"].to_numpy() for one in scores[:2]]
    assert noisy_run.split["flipped_test"] == {
        "normal": int(((tested[0] == 0) & (tested[1] == 1)).sum()),
        "anomaly": int(((tested[0] == 1) & (tested[1] == 0)).sum()),
    }
    assert (tested[0] != tested[1]).sum() == round(0.5 * len(tested[0]))
    assert plain.protocol["hash"] != noisy_run.protocol["hash"] and plain.metrics != noisy_run.metrics
    assert any("judged by the wrong label" in note for note in noisy_run.notes)
