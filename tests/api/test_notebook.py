"""What a notebook shows: short texts, tables of records, names after a dot; and what a type checker flags."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import logbench
import logbench.testing
import logbench.torch
from logbench.components.registry import Registry

SMALL: Any = {"dataset": {"blocks": 600}, "protocol": {"train_units": 300}}


class Cells(HTMLParser):
    """Texts of the cells of a table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_records_are_a_table() -> None:
    found = logbench.run(["length", "new-event"], dataset="hdfs-sim", settings=SMALL, out=None)
    shown: Any = found
    cells = Cells(shown._repr_html_()).texts
    assert cells[:5] == ["model", "data set", "preset", "seed", "status"]
    assert "length" in cells and "new-event" in cells and len(cells) == 3 * 10
    f1 = logbench.figures(found[0].as_dict())["f1"]
    assert repr(found[0]) == f"RunRecord({found[0].run_id}: length on hdfs-sim, ok, F1 {f1:.3f})"


def test_what_others_wrote_is_escaped() -> None:
    text = "<script>alert(1)</script>"
    error: Any = {"stage": "fit", "type": "E", "message": "<img src=x onerror=y>"}
    record = logbench.RunRecord(run_id="1", started="", model=text, status="error", preset="<b>", error=error)
    cells = Cells(record._repr_html_())
    assert cells.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    assert text in cells.texts and "error: <img src=x onerror=y>" in cells.texts
    assert repr(record) == f"RunRecord(1: {text} on None, error)"


def test_short_texts_of_what_is_handed_out() -> None:
    registry = Registry()
    assert repr(registry.get("model", "length").item) == "ModelComponent('length')"
    assert repr(registry).startswith("Registry(") and " models, " in repr(registry)
    material = logbench.prepare_sessions("length", "hdfs-sim", settings=SMALL)
    assert len(repr(material)) < 700 and "Sessions(" in repr(material)


@pytest.mark.parametrize("module", [logbench, logbench.testing, logbench.torch])
def test_every_public_name_comes_after_the_dot(module: Any) -> None:
    assert set(module.__all__) <= set(dir(module))
    assert "__name__" in dir(module)


CALLS = """
import logbench

logbench.run("length", dataset="hdfs-sim", protocol="hdfs", out=None, seeds=(0, 1))
logbench.run("length", dataset="hdfs-sim", protocl="hdfs")
logbench.run("length", dataset="hdfs-sim", split_seed="1")
logbench.leaderboard(["length"], dataset="hdfs-sim", presett="hdfs")
logbench.prepare_sessions("length", "hdfs-sim", setings={})
logbench.prepare_sessions(object(), [[1, 2]], settings={"length": {}})
"""


def test_a_type_checker_flags_a_misspelt_keyword(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "calls.py").write_text(CALLS)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "calls.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    flagged = [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line]
    assert flagged == ["5", "6", "7", "8"], done.stdout + done.stderr
    assert 'Unexpected keyword argument "protocl" for "run"' in done.stdout
