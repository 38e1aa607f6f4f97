"""Find a plugin's code without running it: its own files, and the installed packages that it imports.

Follows import statements from the plugin's package or module until they reach another distribution. A package
counts with every file in it, tables and compiled parts included. A single module counts with the modules and files
beside it that it names (see `beside`).
"""

from __future__ import annotations

import ast
import base64
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata, util
from pathlib import Path

from .files_beside import Allowance, TooMuchError, beside, files_in

# The package of logbench itself.
CORE = __name__.partition(".")[0]
_INSTALLERS = {"site-packages", "dist-packages"}


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
                tree, package = _tree(path), _dotted(one, name)
                if _imports_by_computed_name(tree, one.path.is_dir()):
                    parts.gap = f"{path.name} of {one.name} imports by a name that only shows when it runs"
                for imported in imported_names(tree, package):
                    if (root := _sort_out(imported, distribution, roots, parts)) is not None:
                        waiting.append(root)


def _sort_out(module: str, distribution: str, roots: dict[str, Root], parts: Parts) -> Root | None:
    """Note an imported module as a library, or return it where its own files are to be read."""
    found = located(module)
    if found is None or found.name in roots or found.name in parts.libraries or _is_core_or_standard(found.name):
        return None
    if identity := _installed(found, distribution):
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


def imported_names(tree: ast.AST, package: str) -> Iterator[str]:
    """Full names of everything that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif (named := _called_for(node)) is not None and isinstance(text := getattr(named, "value", None), str):
            yield text


def _called_for(node: ast.AST) -> ast.expr | None:
    """The name argument of a call such as `import_module(name)`."""
    if not isinstance(node, ast.Call):
        return None
    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
    given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "name")]
    return given[0] if called in ("import_module", "__import__") and given else None


def _imports_by_computed_name(tree: ast.AST, package: bool) -> bool:
    """Whether an imported name is computed; names inside the `package` do not matter, all its files count."""
    named = [found for node in ast.walk(tree) if (found := _called_for(node)) is not None]
    return any(not isinstance(one, ast.Constant) and not (package and _starts_by_a_dot(one)) for one in named)


def _starts_by_a_dot(name: ast.expr) -> bool:
    first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else None
    text = first.value if isinstance(first, ast.Constant) else None
    return isinstance(text, str) and re.match(r"\.(?!\.)", text) is not None


def _installed(found: Root, distribution: str) -> str:
    """Identity of a package or module that another distribution installed; empty if none did."""
    place = found.name.replace(".", "/")
    for owner, version, line in _listed().get(place.partition("/")[0], ()):
        if line.startswith((f"{place}/", f"{place}.")):
            base = found.path.parents[found.name.count(".")]
            identity = f"{owner} {version} {_recorded(owner, place)} {_edited_in_place(owner, place, base)}"
            return "" if _same(owner, distribution) else identity
    if _INSTALLERS.intersection(found.path.parts):
        return f"of unknown version {found.path.stat().st_mtime_ns}"
    return ""


@cache
def _recorded(owner: str, place: str) -> str:
    lines = _listed()[place.partition("/")[0]]
    return short(sorted(line for name, _, line in lines if name == owner and line.startswith(place)))


def _edited_in_place(owner: str, place: str, base: Path) -> str:
    """Digest over sources that differ from their distribution's list; empty if none does.

    Reads only files that changed after the list was written.
    """
    written = _changed(next((base / line.partition(",")[0] for line in _lists(owner)), base / "RECORD"))
    edited = []
    for name, _, line in _listed()[place.partition("/")[0]]:
        file, _, listed = line.partition(",sha256=")
        if name == owner and line.startswith(place) and file.endswith(".py") and _changed(base / file) > written:
            found = _sha256(base / file)
            if found != listed.partition(",")[0]:
                edited.append(f"{file} {found}")
    return short(sorted(edited)) if edited else ""


def _lists(owner: str) -> list[str]:
    """Lines of a distribution's RECORD that name the RECORD itself."""
    lines = (metadata.distribution(owner).read_text("RECORD") or "").splitlines()
    return [line for line in lines if line.partition(",")[0].endswith(".dist-info/RECORD")]


def _changed(path: Path) -> int:
    try:
        status = path.stat()
    except OSError:
        return 0
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _sha256(path: Path) -> str:
    """SHA-256 as RECORD files write it."""
    try:
        found = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return "unreadable"
    return base64.urlsafe_b64encode(found).decode().rstrip("=")


def _same(first: str, second: str) -> bool:
    return re.sub(r"[-_.]+", "-", first).lower() == re.sub(r"[-_.]+", "-", second).lower()


@cache
def _listed() -> dict[str, list[tuple[str, str, str]]]:
    """Top folder or file stem → distribution, version, and a line of its RECORD with a checksum."""
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
