"""Small promises at the edges: fail before reading, say what is odd, take paths as text."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logbench
from logbench.api.plan import Plan
from logbench.base.errors import ConfigError, DataError
from logbench.components.entry import Plugin, installed
from logbench.components.registry import Registry
from logbench.studies.compare import compare


class Length:
    """Scores by length; cannot be saved."""

    def fit(self, train: Any, context: Any) -> None: ...

    def score(self, sessions: Any, context: Any) -> Any:
        return sessions.lengths.astype(np.float64)


class Offer:
    @staticmethod
    @logbench.hookimpl
    def logbench_models() -> Iterator[logbench.ModelComponent[Any]]:
        yield logbench.ModelComponent("by-length", Length)
        yield logbench.ModelComponent("taught", Length, traits=logbench.ModelTraits(supervision="supervised"))


@pytest.fixture
def registry() -> Registry:
    return Registry([*installed(), Plugin("offer", "tests", "0", lambda: Offer)])


def archive(folder: Path, normal: int = 10) -> Path:
    """`normal` training sessions and as many others, one of them anomalous."""
    folder.mkdir()
    (folder / "hdfs_train").write_text("1 2 3\n" * normal)
    (folder / "hdfs_test_normal").write_text("1 2 3\n" * normal)
    (folder / "hdfs_test_abnormal").write_text("1 2 3 4 5\n")
    return folder


def run(registry: Registry, data: Path, out: Any, model: str = "by-length", **options: Any) -> Any:
    (record,) = logbench.run(model, dataset="deeplog-archive", data=data, out=out, registry=registry, **options)
    return record


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("by-length", {"device": "cuda"}, "device cuda"),
        ("by-length", {"save": Path("nowhere")}, "cannot be saved"),
        ("taught", {}, "needs labelled training units"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_read(
    registry: Registry, tmp_path: Path, model: str, options: dict[str, Any], said: str
) -> None:
    torch = pytest.importorskip("torch")
    if options.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("CUDA is there")
    record = run(registry, archive(tmp_path / "data"), tmp_path / "out", model, **options)
    assert record.status == "skipped"
    assert said in record.error["message"]
    assert not record.stages


def test_paths_may_be_text(registry: Registry, tmp_path: Path) -> None:
    plan = Plan(model="by-length", dataset="deeplog-archive", data="a", out="b", save="c")  # type: ignore[arg-type]
    assert (plan.data, plan.out, plan.save) == (Path("a"), Path("b"), Path("c"))
    assert run(registry, archive(tmp_path / "data"), str(tmp_path / "out")).status == "ok"
    assert (tmp_path / "out" / "records.jsonl").exists()


def test_a_split_without_normal_test_units_is_noted(registry: Registry, tmp_path: Path) -> None:
    settings = {"protocol": {"train": "first", "train_units": 99}}
    record = run(registry, archive(tmp_path / "data"), tmp_path / "out", settings=settings)
    assert record.split["test"] == 1
    assert any("99" in note and "20" in note for note in record.notes)
    assert any("no normal unit" in note and "set protocol.train_units lower" in note for note in record.notes)
    settings["protocol"]["train_units"] = 10
    record = run(registry, tmp_path / "data", tmp_path / "out", settings=settings)
    assert not any("unit" in note and "left to test" in note for note in record.notes)
    assert not any("may train" in note for note in record.notes)


def test_labels_of_another_log_are_refused_and_strange_ones_noted(tmp_path: Path, write_hdfs: Any) -> None:
    other = write_hdfs("other", labels="BlockId,Label\nblk_70,Normal\nblk_71,Anomaly\n")
    settings = {"protocol": {"train_units": 1, "held_out": 0.0, "threshold": "fixed"}}
    options: dict[str, Any] = {"dataset": "hdfs", "out": tmp_path / "out", "settings": settings}
    (refused,) = logbench.run("new-event+length", data=other, **options)
    assert refused.status == "error"
    assert "none of the 2 labels" in refused.error["message"]
    (record,) = logbench.run("new-event+length", data=write_hdfs("tiny"), **options)
    assert record.status == "ok"
    assert any(note.startswith("1 unit has no label") for note in record.notes)
    assert any(note.startswith("1 label names no unit") for note in record.notes)


def test_the_table_says_skipped_and_why_where_a_run_was(registry: Registry, tmp_path: Path) -> None:
    from logbench_reporters.table import Table

    good = run(registry, archive(tmp_path / "data"), tmp_path / "out").as_dict()
    bad = run(registry, tmp_path / "data", tmp_path / "out", "taught").as_dict()
    assert "skipped" not in Table("simple").report([good])
    row, reason = (line for line in Table("simple").report([good, bad]).splitlines() if "taught" in line)
    assert row.split() == ["taught", "skipped"]
    assert reason.startswith("skipped: taught: a supervised model needs labelled training units")


def test_a_kind_that_is_not_cached_is_an_error() -> None:
    from click.testing import CliRunner

    from logbench.cli import cli

    result = CliRunner().invoke(cli, ["cache", "clear", "--kind", "gruped"])
    assert isinstance(result.exception, ConfigError)


def test_compare_tells_unknown_distinct_metrics_from_missing_labels(registry: Registry, tmp_path: Path) -> None:
    settings = {
        "dataset": {"normal_total": 100},
        "protocol": {"duplicates": "unique"},
    }
    record = run(registry, archive(tmp_path / "data"), tmp_path / "out", settings=settings)
    with pytest.raises(DataError, match="class is subsampled"):
        compare([record.as_dict()] * 2, "f1", 0.0)


def test_rescore_says_that_an_option_is_misspelt(registry: Registry, tmp_path: Path) -> None:
    from logbench.studies.rescore import rescore

    record = run(registry, archive(tmp_path / "data"), tmp_path / "out")
    with pytest.raises(ConfigError, match="did you mean 'short'"):
        rescore(record.as_dict(), tmp_path / "out", {"shrt": "drop"}, (), registry, "")


def test_the_public_names_are_no_modules() -> None:
    """`logbench.run` must stay the function, whatever submodule was imported first."""
    for module in pkgutil.iter_modules(logbench.__path__):
        if module.name != "__main__":
            importlib.import_module(f"logbench.{module.name}")
    assert not [name for name in logbench.__all__ if inspect.ismodule(getattr(logbench, name))]
