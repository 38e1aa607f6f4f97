"""What is left of a run that failed late: its scores, no metrics, the stage; and that it can be decided anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from logbench import (
    Context,
    EvaluatorComponent,
    ModelComponent,
    ModelTraits,
    Scores,
    Sessions,
    run,
    testing,
)
from logbench.base.errors import DataError
from logbench.components.registry import Registry
from logbench.running import records
from logbench.studies.ranked_units import described
from logbench.studies.rescore import rescore

SMALL = {"dataset": {"blocks": 300}, "protocol": {"train_units": 100, "alpha": 0.1}}


class Lengths:
    """Scores by length; what it expected is a matter of the subclass."""

    def fit(self, train: Sessions, context: Context) -> None: ...

    def score(self, sessions: Sessions, context: Context) -> Scores:
        return Scores(sessions.lengths.astype(np.float64), event=np.zeros(len(sessions), dtype=np.int64))


class Mute(Lengths):
    def expected(self, sessions: Sessions, events: Any, context: Context) -> pl.Series:
        raise ValueError("no idea")


class Fails:
    def evaluate(self, units: pl.DataFrame) -> dict[str, float]:
        raise ZeroDivisionError("no luck")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return testing.registry(
        models=[
            ModelComponent("lengths", Lengths, traits=ModelTraits()),
            ModelComponent("mute", Mute, traits=ModelTraits()),
        ],
        evaluators=[EvaluatorComponent("fails", Fails)],
    )


def ran(registry: Registry, out: Path, model: str, **options: Any) -> dict[str, Any]:
    (record,) = run(model, dataset="hdfs-sim", registry=registry, out=out, settings=SMALL, **options)
    return record.as_dict()


@pytest.mark.parametrize(
    ("model", "evaluators", "stage", "kind"),
    [
        ("lengths", ("classification", "fails"), "evaluate", "ZeroDivisionError"),
        ("mute", (), "store", "ValueError"),
    ],
)
def test_scores_outlive_what_fails_after_them_and_metrics_do_not(
    registry: Registry, tmp_path: Path, model: str, evaluators: tuple[str, ...], stage: str, kind: str
) -> None:
    good = ran(registry, tmp_path, "lengths")
    assert good["status"] == "ok" and good["metrics"] and "store" in good["stages"]
    failed = ran(registry, tmp_path, model, evaluators=evaluators)
    assert failed["status"] == "error"
    assert (failed["error"]["stage"], failed["error"]["type"]) == (stage, kind)
    for name in ("metrics", "trivial", "directions", "bound"):
        assert failed[name] == {} != good[name], name
    stored, before = (records.scores(one, tmp_path) for one in (failed, good))
    assert stored["raw"].equals(before["raw"]) and stored["unit"].equals(before["unit"])

    again = rescore(failed, tmp_path, {}, (), registry, "").as_dict()
    assert again["status"] == "ok" and again["error"] is None
    for name in ("metrics", "trivial", "counts", "bound"):
        assert again[name] == good[name], name
    assert [row["unit"] for row in described(again, tmp_path, "top", 5, registry)] == [
        row["unit"] for row in described(good, tmp_path, "top", 5, registry)
    ]


@pytest.mark.parametrize(
    ("model", "protocol", "evaluators", "status"),
    [
        ("lengths", {"held_out": 0.001}, (), "skipped"),
        ("lengths", {}, ("classification", "fails"), "error"),
        ("mute", {}, (), "error"),
    ],
)
def test_units_of_a_run_without_verdicts_are_refused_in_a_line(
    registry: Registry,
    tmp_path: Path,
    model: str,
    protocol: dict[str, Any],
    evaluators: tuple[str, ...],
    status: str,
) -> None:
    settings = {**SMALL, "protocol": {**SMALL["protocol"], **protocol}}
    (record,) = run(
        model, dataset="hdfs-sim", registry=registry, out=tmp_path, settings=settings, evaluators=evaluators
    )
    assert record.status == status and record.error is not None
    with pytest.raises(DataError, match=f"no verdicts: its status is {status}"):
        described(record.as_dict(), tmp_path, "top", 5, registry)
