"""Alarms by the command: thresholds, what is new, incidents, and a stream that is killed and begun again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import logbench
from logbench.base.progress import silent
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.running.bundle import Bundle
from logbench.testing.command import Done, runner

DEFINITION = """
files = "a.log"
pattern = "<Time> <Node> <Job> <Content>"
time = "Time"
time_format = "epoch"
node = "Node"
id = "Job"
parser = "none"
"""


def job(number: int, *texts: str) -> str:
    return "".join(f"{600 * number + at} n{number % 3} j{number} {text}\n" for at, text in enumerate(texts))


def usual(first: int, last: int) -> str:
    return "".join(job(n, "start", *["work"] * (1 + n % 4), "done") for n in range(first, last))


NEW = (
    usual(300, 320)
    + job(320, "start", "lost disk")
    + job(321, "start", "lost disk")
    + job(350, "start", "lost disk")
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model and new logs."""
    folder = tmp_path_factory.mktemp("alarms")
    (folder / "a.log").write_text(usual(0, 300))
    (folder / "my.toml").write_text(DEFINITION)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        (record,) = logbench.run(
            "markov", dataset=str(folder / "my.toml"), out=folder / "runs", save=folder / "m",
            settings={"protocol": {"train_ratio": 0.9, "held_out": 0.4}},
        )  # fmt: skip
    assert record.error is None
    (folder / "new.log").write_text(NEW)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Callable[..., Done]:
    return runner(folder, folder / "cache")


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_only_what_is_new_is_told_and_kept(folder: Path, run: Callable[..., Done]) -> None:
    words = ("score", "m", "--data", "grown.log", "--state", "s.json", "--only-new", "--json", "--rate", "5%",
             "--prometheus", "m.prom", "--alarms", "out.jsonl")  # fmt: skip
    lines = NEW.splitlines(keepends=True)
    told = []
    for end in (len(lines) - 4, len(lines)):
        (folder / "grown.log").write_text("".join(lines[:end]))
        ran = run(*words)
        assert ran.code == 0, ran.err
        told.append([one["unit"] for one in rows(ran.out)])
    assert [sorted(some) for some in told] == [["j320"], ["j321", "j350"]]
    assert [one["unit"] for one in rows((folder / "out.jsonl").read_text())] == ["j320", "j321", "j350"]
    assert 'logbench_alarms_total{model="m"} 3\n' in (folder / "m.prom").read_text()
    assert "3 of 23 units alarm" in ran.err and "2 of them new" in ran.err
    held = Bundle(folder / "m", Registry()).held_out
    limit = float(json.loads((folder / "s.json").read_text().splitlines()[0])["threshold"])
    share = held.filter(pl.col("score") > limit)["weight"].sum() / held["weight"].sum()
    assert share <= 0.05 and limit in held["score"]


def test_incidents_group_alarms(run: Callable[..., Done]) -> None:
    ran = run("score", "m", "--data", "new.log", "--incidents", "--incident-gap", "900", "--rate", "5%")
    assert ran.code == 0, ran.err
    table = ran.out.splitlines()
    assert len(table) == 4
    assert sorted(line.split()[3] for line in table[2:]) == ["1", "2"], "alarms of each"
    assert all("lost disk" in line for line in table[2:])
    assert max(map(len, table)) <= 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rate", "1%", "--budget", "20/day"), "exclude each other"),
        (("--rate", "200%"), "is no share"),
        (("--budget", "many"), "is no budget"),
        (("--only-new",), "needs --state"),
        (("--close",), "needs --state"),
        (("--prometheus", "m.txt"), "called NAME.prom"),
    ],
)
def test_options_that_do_not_go_together(folder: Path, words: tuple[str, ...], said: str) -> None:
    from click.testing import CliRunner

    from logbench.cli import cli

    found = CliRunner().invoke(cli, ["score", str(folder / "m"), "--data", "-", *words], input=NEW)
    assert found.exit_code == 2
    assert said in found.output


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_stream_that_is_killed_goes_on_with_its_state(folder: Path) -> None:
    """Killed while it waits in the middle of a session; the second call gets the rest and an end of input."""
    words = [sys.executable, "-m", "logbench", "score", "m", "--data", "-", "--timeout", "1e6", "--json",
             "--state", "live.json"]  # fmt: skip
    known = {**os.environ, "LOGBENCH_CACHE": str(folder / "cache")}
    text = NEW.encode()
    cut = text.index(b"lost") + 2
    with subprocess.Popen(
        words, cwd=folder, env=known, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None
        process.stdin.write(text[:cut])
        process.stdin.flush()
        until = time.monotonic() + 60
        while _read(folder / "live.json") != cut and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    done = subprocess.run(
        [*words, "--close"], cwd=folder, env=known, input=text[cut:], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    same = ("unit", "score", "verdict", "events", "template", "node")
    found = {tuple(row[name] for name in same) for row in rows(done.stdout.decode())}
    whole = score_bundle(Bundle(folder / "m", Registry()), folder / "new.log", "cpu", silent)
    assert found == set(whole.select(same).iter_rows())


def _read(file: Path) -> int:
    """Bytes that a state says were read."""
    if not file.exists():
        return 0
    return int(json.loads(file.read_text().splitlines()[0])["stream"]["source"]["read"])
