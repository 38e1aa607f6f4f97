"""Components at hand run as they are: classes, instances, factories, in every place where a name may stand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

import logbench
from logbench import ConfigError, ModelTraits, PluginError

SMALL: Any = {"dataset": {"blocks": 600}, "protocol": {"train_units": 300}}


WRONG: Any = {"proto": "x"}


class FarFromMean:
    """Distance from the mean length."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def fit(self, train: logbench.Sessions, context: logbench.Context) -> None:
        assert train.labels is None
        self.mean = train.lengths.mean()

    def score(self, sessions: logbench.Sessions, context: logbench.Context) -> Any:
        return self.factor * np.abs(sessions.lengths - self.mean)


class Knows(FarFromMean):
    """A supervised one."""

    traits = ModelTraits(supervision="supervised")

    def fit(self, train: logbench.Sessions, context: logbench.Context) -> None:
        assert train.labels is not None
        super().fit(train.unlabelled(), context)


class Alarms:
    """Counts alarms."""

    directions: ClassVar[Mapping[str, Any]] = {"alarms": "lower"}

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        return {"alarms": int(units["verdict"].sum())}


class ByBlock:
    """The first block that a line names."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit=pl.col("message").str.extract(r"(blk_-?[0-9]+)"))


class Words:
    """One template a message."""

    masks: Sequence[tuple[str, str]] = ()
    shape: Sequence[tuple[str, str]] = ()
    templates: Sequence[str] = ()

    def fit(self, messages: pl.Series) -> Any:
        self.templates = [text.split()[0] for text in messages]
        self.templates = list(dict.fromkeys(self.templates))
        return self.match(messages)

    def match(self, messages: pl.Series) -> Any:
        known = {text: key for key, text in enumerate(self.templates)}
        return np.array([known.get(text.split()[0], -1) for text in messages], dtype=np.int32)

    def state(self) -> dict[str, Any]:
        return {"templates": list(self.templates)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.templates = state["templates"]


@pytest.fixture
def nothing_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working directory that is empty before and after."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield
    assert not list(folder.iterdir())


def run(models: object, **options: Any) -> list[logbench.RunRecord]:
    return logbench.run(models, **{"dataset": "hdfs-sim", "settings": SMALL, "out": None, **options})


def factory() -> FarFromMean:
    """Makes one."""
    return FarFromMean()


@pytest.mark.parametrize("thing", [FarFromMean, FarFromMean(), factory])
def test_class_instance_and_factory_give_the_same(thing: Any, nothing_written: None) -> None:
    (record,) = run(thing)
    (other,) = run("length")
    assert record.status == "ok", record.error
    assert record.scores.columns == ["unit", "score", "label", "verdict"]
    caught = record.scores.filter(pl.col("label") == 1)["verdict"].mean()
    assert logbench.figures(record.as_dict())["recall"] == pytest.approx(caught)
    assert len(record.scores) == other.split["test"]


def test_options_of_an_instance_and_of_settings(nothing_written: None) -> None:
    one, two, three = run([FarFromMean(1.0), FarFromMean(2.0), "length"])
    assert (one.model, two.model, three.model) == ("far-from-mean", "far-from-mean-2", "length")
    assert (one.config["model"], two.config["model"]) == ({"factor": 1.0}, {"factor": 2.0})
    assert two.scores["score"].to_list() == pytest.approx((2 * one.scores["score"]).to_list())
    (set_by_name,) = run(FarFromMean, settings={**SMALL, "far-from-mean": {"factor": 2}})
    assert set_by_name.scores.equals(two.scores)
    with pytest.raises(ConfigError, match=r"far-from-mean\.fator: no such option; did you mean 'factor'"):
        run(FarFromMean, settings={"far-from-mean": {"fator": 2}})


def test_the_same_thing_twice_is_one_model() -> None:
    model = FarFromMean()
    assert [record.model for record in run([model, model])] == ["far-from-mean"]


def test_traits_of_the_class_hold() -> None:
    (record,) = run(Knows(), settings={**SMALL, "protocol": {"train_units": 300, "content": "labelled"}})
    assert record.status == "ok", record.error
    assert record.audit["labels"] != "none"


def test_combination_by_name() -> None:
    both = run([FarFromMean, "length+far-from-mean"])
    assert [record.status for record in both] == ["ok", "ok"]


def test_every_place_where_a_name_may_stand() -> None:
    (record,) = run(FarFromMean, parser=Words, windower=ByBlock(), evaluators=[Alarms])  # fmt: skip
    assert record.status == "ok", record.error
    made = json.loads(record.to_json())["components"]
    assert [made[kind]["name"] for kind in ("parser", "windower")] == ["words", "by-block"]
    assert record.metrics["alarms"]["all"] == {"alarms": record.scores["verdict"].sum()}


def test_prepare_sessions_takes_them() -> None:
    found = logbench.prepare_sessions(FarFromMean(3.0), "hdfs-sim", seed=4, settings=SMALL)
    assert found.context.seed == 4
    assert found.config.factor == 3.0 and len(found.train)


def test_leaderboard_takes_them(tmp_path: Path, nothing_written: None) -> None:
    def found(**options: Any) -> list[Any]:
        return logbench.leaderboard([FarFromMean, "length"], dataset="hdfs-sim", settings=SMALL, seeds=(0,),
                                    baselines=False, **options)  # fmt: skip

    assert {record["model"] for record in found(out=None)} == {"far-from-mean", "length"}
    before = {record["run_id"] for record in found(out=tmp_path / "runs")}
    assert {record["run_id"] for record in found(out=tmp_path / "runs")} == before, "taken over: its file is known"
    with pytest.raises(ConfigError, match="executor: far-from-mean is in this process alone; put it into a file"):
        found(out=None, executor=object())


def test_what_a_function_made_is_not_taken_over(tmp_path: Path) -> None:
    def made(factor: float) -> type:
        class Local(FarFromMean):
            def score(self, sessions: logbench.Sessions, context: logbench.Context) -> Any:
                return factor * super().score(sessions, context)

        return Local

    def found(factor: float) -> Any:
        (record,) = logbench.leaderboard(made(factor), dataset="hdfs-sim", settings=SMALL, seeds=(0,),
                                         baselines=False, out=tmp_path)  # fmt: skip
        return record

    first, second = found(1.0), found(2.0)
    assert first["run_id"] != second["run_id"]
    assert first["components"]["model"]["plugins"][0]["code"] is None
    assert any("defined within a function" in note for note in first["notes"])


def test_scores_of_a_kept_run_are_those_of_its_file(tmp_path: Path) -> None:
    (record,) = run(FarFromMean, out=tmp_path)
    (unkept,) = run(FarFromMean)
    assert record.scores.equals(unkept.scores)
    assert (tmp_path / record.artifacts["scores"]).is_file() and not unkept.artifacts
    with pytest.raises(logbench.DataError, match="no scores at hand"):
        _ = logbench.RunRecord(**record.as_dict()).scores


class Length(FarFromMean):
    """Has the name of an installed one."""


@pytest.mark.parametrize(
    ("ask", "error", "why"),
    [
        (lambda: run(3), PluginError, "int is not a model: it lacks fit and score"),
        (lambda: run(Length), ConfigError, "Length.*the name 'length' is already taken by baselines.*my-length"),
        (lambda: run(Alarms), PluginError, "Alarms is not a model: it lacks fit and score"),
        (lambda: run("length", parser=3), PluginError, "int is not a parser"),
        (lambda: run("length", protocl="x"), ConfigError, "run: there is no option 'protocl'; did you mean 'prot"),
        (lambda: logbench.leaderboard("length", dataset="x", **WRONG), ConfigError, "leaderboard: there is no"),
        (lambda: logbench.prepare_sessions("length", "x", **WRONG), ConfigError, "prepare_sessions: there is no"),
    ],
)  # fmt: skip
def test_one_line_says_what_is_wrong(ask: Callable[[], Any], error: type, why: str) -> None:
    with pytest.raises(error, match=why) as caught:
        ask()
    assert "\n" not in str(caught.value)
