"""What a typed name of a run means, and names of new runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from made_records import made

from logbench import DataError
from logbench.running import records, run_names


def test_find_by_beginning_by_whole_name_and_last(tmp_path: Path) -> None:
    for name in ("20260101-m-aa", "20260101-m-aab", "20260102-m-cc"):
        records.append(made(name), tmp_path)
    assert run_names.find("20260102", tmp_path)["run_id"] == "20260102-m-cc"
    assert run_names.find("20260101-m-aa", tmp_path)["run_id"] == "20260101-m-aa", "whole names are no beginnings"
    assert run_names.find("last", tmp_path)["run_id"] == "20260102-m-cc"
    assert run_names.find("last~2", tmp_path)["run_id"] == "20260101-m-aa"
    with pytest.raises(DataError, match="last~3: there are 3 runs"):
        run_names.find("last~3", tmp_path)
    with pytest.raises(DataError, match=r"begins 2 runs.*20260101-m-aab"):
        run_names.find("20260101", tmp_path)
    with pytest.raises(DataError, match="no run zz"):
        run_names.find("zz", tmp_path)


def test_last_passes_over_baselines_that_nobody_asked_for(tmp_path: Path) -> None:
    records.append(made("asked"), tmp_path)
    records.append(made("reference", baseline=True), tmp_path)
    assert run_names.find("last", tmp_path)["run_id"] == "asked"
    assert run_names.find("ref", tmp_path)["run_id"] == "reference"


def test_last_is_the_last_that_worked_and_a_failed_run_has_its_id(tmp_path: Path) -> None:
    records.append(made("first"), tmp_path)
    records.append(made("failed", status="error"), tmp_path)
    records.append(made("second"), tmp_path)
    for name in ("skipped-a", "skipped-b"):
        records.append(made(name, status="skipped"), tmp_path)
    assert run_names.find("last", tmp_path)["run_id"] == "second"
    assert run_names.find("last~1", tmp_path)["run_id"] == "first"
    assert run_names.find("failed", tmp_path)["status"] == "error"
    with pytest.raises(DataError, match="last~2: there are 2 runs, beside 3 failed ones in"):
        run_names.find("last~2", tmp_path)


def test_a_new_run_has_a_name_of_its_own_that_says_when_and_what() -> None:
    first, second = run_names.new_run("deeplog"), run_names.new_run("deeplog")
    assert first["run_id"] != second["run_id"]
    assert datetime.fromisoformat(first["started"]).strftime("%Y%m%d-%H%M%S-deeplog-") == first["run_id"][:-6]
