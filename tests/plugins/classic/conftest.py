"""The real sample that classic models are tested on."""

from __future__ import annotations

from pathlib import Path

import pytest

from logbench import Sessions
from logbench.api.plan import Plan
from logbench.components.registry import Registry
from logbench.running.prepare import prepare
from logbench.running.resolve import resolve
from logbench.running.runtime import Runtime
from logbench.running.stages import Stages

SAMPLE = "hdfs_v1_sample/HDFS_v1.zip"


@pytest.fixture(scope="session")
def halves(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Sessions, Sessions]:
    """Training and test half of the real sample under loglizer's preset, labels and all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        registry = Registry()
        plan = Plan(
            model="knn", dataset="hdfs", data=shared_data / SAMPLE, preset="loglizer-supervised", cache=False
        )
        runtime = Runtime.here(registry)
        made = prepare(resolve(plan, registry), runtime, Stages(runtime), print)
    return made.sessions.take(made.split.train), made.sessions.take(made.split.test)
