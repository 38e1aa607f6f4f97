"""Options of a third party's class, passed through: a dataclass made of its keyword parameters."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
import typing
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from ..base.class_source import class_source, is_there
from ..base.errors import PluginError

# Types that an option may have; others, such as arrays and callables, cannot be typed on a command line.
SIMPLE = (bool, int, float, str, NoneType)
# Types of a parameter without annotation, by the type of its default.
GUESSED = {
    bool: bool,
    int: int,
    float: int | float,  # 1 and 1.0 may mean different things, so neither becomes the other
    str: str | int | float,  # such as "auto", in place of a number
    NoneType: None | bool | int | float | str,
}
# Names that an annotation may use.
NAMES = {**vars(typing), **{kind.__name__: kind for kind in SIMPLE}}
HELP = 100


@dataclass(frozen=True)
class _Parameter:
    """A keyword parameter: its default, and its annotation, None without one."""

    name: str
    default: Any
    annotation: Any


def passed_through(thing: type | str, *, leave_out: Collection[str] = (), **defaults: Any) -> type:
    """A frozen dataclass of options, made of the keyword parameters of a third party's class.

    Each parameter whose default is a text, a number, True, False or None is an option of this name, with this
    default, its type from the annotation or else from the default, and its meaning from the docstring (NumPy's
    style). All other parameters are left out. `cls(**dataclasses.asdict(options))` builds the class.

    Args:
        thing: the class; or `"sklearn.ensemble:IsolationForest"`, which is read from its source without importing
            it, so that `logbench list` stays fast. Where the package is not installed there are no options.
        leave_out: parameters that are no options, such as `random_state`, which is `context.seed`.
        defaults: other defaults, by parameter.

    Raises:
        PluginError: there is no such class, or it has no such parameter.

    Examples:
        >>> import logbench
        >>> Options = logbench.passed_through("sklearn.neighbors:LocalOutlierFactor", novelty=True)
        >>> Options().n_neighbors, Options().novelty
        (20, True)
    """
    if isinstance(thing, str):
        module, colon, name = thing.partition(":")
        if not colon:
            raise PluginError(f"passed_through({thing!r}): write module:Class, such as sklearn.svm:OneClassSVM")
        parameters, text = _of_source(module, name, thing) if is_there(module) else ([], "")
        defaults = defaults if is_there(module) else {}
    else:
        name = thing.__name__
        parameters, text = list(_of_class(thing)), f"{thing.__doc__ or ''}\n{_init_of(thing).__doc__ or ''}"
    known = {parameter.name for parameter in parameters}
    if wrong := next((one for one in defaults if one not in known), None):
        raise PluginError(f"passed_through: {name} has no keyword parameter {wrong!r} with a plain default")
    meanings = _meanings(text)
    fields = []
    for parameter in parameters:
        default = defaults.get(parameter.name, parameter.default)
        hint = _hint(parameter.annotation, default)
        if hint is not None and parameter.name not in leave_out:
            metadata = {"help": meanings.get(parameter.name, f"{name}'s {parameter.name}"), "literal": True}
            fields.append((parameter.name, hint, dataclasses.field(default=default, metadata=metadata)))
    return dataclasses.make_dataclass(f"{name}Options", fields, frozen=True)


def _init_of(cls: Any) -> Any:
    return cls.__init__


def _of_class(cls: type) -> Iterator[_Parameter]:
    try:
        hints = typing.get_type_hints(_init_of(cls))
    except Exception:  # such as a name imported under TYPE_CHECKING
        hints = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if named and isinstance(parameter.default, SIMPLE):
            yield _Parameter(name, parameter.default, hints.get(name))


def _of_source(module: str, name: str, where: str) -> tuple[list[_Parameter], str]:
    """Parameters and docstrings of a class as they are written; its base class's where it has no `__init__`."""
    found = class_source(module, name)
    if found is None:
        raise PluginError(f"passed_through({where!r}): there is no source of this class; give the class itself")
    cls, home = found
    text = ast.get_docstring(cls) or ""
    for node in cls.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return list(_of_arguments(node.args)), f"{text}\n{ast.get_docstring(node) or ''}"
    for base in cls.bases:
        if isinstance(base, ast.Name) and class_source(home, base.id) is not None:
            parameters, more = _of_source(home, base.id, where)
            return parameters, f"{more}\n{text}"
    return [], text


def _of_arguments(arguments: ast.arguments) -> Iterator[_Parameter]:
    placed = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(placed) - len(arguments.defaults)), *arguments.defaults, *arguments.kw_defaults]
    for argument, default in zip([*placed, *arguments.kwonlyargs], defaults, strict=True):
        try:
            value = ast.literal_eval(default) if default is not None else ...
        except ValueError:  # no literal, such as np.nan
            continue
        if isinstance(value, SIMPLE):
            yield _Parameter(argument.arg, value, _evaluated(argument.annotation))


def _evaluated(annotation: ast.expr | None) -> Any:
    """The type that an annotation of plain names says; None where it says others."""
    if annotation is None:
        return None
    try:
        return eval(ast.unparse(annotation), {"__builtins__": {}}, NAMES)
    except Exception:
        return None


def _hint(annotation: Any, default: Any) -> Any:
    """The type of an option: what is plain in the annotation, and the default's; None where that is nothing."""
    options = _flat(annotation)
    plain = [one for one in options if one in SIMPLE or get_origin(one) is Literal]
    if not plain:
        return GUESSED.get(type(default))
    if set(plain) == {NoneType}:  # such as a callable or None
        return None
    literals = [value for one in plain if get_origin(one) is Literal for value in get_args(one)]
    if default not in literals and type(default) not in plain and not (float in plain and type(default) is int):
        plain.append(type(default))
    return Union[tuple(plain)]  # noqa: UP007


def _flat(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType):
        return tuple(one for part in get_args(annotation) for one in _flat(part))
    return (annotation,) if annotation is not None else ()


def _meanings(text: str) -> dict[str, str]:
    """The first sentence on each parameter of a docstring in NumPy's style (`name : type`, then its meaning)."""
    found: dict[str, str] = {}
    lines = textwrap.dedent(text).splitlines()
    for at, line in enumerate(lines):
        if head := re.match(r"(\s*)(\w+)\s?:\s\S", line):
            inner = re.compile(rf"{head[1]}\s+\S")
            said = []
            for more in lines[at + 1 :]:
                if not inner.match(more):
                    break
                said.append(more.strip())
            sentence = re.split(r"(?<=[\w)`])(?<!i\.e)(?<!e\.g)[.:](?:\s|$)", " ".join(said))[0]
            if sentence:
                found.setdefault(head[2], textwrap.shorten(sentence, HELP, placeholder=" …"))
    return found
