"""Colours: only where a terminal takes them, and what each means."""

from __future__ import annotations

import os
import pty
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from logbench.base.colours import led, styled, wanted
from logbench.base.terminal import Shown, shown
from logbench.cli.shared_options import print_table
from logbench_reporters.table import Table

VARIABLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR")


@pytest.fixture
def terminal() -> Iterator[int]:
    own, other = pty.openpty()
    yield other
    os.close(other)
    os.close(own)


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def put(**given: str) -> None:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in {"TERM": "xterm", **given}.items():
            monkeypatch.setenv(name, value)

    put()
    return put


@pytest.mark.parametrize(
    ("given", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": ""}, False, False),
        ({"CLICOLOR": "0"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),  # no-color.org: only where it is not empty
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
    ],
)
def test_colours_go_where_they_are_taken(
    given: dict[str, str], on_terminal: bool, in_pipe: bool, terminal: int, variables: Callable[..., None]
) -> None:
    variables(**given)
    ours, theirs = os.pipe()
    assert (wanted(terminal), wanted(theirs)) == (on_terminal, in_pipe)
    os.close(ours)
    os.close(theirs)


def written(colours: bool, path: Path, write: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> str:
    """What `write` prints on a stream that takes colours, or does not."""
    with path.open("wb") as file:
        stream = shown(file.fileno(), sys.stdout)
        assert isinstance(stream, Shown) and not stream.colours  # a file takes none
        stream.colours = colours
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdout", stream)
            write()
            stream.flush()
    return path.read_text(encoding="utf-8")


def unpainted(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]+m", "", text)


ROWS = [
    {"run": "a", "difference": "-0.100 WORSE", "message": "failed WORSE"},
    {"run": "\x1b[31mb", "difference": "+0.200", "message": "\ufdd0shown\ufdef"},
]


def test_a_word_has_its_colour_and_a_text_of_others_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Callable[..., None]
) -> None:
    def write() -> None:
        print_table(ROWS, states=("difference",))

    painted = written(True, tmp_path / "a", write, monkeypatch)
    assert re.findall(r"\x1b\[([\d;]+)m(.*?)\x1b\[0m", painted) == [("31", "-0.100 WORSE")]
    plain = written(False, tmp_path / "b", write, monkeypatch)
    assert "\x1b" not in plain and unpainted(painted) == plain
    assert "�[31mb" in plain and "�shown�" in plain


def test_a_line_of_a_log_paints_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Callable[..., None]
) -> None:
    said = written(True, tmp_path / "a", lambda: print("x\ufdd3y\x1b[2J\nz\ufdefw"), monkeypatch)
    assert said == "x�y�[2J\nz�w\n"
    assert styled("a", "best") == "a" and led("error: a", sys.stderr) == "error: a"  # neither is a terminal here


def _record(model: str, f1: float, **more: Any) -> dict[str, Any]:
    metrics = {"f1": f1, "precision": f1, "recall": f1}
    both = {"session": {"all": metrics, "distinct": metrics}}
    return {
        "model": model, "config": {}, "seed": 0, "status": "ok", "error": None, "preset": "none",
        "dataset": {"name": "small", "unit": "session"}, "split": None, "stages": {}, "environment": {},
        "protocol": {"duplicates": "all", "split_seed": 0, "min_events": 1, "short": "flag", "unseen": "target",
                     "threshold": "validation", "train": "first", "content": "normal"},
        "metrics": both, "trivial": {"predict_all": both}, "counts": {}, "threshold": {}, "training": {}, **more,
    }  # fmt: skip


def test_the_best_model_stands_out_and_rules_stand_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Callable[..., None]
) -> None:
    records = [_record("first", 0.5), _record("second", 0.75), _record("base", 0.75, baseline=True)]

    def write() -> None:
        print(Table("simple", width=100).report(records))

    painted = written(True, tmp_path / "a", write, monkeypatch)
    assert re.findall(r"\x1b\[1;32m\s*(.*?)\x1b", painted) == ["0.750"]
    (line,) = (line for line in painted.splitlines() if "1;32" in line)
    assert line.startswith("second")
    dim = [line for line in painted.splitlines() if "\x1b[2m" in line]
    assert [unpainted(line).split()[:2] for line in dim] == [["baseline:", "base"], ["rule:", "predict"]]
    assert unpainted(painted) == written(False, tmp_path / "b", write, monkeypatch)
    markdown = written(True, tmp_path / "c", lambda: print(Table("github").report(records)), monkeypatch)
    assert "\x1b" not in markdown
