"""The code of a class or function that no file holds, such as one of a notebook: the cells that it is made of."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .code_files import Parts, follow, imported_names

_PLAIN = (str, bytes, int, float, bool, type(None))


@dataclass
class Cells:
    """Source texts of a class or function and of what it uses, and the files and libraries that these import.

    Attributes:
        texts: of whole cells, and of the plain values that they read.
        parts: files beside the notebook and installed packages; `gap` where more code may exist.
    """

    texts: set[str] = field(default_factory=set)
    parts: Parts = field(default_factory=Parts)


def cells_of(thing: Any) -> Cells:
    """The cells that a class or function of a module without a file is made of, by the names that it uses."""
    found, modules = Cells(), set[str]()
    waiting, seen = [thing], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, ModuleType):
            modules.add(one.__name__)
        elif has_file(one) and not inspect.ismethod(one):
            modules.add(one.__module__)
        elif inspect.isclass(one):
            waiting += [*_functions(one), *one.__bases__]
        else:
            waiting += _read(one, found)
    if not found.texts:
        found.parts.gap = found.parts.gap or "its source cannot be had"
    modules |= {name for text in found.texts for name in _imports(text)}
    gap = found.parts.gap
    follow(sorted(modules), found.parts)
    found.parts.gap = gap or found.parts.gap
    return found


def has_file(thing: Any) -> bool:
    """Whether a class or function is of a module and not of a notebook or of typed code."""
    if (name := getattr(thing, "__module__", None)) is None:  # such as a method of a list
        return False
    return name != "__main__" or bool(getattr(sys.modules["__main__"], "__file__", None))


def _functions(cls: type) -> Iterator[FunctionType]:
    """The functions of a class itself, those of properties and the like among them."""
    for value in vars(cls).values():
        inner = [value, *(getattr(value, name, None) for name in ("fget", "fset", "__func__", "func"))]
        yield from (inspect.unwrap(one) for one in inner if inspect.isfunction(one))


def _read(function: Any, found: Cells) -> list[Any]:
    """Add the cell of a function and the plain values that it reads; return what must be read, too."""
    if not inspect.isfunction(function):
        found.parts.gap = f"it uses {getattr(function, '__qualname__', function)!r}, whose source cannot be had"
        return []
    code = function.__code__
    if code.co_filename == "<string>":  # made by a dataclass of fields that stand in a cell
        return []
    lines = linecache.getlines(code.co_filename)
    if not lines:
        found.parts.gap = "its source cannot be had"
        return []
    found.texts.add("".join(lines))
    used, more = dict[str, Any](), list[Any]()
    used |= {name: function.__globals__[name] for name in _names(code) if name in function.__globals__}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        used[name] = cell.cell_contents
    for name, value in used.items():
        if isinstance(value, ModuleType) or inspect.isclass(value) or inspect.isroutine(value):
            more.append(value)
        elif isinstance(value, _PLAIN) or _all_plain(value):
            found.texts.add(f"{name} = {value!r}")
        else:
            found.parts.gap = f"it reads {name} of the notebook, which may change"
    return more


def _all_plain(value: Any) -> bool:
    return isinstance(value, tuple | frozenset) and all(isinstance(one, _PLAIN) for one in value)


def _names(code: CodeType) -> Iterator[str]:
    """Names that code and the functions within it use."""
    yield from code.co_names
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _names(one)


def _imports(text: str) -> Iterable[str]:
    try:
        return list(imported_names(ast.parse(text), ""))
    except (SyntaxError, ValueError):
        return []
