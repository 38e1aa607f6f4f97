"""Names that are no text, folders that take nothing, readers that leave, values without end: said in time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import logbench
from logbench import ConfigError, DataError, EvaluationProtocol, make_options
from logbench.base.errors import LogbenchError
from logbench.cli import State
from logbench.cli.run import command as run
from logbench.running import records

LOG = "".join(f"session=s{unit} step {step}\r\n" for unit in range(40) for step in range(3))
DEFINITION = (
    "files = ['*.log']\npattern = '<Content>'\nmessage = 'Content'\nid = 'message'\nid_pattern = '=(\\w+)'\n"
)
DEEP = "[" * 200_000


def defined(folder: Path, *names: bytes) -> Path:
    """A definition of logs of these names, with Windows' line ends."""
    for number, name in enumerate(names):
        content = LOG.replace("=s", f"={number}s").encode()
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(content)
    (folder / "my.toml").write_bytes(DEFINITION.replace("\n", "\r\n").encode())
    return folder / "my.toml"


def test_logs_are_read_by_any_name(tmp_path: Path, own_cache: Path) -> None:
    names = (b"b\xff\xfe.log", b"a\\b.log", b"C:x.log", b"n" * 240 + b".log", "é😀.log".encode(), b"-x y.log")
    (record,) = logbench.run(
        "length", dataset=str(defined(tmp_path, *names)), settings={"protocol": {"train_units": 60}}, out=None
    )
    assert record.status == "ok", record.error
    assert sum(record.split[part] for part in ("train", "held_out", "test")) == 40 * len(names)


@pytest.mark.parametrize("out", ["file", "file/x", "/dev/null", "/proc/x", "n" * 300, "a\udcffb", "a\0b"])
def test_a_folder_that_takes_no_records_is_refused_first(
    out: str, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError) as error:
        logbench.run("length", dataset="hdfs-sim", out=out)
    assert "\n" not in str(error.value) and not own_cache.exists(), "nothing was generated"
    assert (tmp_path / "file").read_text() == "mine"


def test_records_that_may_not_grow_are_refused_first(tmp_path: Path) -> None:
    (tmp_path / records.FILE).symlink_to("/dev/zero")
    with pytest.raises(DataError, match="a pipe or a device"):
        records.check_folder(tmp_path)
    (tmp_path / records.LOCK).symlink_to(tmp_path / "victim")
    (tmp_path / records.FILE).unlink()
    records.check_folder(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [records.LOCK]


@pytest.mark.parametrize(
    "words",
    [
        ("--seed", str(2**40)),
        ("--split-seed", str(2**32)),
        ("--set", f"protocol.split_seed={2**64}"),
        ("--set", f"dataset.blocks={DEEP}"),
        ("--set", f"dataset.blocks={'9' * 6000}"),
        ("--set", f"protocol.unstable={DEEP}"),
        ("--set", DEEP),
        ("--seeds", str(10**12)),
        ("--save", "a\udcff"),
    ],
    ids=lambda words: f"{words[0]}={words[1][:30]}",
)
def test_values_without_end_are_refused_in_a_short_line(words: tuple[str, ...], own_cache: Path) -> None:
    result = CliRunner().invoke(run, ["length", "--dataset", "hdfs-sim", *words], obj=State(()))
    said = str(result.exception) if isinstance(result.exception, LogbenchError) else result.output
    assert isinstance(result.exception, LogbenchError | SystemExit) and result.exit_code != 0
    assert len(said) < 1000 and not own_cache.exists()


def test_lists_of_lists_of_lists_are_no_list() -> None:
    with pytest.raises(ConfigError):
        make_options(EvaluationProtocol, {"min_events": DEEP}, "x")
    with pytest.raises(ConfigError, match="seed=1099511627776: must be from 0 to 4,294,967,295"):
        logbench.run("length", dataset="hdfs-sim", seeds=[2**40], out=None)


@pytest.mark.parametrize("words", [("list",), ("datasets", "check", "my.toml")], ids=["in-process", "apart"])
def test_a_reader_that_leaves_gets_no_error(words: tuple[str, ...], tmp_path: Path, own_cache: Path) -> None:
    defined(tmp_path, b"a.log")
    code, said = left(tmp_path, own_cache, [sys.executable, "-m", "logbench", *words])
    assert code == 1 and "error" not in said and "Error" not in said, said


def left(folder: Path, cache: Path, command: list[str]) -> tuple[int, str]:
    """Exit code and errors of a command whose output nobody reads."""
    read, write = os.pipe()
    os.close(read)
    env = {**os.environ, "LOGBENCH_CACHE": str(cache)}
    try:
        done = subprocess.run(
            command, stdout=write, stderr=subprocess.PIPE, cwd=folder, env=env, text=True, timeout=300, check=False
        )
    finally:
        os.close(write)
    return done.returncode, done.stderr


def test_an_end_of_file_is_a_bug_and_no_interruption(own_cache: Path, tmp_path: Path) -> None:
    code = (
        "import logbench.cli, logbench.cli.presets as one\n"
        "def fails(**options): raise EOFError('cut')\n"
        "one.command.callback = fails\n"
        "logbench.cli.main(['presets'])\n"
    )
    status, said = left(tmp_path, own_cache, [sys.executable, "-c", code])
    assert status == 1 and "EOFError: cut" in said and "interrupted" not in said


def test_streams_that_are_closed_are_nowhere(tmp_path: Path) -> None:
    close: Callable[[], None] = lambda: [os.close(number) for number in (0, 1, 2)] and None  # noqa: E731
    done = subprocess.run(
        [sys.executable, "-m", "logbench", "list"], preexec_fn=close, cwd=tmp_path, check=False, timeout=100
    )
    assert done.returncode == 0


def test_a_file_beside_the_logs_is_no_module_of_ours(tmp_path: Path) -> None:
    for name in ("click", "polars", "random"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user was run')\n")
    safe = [sys.executable, "-P", "-m", "logbench"]  # as the command itself, which does not look into the folder
    done = subprocess.run([*safe, "show", "last"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "was run" not in done.stderr and "before the command" not in done.stderr
