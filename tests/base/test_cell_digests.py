"""The code of what no file holds: the cells that it is made of, and whether these are all."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from logbench.base.cell_digests import Cells, cells_of
from logbench.base.code_digests import code_of

MODEL = """
class Mine:
    def score(self, x):
        return helper(x)
"""
Cell = Callable[[str], dict[str, Any]]


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """Runs a cell of a new notebook, as IPython does: its source is to be had by its file's name."""
    notebook = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)

    def run(text: str) -> dict[str, Any]:
        name = f"/tmp/ipykernel/{len(linecache.cache)}.py"
        monkeypatch.setitem(linecache.cache, name, (len(text), None, text.splitlines(True), name))
        exec(compile(text, name, "exec"), vars(notebook))
        return vars(notebook)

    return run


def found(cell: Cell, *texts: str) -> Cells:
    for text in texts:
        names = cell(text)
    return cells_of(names["Mine"])


def digest(cell: Cell, *texts: str) -> Any:
    for text in texts:
        names = cell(text)
    code = code_of(names["Mine"])
    assert code is not None and not code.edited
    return code.files, code.libraries, code.gap


def test_cells_of_a_class_are_its_own_and_those_of_what_it_uses(cell: Cell) -> None:
    helper = "def helper(x):\n    return K * inner(x)\n"
    inner = "def inner(x):\n    return x\n"
    found_here = found(cell, inner, "def unused():\n    pass\n", "K = 3\n", helper, MODEL)
    assert found_here.texts == {MODEL, helper, inner, "K = 3"}
    assert not found_here.parts.gap


def test_digest_follows_the_cells(cell: Cell) -> None:
    helper = "def helper(x):\n    return K * x\n"
    first = digest(cell, "K = 3\n", helper, MODEL)
    assert digest(cell, "K = 3\n", helper, MODEL) == first
    assert digest(cell, "other = 1\n") == first
    assert digest(cell, "K = 4\n") != first
    assert digest(cell, "K = 3\n") == first
    assert digest(cell, "def helper(x):\n    return K + x\n") != first
    assert first[2] == ""


def test_base_classes_properties_and_inner_functions_count(cell: Cell) -> None:
    base = "class Base:\n    @property\n    def size(self):\n        return (lambda: deep())()\n"
    deep = "def deep():\n    return 1\n"
    mine = "class Mine(Base):\n    @staticmethod\n    def score(x):\n        return super\n"
    assert found(cell, deep, base, mine).texts == {deep, base, mine}


AB = "class A:\n    k = I\n\nclass B:\n    k = J\n"
SCALED = """
from functools import wraps

def scaled(function):
    @wraps(function)
    def inner(self, x):
        return {} * function(self, x)
    return inner
"""
OPTIONS = """
from dataclasses import dataclass

@dataclass
class Options:
    h: int = 1

    def size(self):
        return {}
"""


@pytest.mark.parametrize(
    ("before", "mine"),
    [
        ("K = {}\n", "class Mine:\n    k = K\n    def score(self, x):\n        return self.k * x\n"),
        ("K = {}\n", "class Mine:\n    def score(self, x, k=K):\n        return k * x\n"),
        ("K = {}\n", "class Mine:\n    def score(self, x, *, k=K):\n        return k * x\n"),
        (SCALED, "class Mine:\n    @scaled\n    def score(self, x):\n        return x\n"),
        ("class Other:\n    k = {}\n", "class Mine:\n    def score(self, x):\n        return Other.k * x\n"),
        (
            OPTIONS,
            "class Mine:\n    def __init__(self, config: Options | None = None):\n        self.config = config\n",
        ),
        (
            OPTIONS,
            "class Mine:\n    def __init__(self, config: 'Options'):\n        self.config = config\n",
        ),
    ],
)
def test_what_a_class_takes_from_other_cells_when_it_is_made_counts(cell: Cell, before: str, mine: str) -> None:
    first = digest(cell, before.replace("{}", "1"), mine)
    assert digest(cell, before.replace("{}", "1"), mine) == first
    assert digest(cell, before.replace("{}", "2"), mine) != first
    assert first[2] == ""


def test_values_of_one_name_are_told_apart(cell: Cell) -> None:
    mine = "class Mine:\n    def score(self, x):\n        return A.k - B.k\n"
    first = digest(cell, "I, J = 1, 2\n", AB, mine)
    assert digest(cell, "I, J = 2, 1\n", AB, mine) != first


def test_an_object_of_the_notebook_in_a_class_is_a_gap(cell: Cell) -> None:
    cell("class Net:\n    pass\nnet = Net()\n")
    mine = "class Mine:\n    net = net\n    def score(self, x): ...\n"
    assert "net of the notebook" in found(cell, mine).parts.gap


def test_libraries_and_files_beside_count(cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside_the_notebook.py").write_text("def helper(x):\n    return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    cell("import numpy as np\nfrom beside_the_notebook import helper\n")
    made = found(cell, "class Mine:\n    def score(self, x):\n        return np.abs(helper(x))\n")
    assert "numpy" in made.parts.libraries
    assert [path.name for path in made.parts.files.values()] == ["beside_the_notebook.py"]
    mine = cell("")["Mine"]
    code = code_of(mine)
    (tmp_path / "beside_the_notebook.py").write_text("def helper(x):\n    return 2 * x\n")
    other = code_of(mine)
    assert code is not None and other is not None and code.files != other.files
    assert other.edited, "it changed after the process began, so what was loaded is not known"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("table = []\n", "it reads table of the notebook, which may change"),
        ("class Net:\n    pass\nnet = Net()\n", "it reads net of the notebook"),
        ("def helper(x):\n    return __import__(x)\n", ""),
        ("helper = [].append\n", "'list.append', whose source cannot be had"),
    ],
)
def test_a_gap_is_said(cell: Cell, text: str, why: str) -> None:
    mine = "class Mine:\n    def score(self, x):\n        return table, net, helper\n"
    gap = found(cell, text, mine).parts.gap
    assert gap.startswith(why) or why in gap
    assert bool(gap) == bool(why)


@pytest.mark.parametrize("file", [None, "<stdin>"])
def test_source_that_cannot_be_had(file: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = ModuleType("__main__")
    notebook.__file__ = file
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    exec(compile(MODEL, "<stdin>", "exec"), vars(notebook))
    assert cells_of(vars(notebook)["Mine"]).parts.gap == "its source cannot be had"
    code = code_of(vars(notebook)["Mine"])
    assert code is not None and code.gap
