"""Commands that nobody looks at: a line now and then, and a program of the user's at the end."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import pytest

from logbench.base import progress_bars
from logbench.base.progress_bars import Bars
from logbench.running.run_plans import StageBars
from logbench.running.workers import Running
from logbench.testing.command import runner

SMALL = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=300", "--set", "protocol.train_units=100")
TELLS = """import json, os, sys
told = {name: text for name, text in os.environ.items() if name.startswith("LOGBENCH_")}
json.dump([sys.argv[1:], told], open("told.json", "w"))
print("told")
"""


def test_a_run_that_nobody_watches_says_so_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 7))
    monkeypatch.setattr(progress_bars.time, "monotonic", lambda: next(clock))
    bars = Bars()
    with StageBars(bars) as shown:
        for step in range(20):
            shown({0: Running("fit", step, 20)})
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 4 and all("running: fit" in line for line in lines), lines
    seconds = [60 * int(line.split(":")[0]) + int(line.split()[0].split(":")[1]) for line in lines]
    assert all(30 <= after - before < 60 for before, after in itertools.pairwise(seconds)), lines
    with Bars(enabled=False).stage("fit") as progress:
        for step in range(99):
            progress(step, 99)
    assert not capsys.readouterr().err, "from Python nothing is said"
    with Bars().stage("runs") as progress:
        for step in range(20):
            progress(step, 20, "half\x1b[2J")
    assert "running: runs 45% half�[2J" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code", "status"), [((), 0, "ok"), (("--data", "missing"), 2, "failed")])
def test_the_end_is_told_to_a_program_without_a_shell(
    words: tuple[str, ...], code: int, status: str, tmp_path: Path, own_cache: Path
) -> None:
    (tmp_path / "tells.py").write_text(TELLS, encoding="utf-8")
    asked = f"'{sys.executable}' tells.py '$(touch bad)' ';' 'a b' `touch` $HOME"
    done = runner(tmp_path, own_cache)(
        "run", "length", *SMALL, *words, "--json", "--no-baselines", "--notify", asked
    )
    given, told = json.loads((tmp_path / "told.json").read_text())
    assert done.code == code and given == ["$(touch bad)", ";", "a b", "`touch`", "$HOME"]
    assert (told["LOGBENCH_STATUS"], told["LOGBENCH_EXIT_CODE"]) == (status, str(code))
    assert told["LOGBENCH_MESSAGE"].startswith(status) and int(told["LOGBENCH_SECONDS"]) >= 0
    assert not (tmp_path / "bad").exists() and "\ntold\n" in f"\n{done.err}"
    assert all(json.loads(line)["model"] for line in done.out.splitlines()), "records alone"


@pytest.mark.parametrize("asked", ["", "   ", "no-such-program -x", "'open", "/dev/null"])
def test_what_is_no_program_is_refused_before_anything_runs(asked: str, tmp_path: Path, own_cache: Path) -> None:
    done = runner(tmp_path, own_cache)("run", "length", *SMALL, "--notify", asked)
    assert done.code == 2 and len(done.err.splitlines()) == 1 and "--notify" in done.err
    assert not own_cache.exists()
