"""The data of a stored run: generated ones are made again where the cache was cleared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import logbench
from logbench.base import cache_folder

SMALL = {"dataset": {"blocks": 300}, "protocol": {"train_units": 90}}


def test_generated_data_are_made_again_where_the_cache_was_cleared(tmp_path: Path) -> None:
    (record,) = logbench.run("new-event", dataset="hdfs-sim", settings=SMALL, out=tmp_path)
    before = logbench.saved_run("last", tmp_path).sessions
    cache_folder.clear()
    assert not Path(record.dataset["path"]).exists()
    after = logbench.saved_run("last", tmp_path).sessions
    assert np.array_equal(after.keys, before.keys) and np.array_equal(after.offsets, before.offsets)


def test_data_of_the_user_that_are_gone_are_named(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("".join(f"2024-03-01 10:{n // 60:02}:{n % 60:02} INFO web: request {n}\n" for n in range(600)))
    definition = tmp_path / "web.toml"
    definition.write_text("files = ['web.log']\nformat = 'python'\nwindower = 'time'\nwindow = '10s'\n")
    logbench.run("new-event", dataset=str(definition), settings={"protocol": {"train_units": 9}}, out=tmp_path)
    log.unlink()
    with pytest.raises(logbench.DataError, match=r"web\.log"):
        logbench.saved_run("last", tmp_path)
