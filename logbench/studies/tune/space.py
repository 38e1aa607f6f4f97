"""The options that a study tries, and their ranges: derived from their types, declared by the model, or typed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import Field, dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ...api.components import ModelComponent
from ...base.errors import ConfigError
from ...base.options import fields_of, make, suggest
from ...components.configured import ConfiguredComponent
from ...running.resolve import ResolvedPlan

RANGE = re.compile(r"([^:,]+):([^:,]+?)(:log)?")
# Digits of a number that is tried, so that the command to copy is short.
DIGITS = 4

Part = ConfiguredComponent[ModelComponent[Any]]


@dataclass(frozen=True)
class Dimension:
    """One option and what it may be: a range, or a list.

    Attributes:
        name: as typed and shown. component, key: as in `--set component.key=value`.
        low, high: ends of a range, both included. log: as many trials between 1 and 10 as between 10 and 100.
        integer: a range of whole numbers. choices: a list; empty where it is a range.
        default: what the option is without tuning.
    """

    name: str
    component: str
    key: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    integer: bool = False
    choices: tuple[Any, ...] = ()
    default: Any = None

    def contains(self, value: Any) -> bool:
        """Whether the study could try this value."""
        if self.choices:
            return value in self.choices
        return isinstance(value, int | float) and self.low <= value <= self.high

    def value(self, tried: Any) -> Any:
        """What is set for a value that the sampler gave: of `DIGITS` digits, and within the range."""
        if self.choices or self.integer:
            return tried
        return min(max(float(f"{tried:.{DIGITS}g}"), self.low), self.high)

    def __str__(self) -> str:
        if self.choices:
            return f"{self.name}={','.join(map(str, self.choices))}"
        return f"{self.name}={self.low:g}:{self.high:g}{':log' * self.log}"


def space_of(resolved: ResolvedPlan, over: Sequence[str]) -> tuple[Dimension, ...]:
    """What to try: what `--over` names, else every option of the model that has a range.

    Args:
        over: such as `lr=0.0001:0.01:log`, `hidden=32,64,128`, or `deeplog.steps=50:400` in a combination.

    Raises:
        ConfigError: an unknown option, a wrong range, one that only acts after scoring, or nothing to tune.
    """
    if over:
        found = tuple(_typed(text, resolved) for text in over)
        names = [one.name for one in found]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ConfigError(f"--over {twice} is given twice")
        return found
    found = tuple(one for part in _parts(resolved) for one in _of_part(part, resolved))
    if not found:
        raise ConfigError(f"{resolved.model.name} has no option to tune; name one with --over KEY=LOW:HIGH")
    return found


def _parts(resolved: ResolvedPlan) -> list[Part]:
    """The model, or the members of a combination, each name once."""
    return list({part.name: part for part in resolved.model.parts}.values())


def _named(part: Part, key: str, resolved: ResolvedPlan) -> str:
    return f"{part.name}.{key}" if resolved.model.entry.members else key


def _of_part(part: Part, resolved: ResolvedPlan) -> Iterator[Dimension]:
    config = part.entry.item.config
    hints = get_type_hints(config) if config else {}
    for key, field in fields_of(config).items():
        default = getattr(part.config, key)
        span = field.metadata.get("tune")
        if field.metadata.get("late") or span is False:
            continue
        span = _derived(hints[key], field, default) if span is None else span
        if span is not None:
            yield _dimension(_named(part, key, resolved), part.name, key, span, hints[key], default)


def _dimension(name: str, component: str, key: str, span: Sequence[Any], hint: Any, default: Any) -> Dimension:
    """Of `(low, high)`, `(low, high, "log")` or a list of choices."""
    if isinstance(span, list):
        return Dimension(name, component, key, choices=tuple(span), default=default)
    low, high, *log = span
    return Dimension(name, component, key, low, high, bool(log), hint is int, default=default)


def _derived(hint: Any, field: Field[Any], default: Any) -> Sequence[Any] | None:
    """A range around the default, within the option's bounds: a quarter to four times a whole number, a tenth to
    ten times another, all of a share, both of a switch, every word of a choice; None for other types.
    """
    if hint is bool or get_origin(hint) is Literal:
        return list(get_args(hint)) or [False, True]
    if hint not in (int, float) or default is None:
        return None
    bounds = field.metadata.get("bounds", {})
    least, most = bounds.get("ge", bounds.get("gt", -math.inf)), bounds.get("le", math.inf)
    if hint is int and default >= 1:
        return (int(max(least, -(-default // 4))), int(min(most, 4 * default)), "log")
    if hint is float and "ge" in bounds and math.isfinite(most):
        return (least, most)
    return (default / 10, min(most, default * 10), "log") if hint is float and default > 0 else None


def _typed(text: str, resolved: ResolvedPlan) -> Dimension:
    name, equals, values = (piece.strip() for piece in text.partition("="))
    component, _, key = name.rpartition(".")
    parts = {part.name: part for part in _parts(resolved)}
    if component in ("", "model") and len(parts) == 1:
        component = next(iter(parts))
    if not (equals and values and component in parts and key in fields_of(parts[component].entry.item.config)):
        known = [
            _named(part, key, resolved) for part in parts.values() for key in fields_of(part.entry.item.config)
        ]
        if equals and values:
            raise ConfigError(f"--over {name}: {resolved.model.name} has no such option{suggest(name, known)}")
        raise ConfigError(f"--over {text}: expected KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C")
    part = parts[component]
    config: Any = part.entry.item.config
    field, hint = fields_of(config)[key], get_type_hints(config)[key]
    if field.metadata.get("late"):
        raise ConfigError(f"--over {name}: it acts after scoring and changes no score; see logbench sweep")

    def read(value: str) -> Any:
        return getattr(make(config, {**part.as_dict(), key: value.strip()}, component), key)

    default = getattr(part.config, key)
    if span := RANGE.fullmatch(values):
        low, high, log = read(span[1]), read(span[2]), span[3]
        if not (isinstance(low, int | float) and isinstance(high, int | float) and low < high):
            raise ConfigError(f"--over {text}: expected two numbers, the lower one first")
        if log and low <= 0:
            raise ConfigError(f"--over {text}: a range in logarithms begins above 0")
        return _dimension(name, component, key, (low, high, "log") if log else (low, high), hint, default)
    listed = list(dict.fromkeys(map(read, values.split(","))))
    return _dimension(name, component, key, listed, hint, default)
