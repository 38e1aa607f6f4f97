"""The digest of a log that is taken while the log is read: what is kept under it is what it is of."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from logbench import DataError, RunRecord, run
from logbench.base import cache_folder, file_digests
from logbench.base.kernel import kernel
from logbench.pipeline import grouped_cache
from logbench.reading import layout
from logbench.running import grouped_log, log_digest

LINE = "081109 203500 1 INFO dfs.X: block blk_{}\n"
WAIT = 20.0


@pytest.fixture
def log(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An HDFS log of 60 lines, which counts as large."""
    (tmp_path / "data" / "preprocessed").mkdir(parents=True)
    file = tmp_path / "data" / "HDFS.log"
    file.write_text("".join(LINE.format(n % 20) for n in range(60)))
    names = "".join(f"blk_{n},Normal\n" for n in range(20))
    (tmp_path / "data" / "preprocessed" / "anomaly_label.csv").write_text(f"BlockId,Label\n{names}")
    monkeypatch.setattr(grouped_log, "SMALL", 0)
    return file


def ran_all(log: Path, *models: str) -> list[RunRecord]:
    folder, settings = log.parent, {"protocol": {"train": "ratio"}}
    return run(list(models), dataset="hdfs", data=folder, settings=settings, out=folder.parent / "runs")


def ran(log: Path) -> RunRecord:
    (record,) = ran_all(log, "length")
    return record


def kept() -> list[str]:
    return [entry["name"] for entry in cache_folder.entries() if entry["kind"] == "grouped"]


def digest_by_hand(log: Path) -> str:
    files = [log, log.parent / "preprocessed" / "anomaly_label.csv"]
    sums = [
        (file.relative_to(log.parent).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files
    ]
    return hashlib.sha256("".join(f"{name} {found}\n" for name, found in sums).encode()).hexdigest()


def while_read(monkeypatch: pytest.MonkeyPatch, before: Callable[[], object], after: Callable[[], object]) -> None:
    """Have something happen before the first reading of lines, and after it."""
    known = grouped_log.read_lines

    def read(*given: Any, **options: Any) -> Any:
        monkeypatch.setattr(grouped_log, "read_lines", known)
        before()
        found = known(*given, **options)
        after()
        return found

    monkeypatch.setattr(grouped_log, "read_lines", read)


def test_a_new_log_is_hashed_while_it_is_read(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, known = threading.Event(), log_digest.digest_of
    while_read(monkeypatch, begun.set, lambda: None)

    def late(*given: Any) -> str:
        assert begun.wait(WAIT), "the log is not read before it is hashed"
        return known(*given)

    monkeypatch.setattr(log_digest, "digest_of", late)
    record = ran(log)
    assert record.dataset["digest"] == digest_by_hand(log)
    assert [record.stages["read"]["digest"]] == kept() == [record.stages["group"]["digest"]]
    assert record.stages["read"]["cached"] is False


def test_a_log_that_is_kept_is_not_read_again(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_digests, "SMALL", 0)
    monkeypatch.setattr(file_digests, "_SETTLED_NS", -1)
    first, known = ran(log), log_digest.digest

    def remembered(*given: Any, **options: Any) -> str:
        with monkeypatch.context() as inside:
            inside.setattr(hashlib, "new", lambda name: pytest.fail("the log is hashed again"))
            return known(*given, **options)

    while_read(monkeypatch, lambda: pytest.fail("the log is read again"), lambda: None)
    monkeypatch.setattr(log_digest, "digest", remembered)
    second = ran(log)
    assert second.stages["read"]["cached"] and second.metrics == first.metrics
    assert second.dataset == first.dataset


def test_a_copy_of_a_log_that_is_kept_is_hashed_alone(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(log)
    log.parent.rename(moved := log.parent.with_name("moved"))
    while_read(monkeypatch, lambda: pytest.fail("the log is read again"), lambda: None)
    assert ran(moved / log.name).stages["read"]["cached"]


def test_another_log_of_the_same_size_is_read(log: Path) -> None:
    ran(log)
    log.write_text(log.read_text().replace("blk_1\n", "blk_2\n"))
    record = ran(log)
    assert not record.stages["read"]["cached"] and record.dataset["digest"] == digest_by_hand(log)
    assert record.dataset["sessions"] == 19 and len(kept()) == 2


def grow(log: Path) -> None:
    with log.open("a") as file:
        file.write(LINE.format(3))


def write_over(log: Path) -> None:
    log.write_text(log.read_text().replace("blk_1\n", "blk_2\n"))


def replace(log: Path) -> None:
    """Another file of the same size and time takes its place."""
    other, before = log.with_suffix(".other"), log.stat()
    other.write_text(log.read_text().replace("blk_1\n", "blk_2\n"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(log)


@pytest.mark.parametrize("change", [grow, write_over, replace])
@pytest.mark.parametrize("first", ["hashed", "read"])
def test_a_log_that_changes_between_hash_and_reading_is_not_kept(
    first: str, change: Callable[[Path], None], log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed, changed, known = threading.Event(), threading.Event(), log_digest.digest_of

    def change_it() -> None:
        change(log)
        changed.set()

    def digest(*given: Any) -> str:
        assert first == "hashed" or changed.wait(WAIT)
        found = known(*given)
        hashed.set()
        return found

    def after_hash() -> None:
        assert hashed.wait(WAIT)
        change_it()

    monkeypatch.setattr(log_digest, "digest_of", digest)
    while_read(monkeypatch, *((after_hash, lambda: None) if first == "hashed" else (lambda: None, change_it)))
    record = ran(log)
    assert not kept() and any("the log changed during reading" in note for note in record.notes)
    again = ran(log)
    assert again.dataset["digest"] == digest_by_hand(log) and again.stages["read"]["digest"] in kept()
    assert again.dataset["lines"] == (61 if change is grow else 60)


def test_a_log_that_changes_is_read_again_for_the_next_model(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashing, read = log_digest.digest_of, threading.Event()
    monkeypatch.setattr(log_digest, "digest_of", lambda *given: read.wait(WAIT) and hashing(*given))

    def change_it() -> None:
        write_over(log)
        read.set()

    while_read(monkeypatch, lambda: None, change_it)
    first, second = ran_all(log, "length", "random")
    assert any("the log changed during reading" in note for note in first.notes)
    assert first.dataset["sessions"] == 20 and second.dataset["sessions"] == 19
    assert "shared" not in second.stages["read"] and second.stages["read"]["digest"] in kept()


def test_a_log_that_cannot_be_hashed_is_an_error(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any) -> str:
        raise OSError(5, "Input/output error", str(log))

    monkeypatch.setattr(log_digest, "digest_of", fail)
    record = ran(log)
    assert (
        record.status == "error" and record.error is not None and "Input/output error" in record.error["message"]
    )
    assert not kept()


def test_no_log_is_hashed_for_a_reading_that_failed(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_digests, "_BLOCK", 1)
    begun, stopped = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        begun.set()
        assert stopped.wait(WAIT)

    known = file_digests.digest

    def slow(path: Path, cache_file: Path | None, progress: Any) -> str:
        def told(*given: Any) -> None:
            wait()
            progress(*given)

        return known(path, cache_file, progress=told)

    monkeypatch.setattr(log_digest, "digest", slow)
    with pytest.raises(DataError, match="broken"), log_digest.digesting([log], log.parent) as digest:
        assert begun.wait(WAIT)
        threading.Timer(0.05, stopped.set).start()
        raise DataError("broken")
    with pytest.raises(BaseException) as raised:
        digest()
    assert "Cancelled" in type(raised.value).__name__


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"size": null}', '{"size": "5"}'])
def test_an_entry_that_tells_no_size_is_of_no_log(content: str, own_cache: Path) -> None:
    folder = cache_folder.folder_of("grouped", "a-b")
    folder.mkdir(parents=True)
    (folder / "facts.json").write_text(content)
    assert not grouped_cache.has_size(5)
    (folder / "facts.json").write_text('{"size": 5}')
    assert grouped_cache.has_size(5) and not grouped_cache.has_size(6)


@pytest.mark.skipif(kernel() is None, reason="needs the compiled kernel")
def test_the_kernel_reads_a_log_without_a_look_at_it_before(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "scannable", lambda path: pytest.fail("the log is looked at"))
    assert ran(log).status == "ok"
