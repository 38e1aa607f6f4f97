"""Components in a file of the user's own, `./my_model.py`, or one of several in it, `./my_model.py:MyModel`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from ..api.components import BaseComponent, Kind
from ..base.errors import ConfigError, PluginError
from ..base.options import suggest
from .class_kinds import METHODS, kind_of, kinds_of
from .component_kinds import COMPONENTS
from .component_of import component_of
from .entry import Plugin, RegisteredComponent
from .lone_modules import module_of_file
from .refusals import check_at_hand

_NAMED = re.compile(r"(?P<file>.+\.py)(:(?P<name>[^:/+*]+))?", re.DOTALL)


def names_file(name: str) -> bool:
    """Whether what a user typed names a file, or one of its components, rather than a component."""
    return _NAMED.fullmatch(name) is not None and ("+" not in name or Path(_split(name)[0]).exists())


def component_in(kind: Kind, typed: str) -> RegisteredComponent[Any]:
    """The component of this kind that a file holds.

    Args:
        typed: such as `./my_model.py` or `./my_model.py:MyModel`.

    Raises:
        ConfigError: the file is missing or cannot be loaded, it holds none or several, or none of this name.
    """
    file, name = _split(typed)
    module = module_of_file(file, typed)
    found = dict(_components(module, kind))
    if name:
        thing = found.get(name, getattr(module, name, None))
        if thing is None:
            raise ConfigError(f"{typed}: {file} has no {name!r}{suggest(name, found)}")
    elif len(found) == 1:
        ((name, thing),) = found.items()
    elif found:
        every = ", ".join(found)
        raise ConfigError(f"{typed} holds several, {every}: say which, such as {file}:{next(iter(found))}")
    else:
        raise ConfigError(f"{typed}: {_nothing(module, kind)}")
    return _entry(kind, thing, name, module, typed)


def components_in(typed: str) -> list[tuple[Kind, str]]:
    """Kind and full name of each component that a file holds, or of the one that is named.

    Raises:
        ConfigError: the file is missing or cannot be loaded, or holds none.
    """
    file, name = _split(typed)
    module = module_of_file(file, typed)
    found = [
        (kind, f"{file}:{one}") for kind in METHODS for one, _ in _components(module, kind) if name in ("", one)
    ]
    if not found and name:
        thing = getattr(module, name, None)
        if thing is None:
            raise ConfigError(f"{typed}: {file} has no {name!r}{suggest(name, vars(module))}")
        found = [(kind, typed) for kind, cls in COMPONENTS.items() if isinstance(_made(None, thing, typed), cls)]
    if not found:
        raise ConfigError(f"{typed}: {_nothing(module, 'model')}")
    return found


def _split(typed: str) -> tuple[Path, str]:
    found = _NAMED.fullmatch(typed)
    assert found is not None, typed
    return Path(found["file"]), found["name"] or ""


def _components(module: ModuleType, kind: Kind) -> Iterator[tuple[str, Any]]:
    """Name and thing of each component of this kind: what its hook yields, else components, else classes."""
    if callable(hook := getattr(module, f"logbench_{kind}s", None)):
        yield from ((item.name, item) for item in hook() if isinstance(item, BaseComponent))
        return
    own = {name: thing for name, thing in vars(module).items() if not name.startswith("_")}
    made = {name: thing for name, thing in own.items() if isinstance(thing, COMPONENTS[kind])}
    built = {thing.build for thing in made.values()}
    yield from made.items()
    for name, thing in own.items():
        mine = inspect.isclass(thing) and thing.__module__ == module.__name__ and not inspect.isabstract(thing)
        if mine and thing not in built and kind in kinds_of(thing):
            yield name, thing


def _nothing(module: ModuleType, kind: Kind) -> str:
    """Say what a file lacks that holds no component of this kind."""
    for cls in vars(module).values():
        own = inspect.isclass(cls) and cls.__module__ == module.__name__
        if own and any(callable(getattr(cls, name, None)) for name in METHODS[kind]):
            try:
                kind_of(cls, kind)
            except PluginError as error:
                return str(error)
    return f"no {kind} in it; that is a class with {' and '.join(METHODS[kind])}"


def _made(kind: Kind | None, thing: Any, typed: str) -> BaseComponent[Any]:
    try:
        return component_of(thing, kind=kind)
    except PluginError as error:
        raise ConfigError(f"{typed}: {error}") from None


def _entry(kind: Kind, thing: Any, name: str, module: ModuleType, typed: str) -> RegisteredComponent[Any]:
    item, file = _made(kind, thing, typed), Path(str(module.__file__))
    plugin = Plugin(file.stem, file.name, "", lambda: module, place=f"{file}:{name}")
    check_at_hand(kind, item, plugin)
    return RegisteredComponent(item, plugin)
