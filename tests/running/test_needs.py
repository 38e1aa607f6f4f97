"""What a model declares that it needs is looked for before anything is read, in runs, saved models and streams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest
from labelled_log import CARD, Log, write

from logbench import (
    DatasetComponent,
    IncompatibleError,
    KeySequences,
    Lines,
    ModelComponent,
    ModelTraits,
    RunRecord,
    run,
    testing,
)
from logbench.api.traits import Need, Supervision
from logbench.base.progress import silent
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running.bundle import Bundle


class Needy:
    """Scores nothing; notes what it was given."""

    def fit(self, train: Any, context: Any) -> None: ...

    def score(self, sessions: Any, context: Any) -> Any:
        return np.zeros(len(sessions))

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...


class Bare:
    """The log without times and labels."""

    reads: int = 0

    def read(self, path: Path) -> Lines:
        frame = Log().read(path).frame.drop("time", "label")

        def counted(message: pl.Series) -> pl.Series:
            type(self).reads += 1
            return message

        return Lines(frame.with_columns(pl.col("message").map_batches(counted, pl.String)), files=[path])


class Timeless:
    """The log with a column of times that holds none."""

    def read(self, path: Path) -> Lines:
        return Lines(Log().read(path).frame.with_columns(time=pl.lit(None, pl.Datetime("us"))), files=[path])


class Numbers:
    """Key sequences."""

    def read(self, path: Path) -> KeySequences:
        units = {"unit": [f"u{n}" for n in range(60)], "keys": [[1, 2, n % 3] for n in range(60)]}
        frame = pl.DataFrame({**units, "label": [int(n > 55) for n in range(60)]})
        return KeySequences(frame.cast({"label": pl.Int8}), [path])


OF_TEXT = ("templates", "texts", "messages", "parameters", "vectors", "text_vectors")
# Data sets, and what they have.
DATASETS: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "log": (Log, {"times", *OF_TEXT, "line_labels"}),
    "bare": (Bare, set(OF_TEXT)),
    "timeless": (Timeless, {*OF_TEXT, "line_labels"}),
    "numbers": (Numbers, set()),
}
SUPERVISION: dict[Need, Supervision] = {"line_labels": "supervised"}
NEEDS: tuple[Need, ...] = get_args(Need)


def registry() -> Registry:
    models = [
        ModelComponent(
            need,
            Needy,
            traits=ModelTraits(needs=frozenset({need}), supervision=SUPERVISION.get(need, "unsupervised")),
        )
        for need in NEEDS
    ]
    models.append(ModelComponent("untaught", Needy, traits=ModelTraits(needs=frozenset({"line_labels"}))))
    datasets = [DatasetComponent(name, build, card=CARD) for name, (build, _) in DATASETS.items()]
    return testing.registry(models=models, datasets=datasets)


def made(model: str, dataset: str, path: Path, **options: Any) -> RunRecord:
    content = "labelled" if model == "line_labels" else "mixed"
    protocol = {"train": "first", "train_units": 20, "content": content, "min_events": 0}
    options |= {"out": path.parent / "runs", "settings": {"protocol": protocol}}
    (record,) = run(model, dataset=dataset, data=path, windower="node", registry=registry(), **options)
    return record


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "a.log", [(f"step {n % 7}", int(n > 500), n, f"n{n // 10}") for n in range(600)])


@pytest.mark.parametrize("dataset", list(DATASETS))
@pytest.mark.parametrize("need", NEEDS)
def test_a_model_is_skipped_where_the_data_lack_what_it_needs(need: Need, dataset: str, log: Path) -> None:
    record = made(need, dataset, log)
    if need in DATASETS[dataset][1]:
        assert record.error is None
        return
    assert record.status == "skipped" and record.error is not None
    words = need.replace("_", " ")
    has = "only key sequences" if dataset == "numbers" else "none"
    assert record.error["message"] == f"model {need} needs {words}, but data set {dataset} has {has}"
    assert record.error["stage"] == ("group" if dataset == "timeless" else "locate"), "before anything is read"


def test_a_model_that_sees_no_labels_cannot_need_them(log: Path) -> None:
    record = made("untaught", "log", log)
    assert record.status == "skipped" and record.error is not None
    assert (
        record.error["message"]
        == "model untaught needs line labels, but gets no labels because it is semi-supervised"
    )


def test_nothing_is_read_where_the_columns_tell(log: Path) -> None:
    Bare.reads = 0
    assert made("times", "bare", log).status == "skipped" and Bare.reads == 0
    assert made("templates", "bare", log).status == "ok" and Bare.reads > 0


def test_a_combination_needs_what_its_members_need(log: Path) -> None:
    record = made("templates+times", "bare", log)
    assert record.status == "skipped" and record.error is not None
    assert record.error["message"] == "model templates+times needs times, but data set bare has none"
    assert registry().get("model", "templates+times").item.traits.needs == {"templates", "times"}


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_a_saved_model_needs_it_of_other_logs_too(way: str, log: Path, tmp_path: Path) -> None:
    """But not the labels, which it has learnt from."""
    known = registry()
    for need in NEEDS:
        assert made(need, "log", log, save=tmp_path / need).error is None
        bundle = Bundle(tmp_path / need, known)
        bundle.parts["dataset"] = configured(known.get("dataset", "bare"))

        def score(bundle: Bundle = bundle) -> int:
            if way == "file":
                return len(score_bundle(bundle, log, "cpu", silent))
            return sum(map(len, score_stream(bundle, iter([log.read_bytes()]), 1e9, "cpu", lambda: 0.0)))

        if need == "times":
            with pytest.raises(IncompatibleError, match="model times needs times, but data set bare has none"):
                score()
        else:
            assert score() == 60


def test_times_that_are_null_are_told_when_a_saved_model_scores(log: Path, tmp_path: Path) -> None:
    assert made("times", "log", log, save=tmp_path / "saved").error is None
    known = registry()
    bundle = Bundle(tmp_path / "saved", known)
    bundle.parts["dataset"] = configured(known.get("dataset", "timeless"))
    with pytest.raises(IncompatibleError, match="needs times"):
        score_bundle(bundle, log, "cpu", silent)


class Wanting:
    """Scores 1 where units have times."""

    def fit(self, train: Any, context: Any) -> dict[str, Any]:
        return {"times": train.times is not None}

    def score(self, sessions: Any, context: Any) -> Any:
        return np.full(len(sessions), float(sessions.times is not None))


@pytest.mark.parametrize(("dataset", "has"), [("log", True), ("bare", False), ("numbers", False)])
def test_what_a_model_only_wants_it_gets_where_the_data_have_it(dataset: str, has: bool, log: Path) -> None:
    traits = ModelTraits(wants=frozenset({"times"}), supervision="unsupervised")
    component = ModelComponent("wanting", Wanting, traits=traits)
    datasets = [DatasetComponent(name, build, card=CARD) for name, (build, _) in DATASETS.items()]
    protocol = {"train": "first", "train_units": 20, "content": "mixed", "min_events": 0}
    (record,) = run(
        "wanting", dataset=dataset, data=log, windower="node", out=None, settings={"protocol": protocol},
        registry=testing.registry(models=[component], datasets=datasets),
    )  # fmt: skip
    assert record.error is None and record.training == {"times": has} and record.needs == ["times"]
    assert set(record.scores["score"]) == {float(has)}
