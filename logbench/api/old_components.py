"""The component and the traits of any kind, kept for a release: each kind has classes of its own now."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .components import BaseComponent, Card, T_co
from .traits import ComponentTraits, ModelTraits, Need, Supervision, WindowerTraits

GONE = "0.3"
# Fields that were renamed when each kind got its own traits: old name → new name.
RENAMED: Mapping[str, str] = {"rule": "binary_scores", "cuts_lines": "line_windows"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits(ComponentTraits):
    """Traits of any kind. Deprecated: use `ModelTraits`, `WindowerTraits`, or `ComponentTraits` for other kinds.

    The attributes are those of `ModelTraits` and `WindowerTraits`; `rule` is `binary_scores` there, and
    `cuts_lines` is `line_windows`.
    """

    supervision: Supervision = "semi-supervised"
    needs: frozenset[Need] = frozenset()
    min_events: int | Callable[[Any], int] = 1
    keys_only: bool | Callable[[Any], bool] = False
    joint_scores: bool = False
    scores_without_unseen: bool = False
    fixed_threshold: float | Callable[[Any], float] | None = None
    rule: bool = False
    uses_alpha: bool = False
    stochastic: bool = True
    baseline: bool = False
    cuts_lines: bool = False
    overlaps: bool | Callable[[Any], bool] = False
    unit: str = ""

    def __post_init__(self) -> None:
        if used := _changed(self, ComponentTraits):
            told = [name if name not in RENAMED else f"{name} (now {RENAMED[name]})" for name in used]
            better = " or ".join(one.__name__ for one in (ModelTraits, WindowerTraits) if _names(one) & set(used))
            _warn(f"Traits: {', '.join(told)}", better)


@dataclass(frozen=True, slots=True)
class Component(BaseComponent[T_co]):
    """A component of any kind. Use the class of its kind, such as `ModelComponent`.

    Attributes:
        card: of a data set. Deprecated here: use `DatasetComponent`.
        default: of an evaluator or reporter. Deprecated here: use `EvaluatorComponent`, `ReporterComponent`.
    """

    card: Card | None = None
    default: bool = False

    def __post_init__(self) -> None:
        if used := _changed(self, BaseComponent):
            classes = {"card": "DatasetComponent", "default": "EvaluatorComponent or ReporterComponent"}
            _warn(f"Component: {', '.join(used)}", " or ".join(classes[name] for name in used))


def renamed(traits: Traits) -> dict[str, Any]:
    """The fields of `traits` by the names that they have now."""
    return {RENAMED.get(f.name, f.name): getattr(traits, f.name) for f in dataclasses.fields(traits)}


def _names(cls: Any) -> set[str]:
    """Names of the fields of a dataclass, those that were renamed by their old name."""
    old = {now: name for name, now in RENAMED.items()}
    return {old.get(f.name, f.name) for f in dataclasses.fields(cls)}


def _changed(thing: Any, base: Any) -> list[str]:
    """Fields that `base` does not have and whose value is not the default."""
    known = _names(base)
    return [f.name for f in dataclasses.fields(thing) if f.name not in known and not _default(thing, f)]


def _default(thing: Any, field: dataclasses.Field[Any]) -> bool:
    return getattr(thing, field.name) is field.default or getattr(thing, field.name) == field.default


def _warn(used: str, instead: str) -> None:
    message = f"logbench.{used} is deprecated, use {instead}; it goes away in logbench {GONE}"
    warnings.warn(message, DeprecationWarning, stacklevel=4)  # this, __post_init__, __init__, the author's line
