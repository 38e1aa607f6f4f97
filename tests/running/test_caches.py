"""The cache: what comes out is what went in, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from logbench import DataError, run
from logbench.api.record import RunRecord
from logbench.base import cache_folder, checksums, file_digests
from logbench.base.files import whole
from logbench.base.progress import silent
from logbench.components.configured import ConfiguredComponent, configured
from logbench.components.registry import Registry
from logbench.pipeline import grouped_cache
from logbench.pipeline.grouping import GroupedLines
from logbench.running import identity, prepare
from logbench.running.locate import locate
from logbench.running.provenance import environment

FULL = GroupedLines(
    units=pl.DataFrame(
        {
            "unit": ["a", "ü"],
            "label": [1, -1],
            "first_line": [0, 1],
            "last_line": [4, 1],
            "part": ["train", "test"],
        },
        schema_overrides={"label": pl.Int8},
    ),
    offsets=np.array([0, 2, 3], dtype=np.int64),
    codes=np.array([0, 1, 0], dtype=np.int32),
    lines=np.array([0, 4, 1], dtype=np.int64),
    messages=pl.Series("message", ["x\ny", ""]),
    times=np.array([-1, 5, 10**15], dtype=np.int64),
    line_labels=np.array([0, 1, -1], dtype=np.int8),
    facts={"lines": 5, "events": 3},
)
BARE = replace(FULL, times=None, line_labels=None, units=FULL.units.drop("part"), sequences=True)
notes: list[str] = []


def loaded() -> GroupedLines | None:
    return grouped_cache.load("a-k", notes.append)


def assert_same(found: GroupedLines, expected: GroupedLines) -> None:
    assert found.units.equals(expected.units) and found.units.schema == expected.units.schema
    assert found.messages.equals(expected.messages)
    assert found.facts == expected.facts and found.sequences == expected.sequences
    for name in ("offsets", "codes", "lines", "times", "line_labels"):
        mine, theirs = getattr(found, name), getattr(expected, name)
        assert (mine is None) == (theirs is None), name
        if theirs is not None:
            assert mine.dtype == theirs.dtype and mine.tolist() == theirs.tolist(), name


@pytest.mark.parametrize("value", [FULL, BARE], ids=["full", "bare"])
def test_grouped_lines_come_back(value: GroupedLines, own_cache: Path) -> None:
    assert loaded() is None
    kept = grouped_cache.store("a-k", value, notes.append)
    assert isinstance(kept.codes, np.memmap), "columns as long as the log need not stay in memory"
    assert_same(kept, value)
    assert grouped_cache.has("a-k") and not grouped_cache.has("other")
    found = loaded()
    assert found is not None and notes == []
    assert_same(found, value)
    assert own_cache in Path(cache_folder.entries()[0]["path"]).parents


def test_a_cache_that_cannot_be_written_is_done_without(own_cache: Path) -> None:
    own_cache.write_text("a file is in the way")
    said: list[str] = []
    assert grouped_cache.store("a-k", FULL, said.append) is FULL
    assert not grouped_cache.has("a-k") and len(said) == 1 and "without cache" in said[0]


def part(name: str = "new-event", **options: Any) -> ConfiguredComponent:
    return configured(Registry().get("model", name), options)


def test_the_key_changes_with_every_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    def keys() -> list[identity.Key]:
        ways = ({}, {"a": 1}, {"a": 2}, {"b": 1}, {"a": [1]}, {"a": 1, "b": None}, {"a": float("inf")})
        found = [identity.of({"model": part()}, **facts) for facts in ways]
        found.append(identity.of({"model": part("length")}))
        found += [identity.of({"model": part("deeplog", h=h)}) for h in (4, 5)]
        found.append(identity.of({"parser": part("deeplog", h=4)}))
        return found

    before = keys()
    assert len(set(before)) == len(before) and all(key.known for key in before)
    assert identity.of({"model": part()}, a=1, b=2) == identity.of({"model": part()}, b=2, a=1)
    for name, value in (("python", "9.9"), ("packages", {"polars": "0"})):
        monkeypatch.setattr(identity, "environment", lambda name=name, value=value: {**environment(), name: value})
        assert not {key.text for key in keys()} & {key.text for key in before}, name
    monkeypatch.undo()
    monkeypatch.setattr(identity, "core_digest", lambda: "other")
    assert not {key.text for key in keys()} & {key.text for key in before}
    assert [key.text[:12] for key in keys()] == [key.text[:12] for key in before], "what is asked for is the same"
    monkeypatch.setattr(identity, "core_digest", lambda: None)
    assert not any(key.known for key in keys()), "of code that is not known nothing may be kept"


def spoil_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def spoil_zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def spoil_flip(path: Path) -> None:
    """One bit in the middle, size and times as before."""
    before, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def spoil_double(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


FILES = (
    "code.npy",
    "line.npy",
    "time.npy",
    "label.npy",
    "units.parquet",
    "messages.parquet",
    "facts.json",
    "sums.json",
)
SPOILERS = (spoil_cut, spoil_zero, spoil_flip, spoil_double, Path.unlink)


@pytest.mark.parametrize("spoil", SPOILERS)
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_entry_is_said_in_a_line_removed_and_made_anew(
    file: str, spoil: Callable[[Path], None], own_cache: Path
) -> None:
    grouped_cache.store("a-k", FULL, notes.append)
    spoil(own_cache / "grouped" / "a-k" / file)
    said: list[str] = []
    assert grouped_cache.load("a-k", said.append) is None
    (line,) = said
    assert (file in line or file == "sums.json") and "grouped entry a-k is damaged" in line and "\n" not in line
    assert not grouped_cache.has("a-k")
    grouped_cache.store("a-k", FULL, said.append)
    found = loaded()
    assert found is not None and len(said) == 1
    assert_same(found, FULL)


@pytest.mark.parametrize("column", [np.array([0, 1, 0], dtype=np.int64), np.array([0, 1], dtype=np.int32)])
def test_an_entry_with_a_column_of_another_kind_or_of_another_entry_is_damaged(
    column: Any, own_cache: Path
) -> None:
    grouped_cache.store("a-k", FULL, notes.append)
    folder = own_cache / "grouped" / "a-k"
    np.save(folder / "code.npy", column)
    assert grouped_cache.load("a-k", notes.append) is None
    grouped_cache.store("b-k", FULL, notes.append)
    shutil.copytree(own_cache / "grouped" / "b-k", folder)
    assert grouped_cache.load("a-k", notes.append) is None and "of another entry" in notes.pop()
    folder.mkdir()
    assert grouped_cache.load("a-k", notes.append) is None, "an empty folder"
    notes.clear()


def test_few_entries_of_one_request_are_kept(own_cache: Path) -> None:
    for number in range(5):
        for asked in ("asked", "other"):
            grouped_cache.store(f"{asked}-{number}", FULL, notes.append)
            os.utime(own_cache / "grouped" / f"{asked}-{number}", ns=(number, number))
    grouped_cache.store("asked-new", FULL, notes.append)
    found = {path.name for path in (own_cache / "grouped").iterdir()}
    assert {name for name in found if name.startswith("asked")} == {"asked-3", "asked-4", "asked-new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    folder = tmp_path / "place"
    with pytest.raises(DataError if error is OSError else error), whole(folder / "kept") as target:
        (target / "half").write_text("written")
        raise error
    assert list(folder.iterdir()) == []


def test_whoever_is_first_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with whole(kept) as target:
        (target / "by").write_text("slow")
        assert not kept.exists(), "nothing is to be seen before the end"
        with whole(kept) as other:
            (other / "by").write_text("fast")
    assert (kept / "by").read_text() == "fast"
    assert [path.name for path in tmp_path.iterdir() if path.name != "own-cache"] == ["kept"]


def test_many_at_once_all_get_the_whole(own_cache: Path) -> None:
    gate = threading.Barrier(6)
    found: list[GroupedLines] = []
    errors: list[object] = []

    def work() -> None:
        gate.wait()
        try:
            for _ in range(3):
                grouped_cache.store("a-k", FULL, errors.append)
                one = grouped_cache.load("a-k", errors.append)
                assert one is not None
                found.append(one)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and len(found) == 18
    for value in found:
        assert_same(value, FULL)
    assert [path.name for path in (own_cache / "grouped").iterdir()] == ["a-k"]


def test_clear_by_kind_and_leftovers(own_cache: Path) -> None:
    assert cache_folder.entries() == [] and cache_folder.clear() == 0
    grouped_cache.store("a-k", FULL, notes.append)
    leftover = own_cache / "grouped" / ".k2-abc"
    leftover.mkdir()
    (leftover / "half").write_bytes(b"12345")
    (own_cache / "digests.json").write_text("{}")
    kinds = {entry["kind"]: entry["bytes"] for entry in cache_folder.entries()}
    assert set(kinds) == {"grouped", "leftover", "digests.json"} and kinds["leftover"] == 5
    assert cache_folder.clear("leftover") == 5 and not leftover.exists()
    assert grouped_cache.has("a-k")
    assert cache_folder.clear() == kinds["grouped"] + 2 and cache_folder.entries() == []


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.mark.parametrize("reader", ["own", "hdfs"])
def test_a_log_that_changes_while_it_is_read_is_not_cached(
    reader: str, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    (data / "preprocessed").mkdir(parents=True)
    line = "081109 203500 1 INFO dfs.X: block blk_{}\n"
    (data / "HDFS.log").write_text("".join(line.format(n % 20) for n in range(60)))
    names = "".join(f"blk_{n},Normal\n" for n in range(20))
    (data / "preprocessed" / "anomaly_label.csv").write_text(f"BlockId,Label\n{names}")
    (data / "my.toml").write_text("files = 'HDFS.log'\nid = 'message'\nid_pattern = 'blk_[0-9]+'\n")
    known = prepare.digest_of

    def grown(*given: Any, **options: Any) -> str:
        monkeypatch.setattr(prepare, "digest_of", known)
        if reader == "own":  # it grows before it is hashed: its digest is of more than is read
            add(data / "HDFS.log", line.format(3))
            return known(*given, **options)
        digest = known(*given, **options)  # afterwards: more is read than its digest is of
        add(data / "HDFS.log", line.format(3))
        return digest

    monkeypatch.setattr(prepare, "digest_of", grown)
    chosen: dict[str, Any] = {"dataset": str(data / "my.toml") if reader == "own" else "hdfs", "data": data}
    chosen["settings"] = {"protocol": {"train": "ratio"}}
    lines = [run("markov", out=tmp_path / f"runs{n}", **chosen)[0].dataset["lines"] for n in range(2)]
    assert lines[1] == 61
    assert [entry["kind"] for entry in cache_folder.entries()].count("grouped") == 1, "of the second run alone"


# One unit trains.
ONE: dict[str, Any] = {"protocol": {"train": "random", "train_units": "1", "held_out": "0"}}


def folders(root: Path, *names: str) -> Path:
    """A log of two nodes, each in a folder of its own, and its definition."""
    for number, name in enumerate(names):
        (root / name).mkdir(parents=True)
        (root / name / "app.log").write_text("".join(f"step {n % 5} of {number}\n" for n in range(40)))
    (root / "my.toml").write_text("files = '*/app.log'\nwindower = 'file'\n")
    return root / "my.toml"


def test_a_folder_that_gets_another_name_is_other_data(tmp_path: Path) -> None:
    """Files are called alike, and units are named after their folders."""

    def units(definition: Path) -> tuple[list[str], str]:
        (record,) = run("length", dataset=str(definition), out=tmp_path / "runs", settings=ONE)
        assert record.status == "ok", record.error
        frame = pl.read_parquet(tmp_path / "runs" / record.artifacts["scores"])
        return sorted(frame["unit"].to_list()), record.dataset["digest"]

    definition = folders(tmp_path / "logs", "n1", "n2", "n3")
    before = units(definition)
    (tmp_path / "logs" / "n1").rename(tmp_path / "logs" / "a")
    (tmp_path / "logs" / "n2").rename(tmp_path / "logs" / "b")
    (tmp_path / "logs" / "n3").rename(tmp_path / "logs" / "c")
    after = units(definition)
    assert all(name.startswith(("a", "b", "c")) for name in after[0])
    assert after[1] != before[1]


def test_an_edited_definition_of_own_logs_is_read_anew(tmp_path: Path) -> None:
    log = "".join(f"job {n % 4} step {n % 3}\n" for n in range(60))
    (tmp_path / "a.log").write_text(log)
    found = []
    for pattern in ("job [0-9]+", "step [0-9]+"):
        (tmp_path / "my.toml").write_text(f"files = 'a.log'\nid = 'message'\nid_pattern = '{pattern}'\n")
        (record,) = run("length", dataset=str(tmp_path / "my.toml"), out=tmp_path / "runs", settings=ONE)
        assert record.status == "ok", record.error
        found.append(record.dataset["sessions"])
    assert found == [4, 3]


def test_an_entry_that_is_removed_while_it_is_read_is_none(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column that is gone must not pass for one that never was."""
    for name in ("label.npy", "time.npy", "code.npy", "units.parquet", "facts.json"):
        grouped_cache.store("a-k", FULL, notes.append)
        sound = cache_folder.sound

        def removed_after(folder: Path, note: Any, name: str = name, sound: Any = sound) -> bool:
            found: bool = sound(folder, note)
            (folder / name).unlink()
            return found

        monkeypatch.setattr(grouped_cache, "sound", removed_after)
        assert loaded() is None, name
        monkeypatch.setattr(grouped_cache, "sound", sound)
        shutil.rmtree(cache_folder.folder_of("grouped", "a-k"))


def test_entries_that_another_process_removes_are_passed_over(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grouped_cache.store("a-k", FULL, notes.append)
    is_file, rmtree = Path.is_file, shutil.rmtree

    def gone_after(path: Path) -> bool:
        found = is_file(path)
        if path.name == "code.npy":
            path.unlink(missing_ok=True)
        return found

    def beaten(path: Path, **how: Any) -> None:
        rmtree(path)
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "is_file", gone_after)
    assert [entry["name"] for entry in cache_folder.entries()] == ["a-k"]
    monkeypatch.setattr(Path, "is_file", is_file)
    monkeypatch.setattr(shutil, "rmtree", beaten)
    assert cache_folder.clear() > 0 and cache_folder.entries() == []


def test_what_cannot_be_removed_is_said_in_a_line(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grouped_cache.store("a-k", FULL, notes.append)

    def refused(path: Path, **how: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refused)
    with pytest.raises(DataError, match="a-k: cannot be removed: Permission denied"):
        cache_folder.clear()


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


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found out about files is remembered, however small and new they are."""
    monkeypatch.setattr(file_digests, "SMALL", 0)
    monkeypatch.setattr(file_digests, "_SETTLED_NS", -1)


def only(out: Path, **chosen: Any) -> RunRecord:
    (record,) = run("new-event", out=out, **{**SIMULATED, **chosen})
    assert record.status == "ok", record.error
    return record


@pytest.mark.usefixtures("remembered")
def test_a_run_without_cache_makes_nothing_in_it_and_believes_nothing_of_it(
    own_cache: Path, tmp_path: Path
) -> None:
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


def test_an_entry_that_another_process_put_in_place_of_a_damaged_one_is_left_and_used(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grouped_cache.store("a-k", FULL, notes.append)
    folder, fault = cache_folder.folder_of("grouped", "a-k"), checksums.fault
    (folder / "code.npy").write_bytes(b"damaged")

    def meanwhile(*given: Any) -> str:
        found = fault(*given)
        monkeypatch.setattr(checksums, "fault", fault)
        shutil.rmtree(folder)
        grouped_cache.store("a-k", FULL, notes.append)
        return found

    monkeypatch.setattr(checksums, "fault", meanwhile)
    found = loaded()
    assert found is not None and notes == []
    assert_same(found, FULL)
    assert [path.name for path in folder.parent.iterdir()] == ["a-k"]


def test_an_entry_that_goes_while_it_is_looked_at_is_not_called_damaged(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grouped_cache.store("a-k", FULL, notes.append)

    def gone(folder: Path, *given: Any) -> str:
        shutil.rmtree(folder)
        return "sums.json: No such file or directory"

    monkeypatch.setattr(checksums, "fault", gone)
    assert loaded() is None and notes == []
