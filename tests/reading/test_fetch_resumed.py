"""A fetch that was cut off goes on where it ended, and two at once fetch once."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bad_server import BODY, Handler, Heard, at, leftovers, refusal, silent

from logbench import Card
from logbench.reading.download import Patience
from logbench.reading.fetch import fetch


def test_after_an_interruption_the_rest_is_fetched(server: str, tmp_path: Path) -> None:
    def interrupt(done: float, total: float | None = None, detail: str = "") -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(at(server, "good"), tmp_path, interrupt)
    assert leftovers(tmp_path) == [".set.zip.part"]
    assert fetch(at(server, "resumed"), tmp_path, silent).read_bytes() == BODY
    begun = int((Handler.ranges[-1] or "").removeprefix("bytes=").removesuffix("-"))
    assert 500_000 < begun < len(BODY) and Handler.asked == ["good", "resumed"]
    with pytest.raises(KeyboardInterrupt):
        fetch(replace(at(server, "good"), md5=""), tmp_path / "other", interrupt)
    assert leftovers(tmp_path / "other") == [], "nothing would tell whether the rest is of the same file"


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server: str, tmp_path: Path) -> None:
    fetch(at(server, "resumed"), tmp_path, silent, patience=Patience(waits=(0.01,)))
    assert (tmp_path / "set.zip").read_bytes() == BODY
    assert Handler.ranges == [None, "bytes=300000-"]
    (tmp_path / "set.zip").unlink()
    (tmp_path / ".set.zip.part").write_bytes(b"x" * 300_000)
    fetch(at(server, "resumed"), tmp_path, silent, patience=Patience(waits=(0.01, 0.01)))
    assert (tmp_path / "set.zip").read_bytes() == BODY, "what was there was another file's beginning"


def test_a_part_file_is_never_written_through_a_link(server: str, tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "fetched"
    folder.mkdir()
    for make in (Path.symlink_to, Path.hardlink_to):
        victim.write_bytes(b"mine")
        make(folder / ".set.zip.part", victim)
        fetch(at(server, "good"), folder, silent)
        assert victim.read_bytes() == b"mine" and (folder / "set.zip").read_bytes() == BODY
        (folder / "set.zip").unlink()
    (folder / "set.zip.lock").unlink(missing_ok=True)
    (folder / "set.zip.lock").symlink_to(victim)
    assert "set.zip.lock is a link" in refusal(at(server, "good"), folder)


def test_what_a_killed_run_left_is_never_taken_for_whole(server: str, tmp_path: Path) -> None:
    (tmp_path / ".set.zip.part").write_bytes(BODY[:1000])
    (tmp_path / "set.zip").write_bytes(BODY[:2000])
    assert fetch(at(server, "good"), tmp_path, silent).read_bytes() == BODY
    (tmp_path / "set.zip").write_bytes(BODY[:-1] + b"x")
    assert fetch(at(server, "good"), tmp_path, silent).read_bytes() == BODY
    assert Handler.asked == ["good", "good"]
    assert leftovers(tmp_path) == ["set.zip"]


def _in_a_process(card: Card, folder: Path, barrier: Any, answers: Any) -> None:
    barrier.wait(20)
    heard = Heard()
    path = fetch(card, folder, heard)
    answers.put((path.read_bytes() == BODY, len(heard.calls)))


def test_two_processes_fetch_once(server: str, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    jobs = [
        context.Process(target=_in_a_process, args=(at(server, "slow"), tmp_path, barrier, answers)) for _ in "ab"
    ]
    for job in jobs:
        job.start()
    got = [answers.get(timeout=60) for _ in jobs]
    for job in jobs:
        job.join(10)
        assert job.exitcode == 0
    assert all(whole for whole, _ in got)
    assert Handler.asked == ["slow"]
    assert leftovers(tmp_path) == ["set.zip"]


def test_a_killed_run_holds_no_lock(server: str, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(1), context.Queue()
    job = context.Process(target=_in_a_process, args=(at(server, "stall"), tmp_path, barrier, answers))
    job.start()
    part = tmp_path / ".set.zip.part"
    until = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.02)
    job.kill()
    job.join(10)
    assert leftovers(tmp_path) == [".set.zip.part"]
    assert fetch(at(server, "good"), tmp_path, silent).read_bytes() == BODY
    assert leftovers(tmp_path) == ["set.zip"]


def test_waiting_is_said_and_can_be_interrupted(server: str, tmp_path: Path) -> None:
    from filelock import FileLock

    class GaveUpError(Exception): ...

    def give_up(done: float, total: float | None = None, detail: str = "") -> None:
        assert "waiting for another run" in detail
        raise GaveUpError

    with FileLock(tmp_path / "set.zip.lock"):
        with pytest.raises(GaveUpError):
            fetch(at(server, "good"), tmp_path, give_up)
        notes: list[str] = []
        said = refusal(at(server, "good"), tmp_path, patience={"lock": 0.1}, note=notes.append)
        assert "another run has held" in said and len(notes) == 1 and "waiting for another run" in notes[0]
    assert Handler.asked == []
