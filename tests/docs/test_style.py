"""Rules of writing that a machine can hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("logbench", "plugins", "datasets", "tests")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _stray_strings(tree: ast.Module) -> Iterator[int]:
    """Lines of the string literals that are statements and no docstrings."""
    for node in ast.walk(tree):
        docstring = node.body[0] if isinstance(node, DOCUMENTED) and node.body else None
        for child in ast.iter_child_nodes(node):
            if child is not docstring and isinstance(child, ast.Expr) and _is_string(child.value):
                yield child.lineno


def _is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize("room", ROOMS)
def test_constants_are_explained_by_comments(room: str) -> None:
    """A string under a constant is no docstring: Python drops it, and readers look for `#` above."""
    stray = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for line in _stray_strings(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not stray


def test_examples_stand_in_docstrings_so_that_the_site_shows_code() -> None:
    """`Examples:` is a section of `>>>` lines; `Example:` is text, so code stands after an empty line."""
    wrong = re.compile(r"^ *Example:\n(?!\n)|^ *Examples:\n(?! *>>>)", re.M)
    found = [
        f"{path.relative_to(ROOT)}: {match.group().strip()}"
        for room in ROOMS[:3]
        for path in sorted((ROOT / room).rglob("*.py"))
        for match in wrong.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found
