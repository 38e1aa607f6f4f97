"""A command's worker starts before the command has loaded, and only where it is the one that it will ask for."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from logbench.base.child_process import Limits
from logbench.base.temporary_folders import temporary_of_this_process
from logbench.running import first_worker
from logbench.running.first_worker import Started, start_early, started

RUN = ["run", "length", "--dataset", "hdfs-sim"]


@pytest.fixture
def early() -> Iterator[list[Started]]:
    yield first_worker._waiting
    first_worker._end()


@pytest.mark.parametrize("command", ["run", "leaderboard", "sweep"])
def test_the_worker_that_waits_is_taken_once(early: list[Started], command: str) -> None:
    start_early([command, *RUN[1:]])
    (waiting,) = early
    taken = started(1, (), Limits())
    assert taken is waiting and not early and not taken.child.ended and taken.folder.is_dir()
    taken.end()
    assert taken.child.ended and not taken.folder.exists()


def test_a_worker_of_another_environment_is_ended_and_replaced(
    early: list[Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    start_early(RUN)
    (waiting,) = early
    monkeypatch.setenv("LOGBENCH_BLOCK", "deeplog")
    taken = started(1, (), Limits())
    assert taken is not waiting and waiting.child.ended and not waiting.folder.exists()
    taken.end()


@pytest.mark.parametrize(
    "kind", [(2, (), Limits()), (1, ("deeplog",), Limits()), (1, (), Limits(3.0)), (1, (), Limits(None, 900.0))]
)
def test_a_worker_of_another_kind_is_a_new_one(
    early: list[Started], kind: tuple[int, tuple[str, ...], Limits]
) -> None:
    start_early(RUN)
    (waiting,) = early
    taken = started(*kind)
    assert taken is not waiting and early == [waiting]
    taken.end()
    first_worker._end()
    assert waiting.child.ended and not waiting.folder.exists(), "nobody asked for it"


@pytest.mark.parametrize(
    "words",
    [[], ["list"], ["--block", "deeplog", *RUN], [*RUN, "--help"], [*RUN, "-h"], [*RUN, "--timeout=3"],
     [*RUN, "--memory-limit", "900"], ["leaderboard", *RUN[2:], "--jobs", "2"], [*RUN, "--executor", "ray"]],
)  # fmt: skip
def test_none_starts_where_the_words_are_not_plain(early: list[Started], words: list[str]) -> None:
    start_early(words)
    assert early == []


def test_a_folder_that_cannot_be_made_is_said_where_the_command_asks(
    early: list[Started], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    start_early(RUN)
    assert early == []
    with pytest.raises(OSError, match="No such file"):
        started(1, (), Limits())


@pytest.mark.parametrize("fault", [OSError("no process"), KeyboardInterrupt()])
def test_no_folder_is_left_of_a_worker_that_did_not_start(
    fault: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object, **__: object) -> None:
        raise fault

    before = temporary_of_this_process()
    monkeypatch.setattr(first_worker, "Child", start)
    with pytest.raises(type(fault)):
        started(1, (), Limits())
    assert temporary_of_this_process() == before


INTERRUPTED = """
import os, signal, sys
def audit(event, arguments):
    if event == "import" and arguments[0] == {module!r}:
        os.kill(os.getpid(), signal.SIGINT)
from logbench.__main__ import main
sys.addaudithook(audit)
sys.argv[1:] = {words}
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to one process")
@pytest.mark.parametrize(
    "module", ["logbench.base.loading", "multiprocessing.connection", "psutil", "logbench.cli", "click.core"]
)
def test_ctrl_c_while_the_command_loads_has_its_status_and_no_traceback(module: str, tmp_path: Path) -> None:
    """Whatever it is about to import."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(module=module, words=RUN)],
        env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert list(tmp_path.iterdir()) == []
