"""What is on disk before anything is evaluated, and what a record names where the rest cannot follow."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl

from logbench import RunRecord, run

SEEN = "seen.parquet"


class Looks:
    """Keeps a copy of the scores on disk, and may put a folder in their place."""

    def __init__(self, out: Path, blocks: bool) -> None:
        self.out, self.blocks = out, blocks

    def evaluate(self, units: pl.DataFrame) -> dict[str, Any]:
        """See `Evaluator.evaluate`."""
        (file,) = self.out.glob("*/scores.parquet")
        if file.is_file():
            shutil.copy(file, self.out / SEEN)
            if self.blocks:
                file.unlink()
                file.mkdir()
        return {}


def of_run(evaluator: Looks) -> RunRecord:
    settings = {"dataset": {"blocks": 400}, "protocol": {"train_units": 100}}
    return run("length", dataset="hdfs-sim", settings=settings, evaluators=[evaluator], out=evaluator.out)[0]


def test_scores_are_on_disk_before_evaluators_and_whole_at_the_end(tmp_path: Path) -> None:
    record = of_run(Looks(tmp_path, blocks=False))
    whole = pl.read_parquet(tmp_path / record.artifacts["scores"])
    assert record.status == "ok" and {"verdict", "why", "index"} <= set(whole.columns) and len(whole)
    assert pl.read_parquet(tmp_path / SEEN).equals(whole.select("part", "unit", "label", "raw"))


def test_a_record_names_no_table_that_is_not_whole(tmp_path: Path) -> None:
    record = of_run(Looks(tmp_path, blocks=True))
    assert record.error is not None and record.error["stage"] == "store" and "scores" not in record.artifacts
    assert pl.read_parquet(tmp_path / record.artifacts["templates"]).height and (tmp_path / SEEN).is_file()
