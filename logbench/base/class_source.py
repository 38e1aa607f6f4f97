"""Find a class in the source of installed packages, without importing them."""

from __future__ import annotations

import ast
from importlib.machinery import PathFinder
from pathlib import Path

# Most files to look into on the way from where a class is offered to where it is written.
HOPS = 8


def is_there(module: str) -> bool:
    """Whether the top-level package of a module is installed."""
    return PathFinder.find_spec(module.partition(".")[0]) is not None


def class_source(module: str, name: str, hops: int = HOPS) -> tuple[ast.ClassDef, str] | None:
    """The class `name` as it is written, and the module that it is written in.

    Follows `from … import name`, so that `sklearn.ensemble` leads to where its classes are.

    Returns:
        None where there is no such source.
    """
    path = _path_of(module)
    if path is None or not hops:
        return None
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node, module
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    package = path.name == "__init__.py"
                    return class_source(_absolute(node, module, package), alias.name, hops - 1)
    return None


def _statements(tree: ast.Module) -> list[ast.stmt]:
    """Statements of a module, also those within `if` and `try`."""
    found: list[ast.stmt] = []
    for node in tree.body:
        inner = [*getattr(node, "body", []), *getattr(node, "orelse", [])]
        found += [node, *(inner if isinstance(node, ast.If | ast.Try) else [])]
    return found


def _absolute(node: ast.ImportFrom, module: str, package: bool) -> str:
    """The module that `from .x import y` names."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    base = parts[: len(parts) - node.level + package]
    return ".".join([*base, *([node.module] if node.module else [])])


def _path_of(module: str) -> Path | None:
    """The source file of a module; None where there is none."""
    top, *rest = module.split(".")
    spec = PathFinder.find_spec(top)
    if spec is None:
        return None
    if not rest and spec.origin is not None:
        found = Path(spec.origin)
        return found if found.suffix == ".py" else None
    for root in spec.submodule_search_locations or ():
        inner = Path(root).joinpath(*rest)
        for path in (inner / "__init__.py", inner.with_name(f"{inner.name}.py")):
            if path.is_file():
                return path
    return None
