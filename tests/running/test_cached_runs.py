"""Runs with a cache, without one, and with one that is damaged, full or read-only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from logbench import DataError, run
from logbench.api.record import RunRecord
from logbench.base import file_digests
from logbench.base.progress import silent
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.running.locate import locate


def test_damaged_generated_data_that_cannot_be_removed_are_not_used(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, said = Registry(), list[str]()
    part = configured(registry.get("dataset", "hdfs-sim"), {"blocks": 100})
    first = locate(part, None, registry, silent)
    assert first is not None
    damaged = next(path for path in sorted(first.path.rglob("*")) if path.is_file())
    whole_text = damaged.read_bytes()
    damaged.write_bytes(whole_text[: len(whole_text) // 2])
    monkeypatch.setattr(shutil, "rmtree", lambda path, **how: None)
    again = locate(part, None, registry, silent, note=said.append)
    assert again is not None and (again.path / damaged.relative_to(first.path)).read_bytes() == whole_text
    assert len(said) == 1 and "damaged" in said[0]


@pytest.mark.parametrize("cached", [True, False])
def test_a_full_disk_is_said_in_a_line_where_data_are_generated(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, cached: bool
) -> None:
    registry = Registry()
    part = configured(registry.get("dataset", "hdfs-sim"), {"blocks": 200})

    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(part.build()), "generate", full)
    said: list[str] = []
    with pytest.raises(DataError, match=r"logbench-.*cannot be written: No space left on device"):
        locate(part, None, registry, silent, cached=cached, note=said.append)
    assert len(said) == cached and all("generated" in line and "continuing without cache" in line for line in said)


SIMULATED: dict[str, Any] = {
    "dataset": "hdfs-sim",
    "settings": {"dataset": {"blocks": 200}, "protocol": {"train_units": 60}},
}


def only(out: Path, **chosen: Any) -> RunRecord:
    (record,) = run("new-event", out=out, **{**SIMULATED, **chosen})
    assert record.status == "ok", record.error
    return record


@pytest.mark.usefixtures("remembered")
def test_a_run_without_cache_makes_nothing_in_it_and_believes_nothing_of_it(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGBENCH_KERNEL", "off")  # polars reads a log that was looked at before
    simulated = locate(
        configured(Registry().get("dataset", "hdfs-sim"), {"blocks": 200}), None, Registry(), silent
    )
    assert simulated is not None
    logs = shutil.copytree(simulated.path, tmp_path / "logs")
    shutil.rmtree(own_cache)
    given: dict[str, Any] = {"dataset": "hdfs", "data": logs, "settings": {"protocol": {"train_units": 60}}}
    found = [only(tmp_path / "a", cache=False, **more).dataset["digest"] for more in ({}, given)]
    assert not own_cache.exists()
    for more in ({}, given):
        only(tmp_path / "b", **more)
    known = json.loads((own_cache / "digests.json").read_text())
    assert any("scannable" in key for key in known) and any("sha256" in key for key in known)
    for key, kept in known.items():
        kept["digest"] = False if kept["digest"] is True else "0" * 64
        kept["sum"] = file_digests._sum(key, kept)
    (own_cache / "digests.json").write_text(json.dumps(known))
    before = {path: path.stat().st_mtime_ns for path in [own_cache, *own_cache.rglob("*")]}
    again = [only(tmp_path / "a", cache=False, **more).dataset["digest"] for more in ({}, given)]
    assert again == found
    assert {path: path.stat().st_mtime_ns for path in [own_cache, *own_cache.rglob("*")]} == before
    assert only(tmp_path / "b", **given).dataset["digest"] != found[1], "the memory was there to be believed"


@pytest.mark.parametrize("cached", [True, False])
def test_a_cache_that_cannot_be_written_changes_no_figure(own_cache: Path, tmp_path: Path, cached: bool) -> None:
    expected = only(tmp_path / "runs").metrics
    shutil.rmtree(own_cache)
    own_cache.write_text("a file is in the way")
    record = only(tmp_path / "runs", cache=cached)
    assert record.metrics == expected
    assert len([note for note in record.notes if "continuing without cache" in note]) == 2 * cached
