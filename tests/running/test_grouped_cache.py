"""The cache of grouped lines: what comes out is what went in, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grouped_lines import BARE, FULL, assert_same, loaded, notes

from logbench.base import cache_folder, checksums
from logbench.pipeline import grouped_cache
from logbench.pipeline.grouping import GroupedLines


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
