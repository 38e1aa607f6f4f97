"""Odd inputs of any size cost the same for each file and line: counted in calls, never in seconds."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from counted import calls

from logbench import ConfigError, LineFormat, open_lines
from logbench.base.options import read_toml
from logbench.reading import line_reader
from logbench.reading.line_reader import Reader, checked_format, find_texts
from logbench.testing.command import runner


def archive(path: Path, count: int) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for number in range(count):
            made.writestr(f"logs/{number:05}.log", f"a {number}\nb\n")
    return path


def folder(path: Path, count: int) -> Path:
    path.mkdir()
    for number in range(count):
        (path / f"{number:05}.log").write_text(f"a {number}\nb\n")
    return path


def frames_of(path: Path) -> list[int]:
    """Lines of each frame that reading gives."""
    reader = Reader(find_texts(path, ["**/*.log"]), checked_format(LineFormat()))
    return [len(frame) for frame in reader._frames(["line", "message", "file"], None, None, None)]


@pytest.mark.parametrize("make", [archive, folder])
def test_many_small_files_cost_the_same_each(make: object, tmp_path: Path) -> None:
    few, many = (make(tmp_path / f"{count}.zip", count) for count in (50, 200))  # type: ignore[operator]
    frames_of(few)
    assert calls(lambda: frames_of(many)) < 4.4 * calls(lambda: frames_of(few))
    assert frames_of(many) == [400], "each frame costs as much as a thousand lines"
    frame = open_lines(many, ["**/*.log"], LineFormat()).frame.collect()
    assert frame["line"].to_list() == list(range(400)) and frame["file"].n_unique() == 200
    assert frame["message"].to_list()[::2] == [f"a {number}" for number in range(200)]


def test_millions_of_empty_lines_come_in_bounded_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_reader, "MOST_LINES", 1000)
    monkeypatch.setattr(line_reader, "TOGETHER", 1000)
    (tmp_path / "a.log").write_bytes(b"\n" * 100_000)
    found = frames_of(tmp_path)
    assert sum(found) == 100_000 and max(found) <= 1000


@pytest.mark.parametrize("target", ["pipe", "/dev/zero", "/dev/null"])
def test_a_config_that_is_no_file_is_one_line(target: str, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    os.mkfifo(path) if target == "pipe" else path.symlink_to(target)
    with pytest.raises(ConfigError, match="a pipe or a device") as error:
        read_toml(path)
    assert "\n" not in str(error.value)


def test_a_command_that_reads_takes_no_more_memory_than_allowed(tmp_path: Path, own_cache: Path) -> None:
    done = runner(tmp_path, own_cache)("datasets", "info", "hdfs-sim", "--card", "--memory-limit", "1")
    assert done.code == 2 and "more than --memory-limit 1 MB" in done.err and len(done.err.splitlines()) == 1
