"""Whether torch is installed. Without it (`tox -e light`) test files that need it are left out."""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from real_data import ROOT

# A tool that asks for the room of torch by its name.
BY_NAME = "docs_reference"
# Where tests import from: helpers, tools, the harness, first-party plugins.
ROOTS = tuple(ROOT / folder for folder in ("tests/helpers", "tests/tools", ".", "plugins", "datasets"))


class _Hiding(PathFinder):
    """Hides the folder `tests/torch`, which `import torch` would find in place of the library."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return None if fullname == "torch" else super().find_spec(fullname, path, target)


def _is_there() -> bool:
    try:
        version("torch")
    except PackageNotFoundError:
        return False
    return True


TORCH = _is_there()
needs_torch = pytest.mark.skipif(not TORCH, reason="torch is not installed")
if not TORCH:
    sys.meta_path[sys.meta_path.index(PathFinder)] = _Hiding


def imports_torch(file: Path) -> bool:
    """Whether a test file is about torch, or imports it when it loads, itself or by what it imports."""
    return file.suffix == ".py" and (file.parent.name == "torch" or _reaches_torch(file, set()))


def _reaches_torch(file: Path, seen: set[Path]) -> bool:
    seen.add(file)
    names = _imported(file)
    if any(name in ("torch", BY_NAME) or name.startswith(("torch.", "logbench.torch.")) for name in names):
        return True
    files = {found for name in names for found in _files(name)} - seen
    return any(found not in seen and _reaches_torch(found, seen) for found in sorted(files))


@cache
def _imported(file: Path) -> frozenset[str]:
    """Names that a file imports when it loads: modules, and what is taken from them, dotted."""
    names = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            within = _package(file, node.level) if node.level else []
            module = ".".join([*within, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def _package(file: Path, level: int) -> list[str]:
    """The package that a relative import starts from."""
    root = next(root for root in ROOTS[::-1] if file.is_relative_to(root))
    return [*file.relative_to(root).parent.parts][: len(file.relative_to(root).parts) - level]


@cache
def _files(name: str) -> tuple[Path, ...]:
    """The file of a module of this project; none for any other name."""
    places = [root / Path(*name.split(".")) for root in ROOTS]
    found = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return tuple(file for file in found if file.is_file())[:1]
