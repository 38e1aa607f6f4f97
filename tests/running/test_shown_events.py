"""Runs keep the events of a few units, and what of training each key is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import logbench
from logbench.base.errors import DataError
from logbench.running.stored import table

SMALL = {"dataset": {"blocks": 500}, "protocol": {"train_units": 150}}


def test_shown_events_are_those_of_the_units_and_score_as_the_model_does(tmp_path: Path) -> None:
    records = logbench.run(["new-event", "ecvc"], dataset="hdfs-sim", settings=SMALL, out=tmp_path, save=None)
    stored = logbench.saved_run(records[0].run_id, tmp_path)
    sessions = stored.sessions
    for record in (one.as_dict() for one in records):
        shown, scores = table(record, tmp_path, "shown"), logbench.StoredRuns(tmp_path).scores(record)
        assert shown.height and shown["index"].n_unique() <= 18
        test = scores.filter(pl.col("part") == "test")
        for (index,), events in shown.group_by("index", maintain_order=True):
            assert isinstance(index, int)
            row = test.row(by_predicate=pl.col("index") == index, named=True)
            unit = sessions[[index]]
            assert events["key"].to_list() == unit.keys.tolist()
            assert unit.lines is not None and events["line"].to_list() == unit.lines.tolist()
            assert events["event"].to_list() == list(range(row["events"]))
            if record["model"] == "ecvc" or row["short"]:
                assert events["score"].null_count() == events.height
            else:  # the worst event is the unit's score
                assert max(events["score"]) == row["raw"]
        kinds = {
            (row["label"], row["verdict"])
            for row in test.filter(pl.col("index").is_in(shown["index"].implode())).iter_rows(named=True)
        }
        assert kinds == set(
            test.filter(pl.col("verdict") | (pl.col("label") == 1)).select("label", "verdict").unique().rows()
        )
    templates = table(records[0].as_dict(), tmp_path, "templates")
    train = sessions[stored.train].keys
    for key, share in templates.select("key", "training").iter_rows():
        assert share == np.mean(train == key)


def test_a_run_of_an_older_version_kept_none_and_that_is_said(tmp_path: Path) -> None:
    record = logbench.run("new-event", dataset="hdfs-sim", settings=SMALL, out=tmp_path)[0].as_dict()
    templates = tmp_path / record["artifacts"]["templates"]
    pl.read_parquet(templates).drop("training").write_parquet(templates)
    (tmp_path / record["artifacts"].pop("shown")).unlink()
    record["checksums"] = {}
    with pytest.raises(DataError, match="shown"):
        logbench.StoredRuns(tmp_path).events(record)
