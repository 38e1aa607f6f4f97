"""Options of a component: a dataclass whose fields can be set by `--set` and TOML files.

Later sources win: defaults < data set's card < preset < TOML file < `--set`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import json
import math
import operator
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from .errors import ConfigError
from .jsonable import shorten
from .regular_files import read_text

# Bytes of a TOML file, and parts of a dotted key.
LARGEST_TOML = 4 << 20
DEEPEST = 100
# Largest whole number, which readers of JSON take.
LARGEST = (1 << 63) - 1
# Most signs of a wrong value in an error.
MOST_SHOWN = 200
_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {"ge": operator.ge, "gt": operator.gt, "le": operator.le}
_WRITTEN: Mapping[type, re.Pattern[str]] = {
    int: re.compile("-?[0-9]{1,18}"),
    float: re.compile(r"-?[0-9]+(\.[0-9]+)?(e-?[0-9]{1,2})?"),
}
_PLAIN = (bool, int, float, str, type(None))


def option(default: Any, help: str, *, ge: float | None = None, gt: float | None = None,
           le: float | None = None, late: bool = False, tune: Any = None) -> Any:  # fmt: skip
    """A documented field of a configuration dataclass, with optional bounds.

    Args:
        default: the value unless a user or preset sets another.
        help: one line for `logbench options`.
        ge, gt, le: bounds on a number, checked when the configuration is made.
        late: the option acts after scoring, as a model's own threshold does, so that `logbench sweep` reuses one
            run for all its values and `logbench rescore` may change it in the protocol.
        tune: what `logbench tune` tries: `(low, high)`, `(low, high, "log")`, a list of values, or False: never.
            None: a range around the default, from the type and the bounds.
    """
    bounds = {name: value for name, value in (("ge", ge), ("gt", gt), ("le", le)) if value is not None}
    return dataclasses.field(
        default=default, metadata={"help": help, "bounds": bounds, "late": late, "tune": tune}
    )


def suggest(name: str, known: Iterable[str]) -> str:
    """Suggest a name: `; did you mean 'x'?` if one of `known` is close, else the list of known names."""
    known = sorted(" ".join(one.split())[:100] for one in known)
    same = {_bare(one): one for one in reversed(known)}
    close = difflib.get_close_matches(name, known, n=1) or difflib.get_close_matches(_bare(name), same, n=1)
    if close:
        return f"; did you mean {same.get(close[0], close[0])!r}?"
    return f"; there is {', '.join(known)}" if known else ""


def meant(name: str, known: Iterable[str]) -> str:
    """The one of the known names that a user means, whatever its case and the signs between its words.

    `Isolation Forest` is `isolation-forest`. A name that means none of them, or several, comes back as it is.
    """
    known = list(known)
    found = [one for one in known if _bare(one) == _bare(name)] if name not in known and _bare(name) else []
    return found[0] if len(found) == 1 else name


def _bare(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name.casefold())


def fields_of(config: type | None) -> dict[str, dataclasses.Field[Any]]:
    """Fields of a configuration dataclass by name; empty for None."""
    return {f.name: f for f in dataclasses.fields(config)} if config else {}


def make(config: type | None, values: Mapping[str, Any], where: str) -> Any:
    """Make an instance of `config`, converting strings by the fields' types; None for None.

    Raises:
        ConfigError: an unknown field, or a value of the wrong type or out of bounds.
    """
    known = fields_of(config)
    for name in values:
        if name not in known:
            raise ConfigError(
                f"{where}.{name}: no such option{suggest(name, known)} (see: logbench options {where})"
            )
    if config is None:
        return None
    hints = hints_of(config)
    given = {name: _value(hints[name], known[name], value, f"{where}.{name}") for name, value in values.items()}
    for name, value in given.items():
        _check_stored(value, f"{where}.{name}")
    result = config(**given)
    for name in known.keys() - given.keys():  # an instance's own values are the defaults
        _check_stored(getattr(result, name, None), f"{where}.{name}", whole=True)
    return result


def _check_stored(value: Any, where: str, *, whole: bool = False) -> None:
    """Refuse a number that the record of a run cannot hold.

    Args:
        whole: check whole numbers alone.

    Raises:
        ConfigError: a whole number of more than 64 bits, infinity or NaN, also within a list or a table.
    """
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _check_stored(item, where, whole=whole)
    elif type(value) is int and abs(value) > LARGEST:
        digits = str(value) if value.bit_length() < 150 else f"({value.bit_length():,} bits)"
        raise ConfigError(f"{where}={digits}: a record keeps whole numbers up to {LARGEST:,} alone")
    elif not whole and isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where}={value}: a record keeps finite numbers alone")


@lru_cache(512)
def hints_of(config: type) -> Mapping[str, Any]:
    """Types of the fields of a configuration dataclass; raises what evaluating them raises."""
    return get_type_hints(config, include_extras=True)


# Its name for plugin authors, where `make` alone would say too little.
make_options = make


def _value(hint: Any, field: dataclasses.Field[Any], value: Any, where: str) -> Any:
    if get_origin(hint) is tuple and isinstance(value, str):
        value = _items(value)
    if isinstance(value, str) and field.metadata.get("literal") and hint is not str:
        value = _literal(value)
    if isinstance(value, str) and value.lower() == "none" and type(None) in get_args(hint):
        return None
    bounds = field.metadata.get("bounds", {})
    plain = _number(hint, value) if isinstance(value, str) else value
    if get_origin(hint) is tuple and type(plain) is list and not bounds:  # as JSON, TOML and `a,b` have it
        plain = tuple(plain)
    if _fits(hint, plain) and (plain is None or all(_BOUNDS[name](plain, bounds[name]) for name in bounds)):
        return plain
    from pydantic import Field, TypeAdapter, ValidationError  # slow to load, and most values are right

    try:
        return TypeAdapter(Annotated[hint, Field(**bounds)] if bounds else hint).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        wrong, meaning = shorten(str(value), MOST_SHOWN), field.metadata.get("help", "")
        raise ConfigError(f"{where}={wrong}: {reason[0].lower()}{reason[1:]} ({meaning})") from None


def _number(hint: Any, text: str) -> Any:
    """The number that a text plainly writes for a type such as `float | None`; any other text as it is."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    kinds = [option for option in options if option is not type(None)]
    for kind, written in _WRITTEN.items():
        if kinds == [kind] and written.fullmatch(text):
            return kind(text)
    return text


def _fits(hint: Any, value: Any) -> bool:
    """Whether a value is surely of a type, with nothing to convert; False where only pydantic can tell."""
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(option, value) for option in options)
    if origin is Literal:
        return any(type(option) is type(value) and option == value for option in options)
    if origin is tuple and options[1:] == (...,):
        return type(value) is tuple and all(_fits(options[0], item) for item in value)
    return hint in _PLAIN and type(value) is hint


def _literal(text: str) -> Any:
    """The value that a text writes in Python (`3`, `3.0`, `True`, `none`); any other text as it is."""
    words = {"none": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _items(text: str) -> list[Any]:
    """Split `a,b`, or a JSON list for items with commas: `["a{1,2}", "b"]`."""
    if text.lstrip().startswith("["):
        with contextlib.suppress(ValueError, RecursionError):
            items: list[Any] = json.loads(text)
            return items
    return [part.strip() for part in text.split(",") if part.strip()]


def parse_settings(settings: Iterable[str]) -> dict[str, dict[str, str]]:
    """Parse `--set` arguments: `["deeplog.g=9"]` becomes `{"deeplog": {"g": "9"}}`.

    Raises:
        ConfigError: a text is not of the form component.key=value.
    """
    result: dict[str, dict[str, str]] = {}
    for text in settings:
        left, equals, value = text.partition("=")
        name, dot, key = left.strip().rpartition(".")
        if not (equals and dot and name and key):
            raise ConfigError(
                f"--set {shorten(text, MOST_SHOWN)}: expected component.key=value, such as deeplog.g=9"
            )
        result.setdefault(name, {})[key] = value.strip()
    return result


def toml_values(path: Path, shown: str, encoding: str = "utf-8") -> dict[str, Any]:
    """Read a TOML file.

    Args:
        shown: name of the file in errors.

    Raises:
        ConfigError: the file is missing, no regular file, or not TOML.
    """
    try:
        return _toml(read_text(path, encoding, most=LARGEST_TOML))
    except OSError as error:
        raise ConfigError(f"{shown}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # tomllib lets through what `int` and its own depth raise
        reason = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:300]
        raise ConfigError(f"{shown}: not TOML: {reason}") from None


def _toml(text: str) -> dict[str, Any]:
    """tomllib takes quadratic time for a key of many parts, so these are counted first, outside of strings."""
    for line in text.split("\n") if text.count(".") > DEEPEST else ():
        if re.sub(r"\"[^\"]*\"|'[^']*'|\d+\.\d+", "", line).count(".") > DEEPEST:
            raise ValueError(f"a key of more than {DEEPEST} parts")
    return tomllib.loads(text)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file of settings: tables by component name.

    Raises:
        ConfigError: the file is missing or not TOML, or a top-level value is no table.
    """
    values = toml_values(path, f"--config {path}")
    for name, table in values.items():
        if not isinstance(table, dict):
            raise ConfigError(f"--config {path}: {name} must be a table, such as [{name}]")
    return values
