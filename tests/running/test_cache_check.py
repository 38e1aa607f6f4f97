"""`logbench cache verify`: whatever was damaged is found and named, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import logbench
from logbench.base import file_digests
from logbench.base.files import digests_file
from logbench.components.configured import configured
from logbench.components.entry import RegisteredComponent
from logbench.components.registry import Registry
from logbench.reading.fetch import folder_of, target_of
from logbench.running.cache_check import verify
from logbench.testing.command import Done

SMALL: dict[str, Any] = {"settings": {"dataset": {"blocks": 300}, "protocol": {"train_units": 100}}}
ARCHIVE = b"an archive"


@pytest.fixture
def filled(tmp_path: Path, registry: Registry, remembered: None) -> Registry:
    """A cache with one entry of each kind; the registry that knows its archive."""
    (record,) = logbench.run("length", dataset="hdfs-sim", out=tmp_path / "runs", **SMALL)
    assert record.status == "ok", record.error
    entry = registry.get("dataset", "hdfs-sim")
    card = replace(entry.item.card, url="https://nowhere.example/set.zip", size=len(ARCHIVE),
                   md5=hashlib.md5(ARCHIVE).hexdigest(), simulated=False)  # fmt: skip
    registry.components["dataset"]["fetched"] = RegisteredComponent(
        replace(entry.item, name="fetched", card=card), entry.plugin
    )
    folder_of(card).mkdir(parents=True)
    target_of(card, folder_of(card)).write_bytes(ARCHIVE)
    assert configured(registry.get("dataset", "fetched")).name == "fetched"
    return registry


def states(registry: Registry) -> dict[str, str]:
    return {row["kind"]: row["state"] for row in verify(registry)}


def test_what_is_as_it_was_is_ok(filled: Registry) -> None:
    assert states(filled) == dict.fromkeys(("digests.json", "fetched", "generated", "grouped"), "ok")


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("grouped", "code.npy"),
        ("grouped", "sums.json"),
        ("generated", "HDFS.log"),
        ("generated", "anomaly_label.csv"),
        ("fetched", "set.zip"),
    ],
)
def test_one_flipped_bit_is_found_whatever_the_times_say(
    filled: Registry, own_cache: Path, kind: str, file: str
) -> None:
    (path,) = (own_cache / kind).rglob(file)
    before, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    found = states(filled)
    assert found.pop(kind) == "bad" and set(found.values()) == {"ok"}


def test_a_remembered_digest_that_is_wrong_is_found(filled: Registry) -> None:
    known = json.loads(memory().read_text())
    key = next(key for key in known if key.startswith("sha256:") and "anomaly_label" in key)
    known[key]["digest"] = "0" * 64
    for said in ("anomaly_label.csv is not what was written", "anomaly_label.csv: its sha256 is not"):
        memory().write_text(json.dumps(known))
        (bad,) = (row for row in verify(filled) if row["state"] == "bad")
        assert bad["kind"] == "digests.json" and said in bad["why"]
        known[key]["sum"] = file_digests._sum(key, known[key])


def memory() -> Path:
    file = digests_file()
    assert file is not None
    return file


def damages(text: str) -> Iterator[str]:
    """A digest with one digit changed, a state with one, one key with one, and what is no memory at all."""
    (at, *_) = (found.start(1) for found in re.finditer(r'"digest": "([0-9a-f]+)"', text))
    yield text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :]
    yield text.replace('"state": [\n   ', '"state": [\n   1', 1)
    yield text.replace("sha256:", "sha257:", 1)
    yield from ("\0" * len(text), text[: len(text) // 2], "", "[]", json.dumps({"sha256:x": 3}))


@pytest.mark.parametrize("which", range(8))
def test_a_damaged_memory_of_digests_is_found_said_in_a_line_and_changes_nothing(
    filled: Registry, tmp_path: Path, which: int
) -> None:
    chosen = {"dataset": "hdfs-sim", "out": tmp_path / "runs", **SMALL}
    (before,) = logbench.run("length", **chosen)
    text = memory().read_text()
    damaged = [*damages(text)][which]
    assert damaged != text
    memory().write_text(damaged)
    assert states(filled)["digests.json"] == "bad"
    (after,) = logbench.run("length", **chosen)
    assert len([note for note in after.notes if "digests.json is damaged" in note]) == 1
    assert (after.metrics, after.dataset["digest"]) == (before.metrics, before.dataset["digest"])
    assert states(filled)["digests.json"] == "ok"
    (again,) = logbench.run("length", **chosen)
    assert not [note for note in again.notes if "damaged" in note]


def test_leftovers_and_archives_of_no_data_set_are_not_judged(filled: Registry, own_cache: Path) -> None:
    del filled.components["dataset"]["fetched"]
    (own_cache / "grouped" / ".x-1").mkdir()
    found = states(filled)
    assert found["fetched"] == found["leftover"] == "unknown" and "bad" not in found.values()


def test_the_command_exits_with_1_and_repairs(run_logbench: Callable[..., Done], tmp_path: Path) -> None:
    cache = tmp_path / "cache-of-command"
    words = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=300", "--set", "protocol.train_units=100", "--json")

    def logbench(*words: str) -> Done:
        return run_logbench(*words, LOGBENCH_CACHE=str(cache))

    first = logbench("run", "new-event", *words)
    assert first.code == 0, first.err
    assert logbench("cache", "verify").code == 0
    for path in (*cache.rglob("code.npy"), *cache.rglob("HDFS.log")):
        path.write_bytes(bytes(path.stat().st_size))
    done = logbench("cache", "verify", "--json")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 1 and "2 bad (remove them: logbench cache verify --fix)" in done.err
    assert sorted(row["kind"] for row in rows if row["state"] == "bad") == ["generated", "grouped"]
    again = logbench("run", "new-event", *words)
    assert again.code == 0 and "Traceback" not in again.err
    said = [line for line in again.err.splitlines() if "is damaged" in line]
    assert len(said) == 2, again.err
    metrics = [json.loads(one.out)["metrics"] for one in (first, again)]
    assert metrics[0] == metrics[1]
    next(cache.rglob("code.npy")).write_bytes(b"")
    assert logbench("cache", "verify", "--fix").code == 0
    assert not list(cache.rglob("code.npy")) and list(cache.rglob("HDFS.log"))
