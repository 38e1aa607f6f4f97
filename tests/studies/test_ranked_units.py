"""A run without labels ends in its most anomalous units with the lines that decided; one with labels does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from logbench import DataError
from logbench.cli.score import _short
from logbench.cli.shared_options import fitted, placed
from logbench.cli.show import _lines
from logbench.cli.top_units import _row
from logbench.studies.ranked_units import unlabelled_hint

LINES = [f"INFO s{i} step {word}\n" for i in range(40) for word in ("one", "two")]
ODD = "ERROR s39 disk  is\n  full\n"
TOML = """
files = "a.log"
pattern = "<Level> <Session> <Content>"
multiline = true
id = "Session"
parser = "none"
"""


def run(folder: Path, *words: str, out: str = "runs") -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "LOGBENCH_CACHE": str(folder / "cache"),
        "LOGBENCH_CONFIG": str(folder / "config"),
    }
    return subprocess.run(
        [sys.executable, "-m", "logbench", "run", *words, "--dataset", "my.toml", "--out", out],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.log").write_text("".join(LINES) + ODD)
    (tmp_path / "my.toml").write_text(TOML)
    return tmp_path


def test_the_odd_session_stands_first_with_its_line(folder: Path) -> None:
    (folder / "my.toml").write_text(TOML + 'level = "Level"\n')
    done = run(folder, "new-event")
    assert done.returncode == 0, done.stderr
    assert "most anomalous sessions, no labels" in done.stdout
    table = done.stdout[done.stdout.index("no labels") :].splitlines()
    first = table[3]  # below its title, the headers and their rule
    assert first.split()[:2] == ["s39", "1"]
    assert "ALARM" in first
    assert "3 of 3" in first
    assert first.endswith("ERROR disk is full")  # neither the session nor what stands before it
    assert f" a.log:{len(LINES) + 1} " in first
    assert all(len(line) <= 100 for line in table)
    assert "--false-positives" not in done.stderr
    assert "next: logbench show" in done.stderr


def test_nothing_is_ranked_for_machines_or_where_labels_judge(folder: Path) -> None:
    assert all(line.startswith("{") for line in run(folder, "new-event", "--json").stdout.splitlines())
    (folder / "my.toml").write_text(TOML + 'label = "Level"\nnormal = "INFO"\n')
    done = run(folder, "new-event")
    assert done.returncode == 0, done.stderr
    assert "no labels" not in done.stdout
    assert "--false-positives" in done.stderr


def test_a_bundle_scores_without_the_definition_and_finds_lines_in_their_file(
    folder: Path, tmp_path: Path
) -> None:
    assert run(folder, "new-event", "--save", "saved").returncode == 0
    (folder / "my.toml").unlink()
    (folder / "new.log").write_text("INFO s1 step one\n  more\n  more\nERROR s2 disk\n")
    environment = {
        **os.environ,
        "LOGBENCH_CACHE": str(folder / "cache"),
        "LOGBENCH_CONFIG": str(folder / "config"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "logbench", "score", str(folder / "saved"), "--data", "new.log", "--json"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {row["unit"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert (rows["s2"]["file"], rows["s2"]["line"], rows["s2"]["raw"]) == ("new.log", 4, "ERROR s2 disk")


def test_the_table_of_scores_names_file_and_line_and_fits_a_terminal() -> None:
    row = {"unit": "u" * 99, "score": 1.5, "verdict": True, "events": 3, "event": 1, "short": False, "line": 0}
    row |= {"at": 1017, "file": "old/a.log", "text": "x \x1b[2J" * 99, "template": "x"}
    (shown,) = fitted([_short(row)], "what")
    assert shown["line"] == "old/a.log:1,017" and shown["event"] == "2"
    assert sum(map(len, shown.values())) + 2 * (len(shown) - 1) <= 110 and "\x1b" not in shown["what"]
    assert placed("x" * 60 + "/a.log", 3) == "…" + ("x" * 60 + "/a.log")[-23:] + ":3" and placed(None, 3) == "3"


@pytest.mark.parametrize(("score", "shown"), [(np.inf, "∞"), (-np.inf, "−∞"), (0.25, "0.25")])
def test_infinite_scores_stand_as_thresholds_do(score: float, shown: str) -> None:
    row = {"unit": "u", "score": score, "verdict": True, "events": 3, "event": 1, "short": False, "line": 0}
    row |= {"file": "a.log", "raw": "x", "template": "x", "units": 1, "label": "normal"}
    row |= {"expected": None, "why": None, "text": "x", "telling": []}
    assert _short(dict(row))["score"] == shown and _row("session", row)["score"] == shown
    assert f"score {shown}" in "\n".join(_lines(1, row))


def test_what_the_reader_met_is_told_with_what_was_done(folder: Path) -> None:
    (folder / "my.toml").write_text(TOML.replace("multiline = true", ""))
    with (folder / "a.log").open("a") as file:
        file.write("INFO s1 nul \0\n")
    said = run(folder, "new-event").stderr
    assert "1 line is not as declared; each is an event whose message is the whole line" in said
    assert "1 line holds NUL bytes; they stay as they are" in said


def test_a_failed_run_is_not_said_to_lack_labels() -> None:
    failed: Any = {"run_id": "a", "metrics": {}, "error": {"message": "division by zero", "stage": "score"}}
    with pytest.raises(DataError, match="run a failed, so false-positives cannot be told: division by zero"):
        unlabelled_hint("false-positives", failed)
    with pytest.raises(DataError, match="run a has no labels"):
        unlabelled_hint("false-positives", {**failed, "error": None})
