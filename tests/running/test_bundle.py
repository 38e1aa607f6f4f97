"""A saved model says of a log what it said when it was saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import logbench
from logbench import DataError, ModelComponent, Sessions, testing
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.running import identity
from logbench.running.bundle import Bundle
from logbench.running.records import scores


class Length:
    """Scores a unit by its events, or every unit alike."""

    same = False

    def fit(self, train: Sessions, context: Any) -> None: ...

    def score(self, sessions: Sessions, context: Any) -> Any:
        return sessions.lengths * (0.0 if self.same else 1.0)

    def save(self, folder: Path) -> None:
        (folder / "kept").write_text(str(self.same))

    def load(self, folder: Path) -> None:
        self.same = (folder / "kept").read_text() == "True"


class Same(Length):
    same = True


def registry() -> Registry:
    return testing.registry(models=[ModelComponent("events", Length), ModelComponent("same", Same)])


@pytest.mark.parametrize("model", ["events", "same"])
@pytest.mark.parametrize("value", ["3.5", "1e308", "-1e308", None])
def test_verdicts_are_those_of_the_run(tiny_hdfs: Path, tmp_path: Path, model: str, value: str | None) -> None:
    """Of a fixed threshold, and without a value of the best one."""
    chosen = {"threshold": "fixed", "value": value} if value else {"threshold": "oracle"}
    protocol = {"train": "first", "train_units": "1", "held_out": "0", "min_events": "0", **chosen}
    (record,) = logbench.run(
        model,
        dataset="hdfs",
        data=tiny_hdfs,
        parser="none",
        registry=registry(),
        settings={"protocol": protocol},
        out=tmp_path / "runs",
        save=tmp_path / "saved",
    )
    assert record.error is None
    assert record.dataset["lines"] == 8 and record.dataset["sessions"] == 3
    stored = scores(record.as_dict(), tmp_path / "runs").select("unit", "score", "verdict").sort("unit")
    assert stored["unit"].to_list() == ["blk_-2", "blk_3"]
    found = score_bundle(Bundle(tmp_path / "saved", registry()), tiny_hdfs, "cpu", lambda *_: None)
    assert found["unit"].len() == 3
    again = found.filter(pl.col("unit") != "blk_1").select("unit", "score", "verdict").sort("unit")
    assert again.equals(stored)
    if value:
        assert stored["verdict"].to_list() == [score > np.float64(value) for score in stored["score"]]
    else:
        assert stored["verdict"].to_list()[0] is True, "the best threshold finds the one anomaly"


class Pickles(Length):
    def save(self, folder: Path) -> None:
        np.save(folder / "kept.npy", np.array([self], dtype=object), allow_pickle=True)


def test_a_model_that_saves_a_pickle_is_not_kept(tiny_hdfs: Path, tmp_path: Path) -> None:
    known = testing.registry(models=[ModelComponent("pickles", Pickles)])
    protocol = {"train": "first", "train_units": "1", "held_out": "0", "threshold": "oracle"}
    (record,) = logbench.run("pickles", dataset="hdfs", data=tiny_hdfs, registry=known, out=tmp_path / "out",
                             save=tmp_path / "saved", settings={"protocol": protocol})  # fmt: skip
    assert record.error is not None
    assert "'pickles' cannot be saved in a bundle: kept.npy: an array of object" in record.error["message"]
    assert not (tmp_path / "saved").exists()


def test_a_folder_without_a_bundle_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no bundle to read"):
        Bundle(tmp_path, registry())


@pytest.mark.parametrize("file", ["model/kept", "bundle.json"])
def test_a_damaged_bundle_is_one_line(tiny_hdfs: Path, tmp_path: Path, file: str) -> None:
    saved = tmp_path / "saved"
    protocol = {"train": "first", "train_units": "1", "held_out": "0", "threshold": "fixed", "value": "3.5"}
    (record,) = logbench.run("same", dataset="hdfs", data=tiny_hdfs, registry=registry(), out=tmp_path / "out",
                             save=saved, settings={"protocol": protocol})  # fmt: skip
    assert record.status == "ok", record.error
    moved = saved.rename(tmp_path / "moved")
    assert Bundle(moved, registry()).edited == []
    path = moved / file
    path.write_text(path.read_text().replace("True", "Frue").replace("hdfs", "HDFS"))
    with pytest.raises(DataError, match=f"the bundle is damaged .*{file} has other content") as error:
        Bundle(moved, registry())
    assert "\n" not in str(error.value)


def test_a_bundle_tells_which_plugins_were_edited_since(
    tiny_hdfs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "saved"
    (record,) = logbench.run("length", dataset="hdfs", data=tiny_hdfs, out=tmp_path / "out", save=saved,
                             settings={"protocol": {"train_units": "1", "held_out": "0"}})  # fmt: skip
    assert record.status == "ok", record.error
    known = identity.component

    def edited(part: Any) -> dict[str, Any]:
        facts = known(part)
        return {**facts, "plugins": [{**one, "code": "0"} for one in facts["plugins"] if part.name == "length"]}

    monkeypatch.setattr("logbench.running.bundle_parts.component", edited)
    assert Bundle(saved, Registry()).edited == ["baselines (logbench-harness)"]
