"""Find a plugin's code without running it: its own files, and the installed packages that it imports.

Follows import statements from the plugin's package or module until they reach another distribution. A package
counts with every file in it, tables and compiled parts included. A single module counts with the modules and files
beside it that it names (see `beside`).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import util
from pathlib import Path

from .files_beside import Allowance, TooMuchError, beside, files_in
from .installed_files import installed

# The package of logbench itself.
CORE = __name__.partition(".")[0]
# Calls that import by name.
_CALLED = ("import_module", "__import__")


@dataclass(frozen=True)
class Root:
    """A package's folder or a module's file, by its full name."""

    name: str
    path: Path


def located(module: str) -> Root | None:
    """The package or module that holds `module`; of a namespace package, which nobody owns, the part."""
    parts = module.split(".")
    for at in range(1, len(parts) + 1):
        name = ".".join(parts[:at])
        try:
            found = util.find_spec(name)
        except (ImportError, AttributeError, ValueError):
            return None
        if found is None or found.origin in ("built-in", "frozen"):
            return None
        if found.origin and Path(found.origin).is_file():
            path = Path(found.origin)
            return Root(name, path.parent if found.submodule_search_locations else path)
    return None


def sources_of(module: str) -> list[Path]:
    """Sources of a module's package; for a single module, those beside it.

    Raises:
        TooMuchError, OSError: as `files_of`.
    """
    if (found := located(module)) is None:
        return []
    if found.path.is_dir():
        return [path for path in files_of(found.path).values() if path.suffix == ".py"]
    return sorted(found.path.parent.glob("*.py"))


@dataclass
class Parts:
    """Files and libraries of a plugin.

    Attributes:
        files: own files by name.
        libraries: identity of imported packages of other distributions, by name.
        gap: why more code may exist; empty if the list is complete.
    """

    files: dict[str, Path] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    gap: str = ""


def closure(start: Root, distribution: str) -> Parts:
    """Everything that a package or module imports, directly or not."""
    parts = Parts()
    _follow([start], parts, distribution)
    return parts


def follow(modules: Iterable[str], parts: Parts) -> None:
    """Add everything that these modules are and import, directly or not."""
    roots: dict[str, Root] = {}
    for name in modules:
        _sort_out(name, "", roots, parts)
    _follow(list(roots.values()), parts, "")


def _follow(waiting: list[Root], parts: Parts, distribution: str) -> None:
    roots = {root.name: root for root in waiting}
    while waiting:
        one = waiting.pop()
        try:
            own = {f"{one.name}/{name}": path for name, path in files_of(one.path).items()}
        except (TooMuchError, OSError):
            parts.gap = f"{one.name} may read more files than can be looked at"
            return
        parts.files |= own
        for name, path in own.items():
            if path.suffix == ".py":
                tree, calls = _tree(path), _calls_imports(path)
                if calls and _imports_by_computed_name(tree, one.path.is_dir()):
                    parts.gap = f"{path.name} of {one.name} imports by a name that only shows when it runs"
                for imported in imported_names(tree, _dotted(one, name), calls=calls):
                    if (root := _sort_out(imported, distribution, roots, parts)) is not None:
                        waiting.append(root)


def _sort_out(module: str, distribution: str, roots: dict[str, Root], parts: Parts) -> Root | None:
    """Note an imported module as a library, or return it where its own files are to be read."""
    if _is_core_or_standard(module):  # before it is located, which takes longer
        return None
    found = located(module)
    if found is None or found.name in roots or found.name in parts.libraries:
        return None
    if identity := installed(found.name, found.path, distribution):
        parts.libraries[found.name] = identity
        return None
    roots[found.name] = found
    return found


def _is_core_or_standard(name: str) -> bool:
    top = name.partition(".")[0]
    return top == CORE or top in sys.stdlib_module_names


def files_of(path: Path) -> dict[str, Path]:
    """Files of a package by relative name, without compiled caches; of a module, itself and the files it names.

    Raises:
        TooMuchError: more than an `Allowance`.
        OSError: a folder cannot be read.
    """
    if path.is_file():
        return {path.name: path, **({} if path.suffix != ".py" else beside(path, _tree(path)))}
    return {file.relative_to(path).as_posix(): file for file in files_in(path, Allowance())}


def _tree(file: Path) -> ast.AST:
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def _dotted(root: Root, name: str) -> str:
    """The package of a file, to resolve its relative imports."""
    inside = Path(name.removeprefix(f"{root.name}/")).parent.parts
    return ".".join([root.name, *inside]) if root.path.is_dir() else root.name.rpartition(".")[0]


def imported_names(tree: ast.AST, package: str, *, calls: bool = True) -> Iterator[str]:
    """Full names of everything that a module imports.

    Args:
        calls: look into expressions, too, for calls such as `import_module("x")`; it takes ten times as long.
    """
    for node in ast.walk(tree) if calls else _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif (named := _called_for(node)) is not None and isinstance(text := getattr(named, "value", None), str):
            yield text


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Statements at every depth."""
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        yield one
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(one, name, ())


def _calls_imports(file: Path) -> bool:
    """Whether the text of a file has the name of a function that imports."""
    try:
        text = file.read_bytes()
    except OSError:
        return False
    return any(name.encode() in text for name in _CALLED)


def _called_for(node: ast.AST) -> ast.expr | None:
    """The name argument of a call such as `import_module(name)`."""
    if not isinstance(node, ast.Call):
        return None
    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
    given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "name")]
    return given[0] if called in _CALLED and given else None


def _imports_by_computed_name(tree: ast.AST, package: bool) -> bool:
    """Whether an imported name is computed; names inside the `package` do not matter, all its files count."""
    named = [found for node in ast.walk(tree) if (found := _called_for(node)) is not None]
    return any(not isinstance(one, ast.Constant) and not (package and _starts_by_a_dot(one)) for one in named)


def _starts_by_a_dot(name: ast.expr) -> bool:
    first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else None
    text = first.value if isinstance(first, ast.Constant) else None
    return isinstance(text, str) and re.match(r"\.(?!\.)", text) is not None
