"""Runs whose reports are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from reported_runs import MODELS, SMALL

import logbench
from logbench_reporters.report.study import Study, studies


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a few runs."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        logbench.run(MODELS, dataset="hdfs-sim", seeds=[0, 1], settings=SMALL, out=folder)
    return folder


@pytest.fixture(scope="session")
def study(out: Path) -> Study:
    runs = logbench.StoredRuns(out)
    (found,) = studies(runs.records(), runs)
    return found
