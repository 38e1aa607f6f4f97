"""The code of a class or function that no file holds, such as one of a notebook: the cells that it is made of."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import linecache
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, get_args

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
        elif inspect.isfunction(one) and one.__globals__.get("__name__") != "__main__":  # a library's decorator
            modules.add(one.__globals__["__name__"])
        elif inspect.isclass(one):
            waiting += [*_functions(one), *one.__bases__, *_values(one, found)]
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
    return name != "__main__" or Path(getattr(sys.modules["__main__"], "__file__", None) or "").is_file()


def _functions(cls: type) -> Iterator[FunctionType]:
    """The functions of a class itself, those of properties and the like and within decorators among them."""
    for value in vars(cls).values():
        inner = [value, *(getattr(value, name, None) for name in ("fget", "fset", "__func__", "func"))]
        while inner:
            if inspect.isfunction(one := inner.pop()):
                yield one
                inner.append(getattr(one, "__wrapped__", None))


def _values(cls: type, found: Cells) -> Iterator[Any]:
    """Add what the attributes of a class are, which other cells may have made; give the classes among them."""
    given = (one for base in vars(cls).get("__orig_bases__", ()) for one in get_args(base))
    yield from filter(inspect.isclass, given)
    for name, value in vars(cls).items():
        if inspect.isclass(value):
            yield value
        elif not (name.startswith("__") or inspect.isroutine(value) or isinstance(value, property)):
            found.texts.add(f"{cls.__qualname__}.{name} = {_shown(value)}")
            if not has_file(type(value)):
                found.parts.gap = f"it reads {name} of the notebook, which may change"


def _shown(value: Any) -> str:
    """A value in words that are the same in every process."""
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_shown, value)))}}}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}{[_shown(getattr(value, one.name)) for one in dataclasses.fields(value)]}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


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
    used = {name: function.__globals__[name] for name in _names(code) if name in function.__globals__}
    own: dict[Any, Any] = dict(
        zip(code.co_freevars, (cell.cell_contents for cell in function.__closure__ or ()), strict=True)
    )
    own |= dict(enumerate(function.__defaults__ or ())) | (function.__kwdefaults__ or {})
    used |= {f"{function.__qualname__}.{name}": value for name, value in own.items()}
    more = _annotated(function)
    for name, value in used.items():
        if isinstance(value, ModuleType) or inspect.isclass(value) or inspect.isroutine(value):
            more.append(value)
        elif isinstance(value, _PLAIN) or _all_plain(value):
            found.texts.add(f"{name} = {value!r}")
        else:
            found.parts.gap = f"it reads {name} of the notebook, which may change"
    return more


def _annotated(function: FunctionType) -> list[Any]:
    """The classes by which a function annotates its parameters: the options of a model, say."""
    found: list[Any] = []
    for hint in function.__annotations__.values():
        if isinstance(hint, str):
            found += [function.__globals__.get(name) for name in re.findall(r"\w+", hint)]
        else:
            found += [hint, *get_args(hint)]
    return [one for one in found if inspect.isclass(one)]


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
