"""Options of a class: the dataclass that its `__init__` takes, or one made of its keyword parameters."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, get_args, get_type_hints

from ..base.errors import PluginError

MISSING = dataclasses.MISSING
PLAIN = (bool, int, float, str)
_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Construction:
    """How a component is made.

    Attributes:
        build: called with an object of `config`, or with nothing where that is None.
        config: a dataclass, or None where there are no options.
    """

    build: Callable[..., Any]
    config: type | None = None


def of_callable(make: Callable[..., Any], where: str) -> Construction:
    """How to call a class or factory with its options.

    Args:
        where: its name in errors.

    Raises:
        PluginError: a parameter has no default, or neither type nor default.
    """
    parameters, hints = _parameters(make)
    if (config := _config_class(make, parameters, hints)) is not None:
        return Construction(make, config)
    for name, parameter in parameters.items():
        if parameter.default is not parameter.empty:
            continue
        if name in hints:
            raise PluginError(f"{where}: parameter {name} has no default; give it one, or give an instance")
        raise PluginError(
            f"{where}: parameter {name} has neither type nor default; write {name}: int = 10, or give an instance"
        )
    if not parameters:
        return Construction(make)
    values = {name: parameter.default for name, parameter in parameters.items()}
    return Construction(partial(_call, make), _made(make, where, values, hints))


def of_instance(thing: Any) -> Construction:
    """How to build such a thing anew, with its own options as the defaults.

    Its options are its attributes of the same name, as in scikit-learn. Where it cannot be built from them, each
    build is a deep copy of it as it is now.
    """
    cls, where = type(thing), type(thing).__name__
    parameters, hints = _parameters(cls)
    config = _config_class(cls, parameters, hints)
    if config is not None:
        given = next((v for v in vars(thing).values() if isinstance(v, config)), thing)
        values = _attributes(given, [field.name for field in dataclasses.fields(config) if field.init])
        found = (
            None
            if values is None
            else Construction(partial(_of_config, cls, config), _with_defaults(config, values))
        )
    else:
        values = _attributes(thing, list(parameters))
        found = Construction(cls)
        if values:
            found = Construction(partial(_call, cls), _made(cls, where, values, hints))
    if values is not None and found is not None and _same(thing, found, parameters):
        return found
    return Construction(partial(copy.deepcopy, copy.deepcopy(thing)))


def source_of(build: Any) -> tuple[Any, str]:
    """The class or function that is called to build a component, and why more than its code and options decides.

    The reason is empty if nothing else does.
    """
    while isinstance(build, partial):
        if build.func is copy.deepcopy:
            return type(build.args[0]), "its attributes do not tell how it was made"
        if build.func not in (_call, _of_config) and build.args:
            return inspect.unwrap(build.func), "it is given arguments without a name"
        build = build.args[0] if build.func in (_call, _of_config) else build.func
    found = build if inspect.isclass(build) or inspect.isroutine(build) else type(build)
    return inspect.unwrap(found), ""


def _same(thing: Any, found: Construction, parameters: Mapping[str, Any]) -> bool:
    """Whether what is built anew has the values of `thing`: those of parameters, and plain ones that both have."""
    try:
        built = found.build(found.config()) if found.config else found.build()
        set_on = {name for name, value in getattr(thing, "__dict__", {}).items() if type(value) in PLAIN}
        plain = {name for name in set_on if type(getattr(built, name, built)) in PLAIN}
        return all(
            bool(getattr(built, name) == getattr(thing, name))
            for name in plain.union(parameters)
            if hasattr(thing, name)
        )
    except Exception:  # such as a class that refuses what it made of its own options
        return False


def _call(make: Callable[..., Any], config: Any) -> Any:
    return make(**{field.name: getattr(config, field.name) for field in dataclasses.fields(config)})


def _of_config(cls: type, config_class: type, config: Any) -> Any:
    """Build with an object of the very class that `__init__` takes; only the defaults are of another."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config_class) if field.init}
    return cls(config_class(**values))


def _parameters(make: Callable[..., Any]) -> tuple[dict[str, inspect.Parameter], dict[str, Any]]:
    """Named parameters, and the types of those that have one."""
    try:
        parameters = inspect.signature(make).parameters
    except ValueError:  # of a class in native code
        return {}, {}
    named = {name: parameter for name, parameter in parameters.items() if parameter.kind not in _OPEN}
    function = make.__init__ if inspect.isclass(make) else getattr(make, "func", make)
    try:
        hints = get_type_hints(function)
    except Exception:  # such as a name imported under TYPE_CHECKING
        known = getattr(function, "__annotations__", {})
        hints = {name: hint for name, hint in known.items() if not isinstance(hint, str)}
    return named, {name: hint for name, hint in hints.items() if name in named}


def _config_class(make: Any, parameters: Mapping[str, inspect.Parameter], hints: Mapping[str, Any]) -> type | None:
    """The dataclass that is the only parameter; None where options are parameters themselves."""
    declared = getattr(make, "config_class", None)
    if _is_dataclass(declared):
        return declared
    if len(parameters) != 1:
        return None
    hint = hints.get(next(iter(parameters)))
    if isinstance(hint, TypeVar):
        return _type_argument(make, hint)
    return next((one for one in (hint, *get_args(hint)) if _is_dataclass(one)), None)


def _type_argument(cls: type, variable: TypeVar) -> type | None:
    """The dataclass that a generic base is given, as in `class Mine(NextKeyModel[MyConfig])`, or is bound to."""
    bases = (base for one in cls.__mro__ for base in vars(one).get("__orig_bases__", ()))
    given = (argument for base in bases for argument in get_args(base))
    known = (one.__bound__ if isinstance(one, TypeVar) else one for one in (*given, variable))
    return next(filter(_is_dataclass, known), None)


def _is_dataclass(thing: Any) -> bool:
    return inspect.isclass(thing) and dataclasses.is_dataclass(thing)


def _attributes(thing: Any, names: list[str]) -> dict[str, Any] | None:
    """Attributes of these names; None if one is missing."""
    return {name: getattr(thing, name) for name in names} if all(hasattr(thing, name) for name in names) else None


def _with_defaults(config: type, values: Mapping[str, Any]) -> type:
    """The options class with these values as defaults."""
    hints = get_type_hints(config, include_extras=True)
    fields = [
        (f.name, hints[f.name], _field(values[f.name], f.metadata, f.kw_only is True))
        for f in dataclasses.fields(config)
        if f.name in values and values[f.name] is not f.default and values[f.name] != f.default
    ]
    if not fields:
        return config
    frozen = config.__dataclass_params__.frozen  # type: ignore[attr-defined]
    made = dataclasses.make_dataclass(config.__name__, fields, bases=(config,), frozen=frozen)
    made.__module__ = config.__module__
    return made


def _made(make: Any, where: str, values: Mapping[str, Any], hints: Mapping[str, Any]) -> type:
    """An options class of parameters with these values as defaults."""
    meanings = _meanings(make)
    fields = [
        (name, hints.get(name, _type_of(value)), _field(value, {"help": meanings.get(name, "")}))
        for name, value in values.items()
    ]
    return dataclasses.make_dataclass(f"{where}Options", fields, frozen=True)


def _type_of(value: Any) -> Any:
    return type(value) if isinstance(value, bool | int | float | str) else Any


def _field(value: Any, metadata: Mapping[str, Any], kw_only: bool = False) -> Any:
    if type(value).__hash__ is None:  # a list or dict: each object gets its own
        return dataclasses.field(default_factory=partial(copy.deepcopy, value), metadata=metadata, kw_only=kw_only)
    return dataclasses.field(default=value, metadata=metadata, kw_only=kw_only)


def _meanings(make: Any) -> dict[str, str]:
    """What the docstring says of each parameter in a line of its own: `k: nearest neighbours`."""
    texts = [getattr(make, "__doc__", None) or ""]
    if inspect.isclass(make):
        texts.append(make.__init__.__doc__ or "")
    return {name: text.strip() for one in texts for name, text in re.findall(r"(?m)^\s*(\w+):[ ]+(\S.*)$", one)}
