"""What a plugin is made of: the files that it imports, and the installed packages beside them.

They are found without running anything: from the plugin's package or module, along its import statements, as far
as these lead to files that no other distribution installed. A package counts with every file in it (tables and
compiled parts, too), a single module with the modules and files beside it that it names.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path

_INSTALLERS = {"site-packages", "dist-packages"}


@dataclass(frozen=True)
class Root:
    """A package's folder or a module's file, by its full name."""

    name: str
    path: Path


def located(module: str) -> Root | None:
    """The package or module that holds `module`; a namespace package belongs to nobody, so its parts count."""
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


def closure(start: Root, distribution: str) -> tuple[dict[str, Path], dict[str, str]]:
    """Own files by name, and what other distributions installed by name."""
    files: dict[str, Path] = {}
    libraries: dict[str, str] = {}
    waiting, met = [start], {start.name}
    while waiting:
        one = waiting.pop()
        own = {f"{one.name}/{name}": path for name, path in files_of(one.path).items()}
        files |= own
        for name, path in own.items():
            if path.suffix == ".py":
                for imported in _imported(path, _dotted(one, name)):
                    found = located(imported)
                    if found is None or found.name in met or _is_core_or_standard(found.name):
                        continue
                    met.add(found.name)
                    if said := _installed(found, distribution):
                        libraries[found.name] = said
                    else:
                        waiting.append(found)
    return files, libraries


def _is_core_or_standard(name: str) -> bool:
    top = name.partition(".")[0]
    return top == __package__ or top in sys.stdlib_module_names


def files_of(path: Path) -> dict[str, Path]:
    """Every file of a package by its name there, without compiled caches; a module and what it names beside it."""
    if path.is_file():
        return {path.name: path, **({} if path.suffix != ".py" else dict(_beside(path)))}
    found = (file for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc")
    inside = {file.relative_to(path): file for file in found}
    hidden = re.compile(r"\.|__pycache__$")
    return {n.as_posix(): file for n, file in inside.items() if not any(map(hidden.match, n.parts))}


def _beside(module: Path) -> Iterator[tuple[str, Path]]:
    """Files beside a single module that a text in it names, such as a table that it reads."""
    for node in ast.walk(_tree(module)):
        named = node.value if isinstance(node, ast.Constant) else None
        if isinstance(named, str) and re.fullmatch(r"[\w./-]{1,200}\.\w+", named):
            file = module.parent / named
            if file != module and file.is_file():
                yield named, file


def _tree(file: Path) -> ast.AST:
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def _dotted(root: Root, name: str) -> str:
    """The package that a file belongs to, for what it imports by dots."""
    inside = Path(name.removeprefix(f"{root.name}/")).parent.parts
    return ".".join([root.name, *inside]) if root.path.is_dir() else root.name.rpartition(".")[0]


def _imported(file: Path, package: str) -> Iterator[str]:
    """Full names of all that a file imports anywhere in it."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(named := node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__") and isinstance(named.value, str):
                yield named.value


def _installed(found: Root, distribution: str) -> str:
    """What identifies a package or module that another distribution installed; empty where none did."""
    place = found.name.replace(".", "/")
    for owner, version, line in _listed().get(place.partition("/")[0], ()):
        if line.startswith((f"{place}/", f"{place}.")):
            return "" if _same(owner, distribution) else f"{owner} {version} {_recorded(owner, place)}"
    if _INSTALLERS.intersection(found.path.parts):
        return f"of unknown version {found.path.stat().st_mtime_ns}"
    return ""


@cache
def _recorded(owner: str, place: str) -> str:
    lines = _listed()[place.partition("/")[0]]
    return short(sorted(line for name, _, line in lines if name == owner and line.startswith(place)))


def _same(first: str, second: str) -> bool:
    return re.sub(r"[-_.]+", "-", first).lower() == re.sub(r"[-_.]+", "-", second).lower()


@cache
def _listed() -> dict[str, list[tuple[str, str, str]]]:
    """Top folder or file stem → distribution, its version, and a line of its list of files with its checksum."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for dist in metadata.distributions():
        name, version = dist.metadata["Name"] or "", dist.version
        for line in (dist.read_text("RECORD") or "").splitlines():
            if ",sha256=" in line and not line.startswith(".."):
                top = line.partition(",")[0].partition("/")[0].partition(".")[0]
                found.setdefault(top, []).append((name, version, line))
    return found


def short(lines: Iterable[str]) -> str:
    """12 hex digits over lines of text."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
