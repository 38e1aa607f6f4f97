"""The plans of many models on one data set: every split, seed and model that a command asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..api.plan import Plan
from ..components.registry import Registry
from ..components.requirements import required_names
from .baselines import beside


@dataclass(frozen=True)
class ModelsRequest:
    """Models to run on one data set under one protocol.

    Attributes:
        models: names, `a+b` among them. seeds: of the models. splits: seeds of the split; None is the protocol's.
        fields: fields of `Plan` that all runs share. command: as it was typed.
        stochastic_only: deterministic models run with the first seed alone.
        save: folder that the one model is saved in.
        baselines: whether reference baselines run, too, but those in `without`.
    """

    models: Sequence[str]
    fields: Mapping[str, Any]
    command: str
    seeds: Sequence[int] = (0,)
    splits: Sequence[int | None] = (None,)
    stochastic_only: bool = False
    save: Path | None = None
    baselines: bool = False
    without: Sequence[str] = field(default=())


def plans_of(request: ModelsRequest, registry: Registry) -> list[Plan]:
    """The plans of a request; those of one split and seed stand together, since they share their work.

    Raises:
        ConfigError: an unknown name, option or value.
    """
    names = tuple(dict.fromkeys(request.models))
    plans = [
        Plan(
            model=name,
            seed=seed,
            split_seed=split,
            save=request.save,
            companions=names,
            command=request.command,
            **request.fields,
        )
        for split in request.splits
        for seed in request.seeds
        for name in names
        if not request.stochastic_only or seed == request.seeds[0] or _is_stochastic(registry, name)
    ]
    return beside(plans, registry, request.without) if request.baselines else plans


def _is_stochastic(registry: Registry, name: str) -> bool:
    return registry.get("model", name).item.traits.stochastic


def choose_models(
    registry: Registry, wanted: Iterable[str], excluded: Iterable[str], heavy: bool = False
) -> tuple[str, ...]:
    """Names of the models to run, each once; of one in a file path and name.

    Args:
        wanted: names; none: all that are installed.
        excluded: see `excluded_models`.
        heavy: with no names, those that train for long, too, see `heavy_models`. Without names, `online_twins`
            are left out.

    Raises:
        ConfigError: an unknown name.
    """
    named, out = tuple(wanted), set(excluded_models(registry, excluded))
    if not named:
        named = tuple(registry.components["model"])
        out |= {*online_twins(registry), *(() if heavy else heavy_models(registry))}
    models = [registry.get("model", name).address for name in named]
    return tuple(name for name in dict.fromkeys(models) if name not in out)


def heavy_models(registry: Registry) -> tuple[str, ...]:
    """Names of the installed models that train for long, as their traits say."""
    return tuple(name for name, entry in registry.components["model"].items() if entry.item.traits.heavy)


def online_twins(registry: Registry) -> tuple[str, ...]:
    """Names of the installed models that are as another one, unless they learn from a stream."""
    models = registry.components["model"]
    return tuple(name for name, entry in models.items() if entry.item.traits.online_of in models)


def excluded_models(registry: Registry, names: Iterable[str]) -> tuple[str, ...]:
    """Names of the models to leave out.

    Args:
        names: of models, or of distributions that models require: `torch` are all deep ones.

    Raises:
        ConfigError: an unknown name.
    """
    by_need: dict[str, list[str]] = {}
    for name, entry in registry.components["model"].items():
        for needed in required_names(entry.item):
            by_need.setdefault(needed, []).append(name)
    return tuple(
        model for name in names for model in by_need.get(name) or (registry.get("model", name).item.name,)
    )
