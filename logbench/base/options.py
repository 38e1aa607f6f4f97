"""Strict options: a component's configuration is a dataclass, its fields are what `--set` and TOML may say.

Order: defaults < data set's card < preset < TOML file < `--set`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from .errors import ConfigError


def option(default: Any, help: str, *, ge: float | None = None, gt: float | None = None,
           le: float | None = None, late: bool = False) -> Any:  # fmt: skip
    """A documented field of a configuration dataclass, with optional bounds.

    Args:
        default: the value where nobody says otherwise.
        help: one line for `logbench options`.
        ge, gt, le: bounds on a number, checked when the configuration is made.
        late: the option acts after scoring, as a model's own threshold does, so that `logbench sweep` reuses one
            run for all its values and `logbench rescore` may change it in the protocol.
    """
    bounds = {name: value for name, value in (("ge", ge), ("gt", gt), ("le", le)) if value is not None}
    return dataclasses.field(default=default, metadata={"help": help, "bounds": bounds, "late": late})


def suggest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where one of `known` is close, else what there is; one line, whatever a file holds."""
    known = sorted(" ".join(one.split())[:100] for one in known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there is {', '.join(known)}" if known else ""


def fields_of(config: type | None) -> dict[str, dataclasses.Field[Any]]:
    """Fields of a configuration dataclass by name; none for None."""
    return {f.name: f for f in dataclasses.fields(config)} if config else {}


def make(config: type | None, values: Mapping[str, Any], where: str) -> Any:
    """An instance of `config` with `values` (strings are converted by the fields' types); None for None.

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
    hints = get_type_hints(config, include_extras=True)
    return config(
        **{name: _value(hints[name], known[name], value, f"{where}.{name}") for name, value in values.items()}
    )


def _value(hint: Any, field: dataclasses.Field[Any], value: Any, where: str) -> Any:
    from pydantic import Field, TypeAdapter, ValidationError

    if get_origin(hint) is tuple and isinstance(value, str):
        value = _items(value)
    if isinstance(value, str) and value.lower() == "none" and type(None) in get_args(hint):
        return None
    bounds = field.metadata.get("bounds", {})
    try:
        from typing import Annotated

        return TypeAdapter(Annotated[hint, Field(**bounds)] if bounds else hint).validate_python(value)
    except ValidationError as error:
        said = error.errors()[0]["msg"]
        raise ConfigError(
            f"{where}={value}: {said[0].lower()}{said[1:]} ({field.metadata.get('help', '')})"
        ) from None


def _items(text: str) -> list[Any]:
    """`a,b` or, where an item holds a comma, the JSON list `["a{1,2}", "b"]`."""
    if text.lstrip().startswith("["):
        with contextlib.suppress(json.JSONDecodeError):
            found: list[Any] = json.loads(text)
            return found
    return [part.strip() for part in text.split(",") if part.strip()]


def parse_settings(settings: Iterable[str]) -> dict[str, dict[str, str]]:
    """`["deeplog.g=9"]` as `{"deeplog": {"g": "9"}}`.

    Raises:
        ConfigError: not of the form component.key=value.
    """
    result: dict[str, dict[str, str]] = {}
    for text in settings:
        left, equals, value = text.partition("=")
        name, dot, key = left.strip().rpartition(".")
        if not (equals and dot and name and key):
            raise ConfigError(f"--set {text}: expected component.key=value, such as deeplog.g=9")
        result.setdefault(name, {})[key] = value.strip()
    return result


def toml_values(path: Path, said: str, encoding: str = "utf-8") -> dict[str, Any]:
    """What a TOML file holds.

    Args:
        said: how errors name it.

    Raises:
        ConfigError: missing, or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding=encoding))
    except OSError as error:
        raise ConfigError(f"{said}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{said}: not TOML: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as tables by component name.

    Raises:
        ConfigError: missing, not TOML, or something else than tables at the top.
    """
    values = toml_values(path, f"--config {path}")
    for name, table in values.items():
        if not isinstance(table, dict):
            raise ConfigError(f"--config {path}: {name} must be a table, such as [{name}]")
    return values
