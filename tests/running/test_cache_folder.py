"""The folder of the cache: many writers, entries that go, and clearing."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from grouped_lines import FULL, assert_same, notes

from logbench import DataError
from logbench.base import cache_folder
from logbench.base.files import whole
from logbench.pipeline import grouped_cache
from logbench.pipeline.grouping import GroupedLines


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
