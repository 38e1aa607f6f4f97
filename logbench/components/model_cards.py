"""Read the cards of models."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..api.components import ModelComponent
from ..api.model_card import ModelCard
from ..api.plan import Plan
from ..base.errors import ConfigError
from ..base.options import make, suggest, toml_values
from .option_classes import option_classes
from .registry import Registry

Ablation = Mapping[str, str | Mapping[str, Any]]
# Fields of `Plan` that an ablation may choose anew, if there are such.
CHOICES = ("parser", "windower", "embedding", "protocol", "preset")


def read_card(path: Path) -> ModelCard:
    """The card in a TOML file.

    Raises:
        ConfigError: the file is missing or not TOML, or a key is unknown, missing or of the wrong type.
    """
    from pydantic import TypeAdapter, ValidationError

    values, known = toml_values(path, str(path)), [field.name for field in dataclasses.fields(ModelCard)]
    for key in values:
        if key not in known:
            raise ConfigError(f"{path}: {key}: no such key{suggest(key, known)}")
    try:
        return TypeAdapter(ModelCard).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{path}: {where}: {first['msg'][0].lower()}{first['msg'][1:]}") from None


def card_of(item: ModelComponent[Any]) -> ModelCard | None:
    """The card of a model; None where it has none.

    Raises:
        ConfigError: see `read_card`.
    """
    return None if item.card is None else read_card(item.card)


def ablated(plan: Plan, ablation: Ablation) -> Plan:
    """The plan with a part of its model switched off.

    Raises:
        ConfigError: the ablation chooses what a plan does not have.
    """
    known = [one.name for one in dataclasses.fields(Plan) if one.name in CHOICES]
    chosen: dict[str, Any] = {name: of for name, of in ablation.items() if isinstance(of, str)}
    if wrong := next((name for name in chosen if name not in known), None):
        raise ConfigError(f"{wrong} = {chosen[wrong]!r}: no such choice{suggest(wrong, known)}")
    settings = {name: dict(table) for name, table in plan.settings.items()}
    for name, of in ablation.items():
        if not isinstance(of, str):
            settings[name] = {**settings.get(name, {}), **of}
    return dataclasses.replace(plan, **chosen, settings=settings)


def check_ablation(ablation: Ablation, registry: Registry) -> None:
    """Check that what an ablation sets can be set.

    Raises:
        ConfigError: an unknown component, option, value or choice.
    """
    ablated(Plan(model="", dataset=""), ablation)
    options = option_classes(registry)
    for name, of in ablation.items():
        if isinstance(of, str):
            _check_choice(name, of, registry)
        elif name not in options:
            raise ConfigError(f"{name}: no component with options has this name{suggest(name, options)}")
        else:
            make(options[name], of, name)


def _check_choice(kind: str, name: str, registry: Registry) -> None:
    if kind in ("protocol", "preset"):
        registry.preset(name)
    else:
        kinds: Any = kind  # of component, as `CHOICES` has them
        registry.get(kinds, name)
