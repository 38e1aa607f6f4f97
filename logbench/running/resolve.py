"""Resolve a plan: find its components, check their options, and build the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..api.components import (
    BaseComponent,
    Card,
    DatasetComponent,
    EmbeddingComponent,
    EvaluatorComponent,
    Kind,
    ModelComponent,
    ParserComponent,
    Preset,
    WindowerComponent,
)
from ..api.plan import Plan, Settings, Totals
from ..api.protocol import LARGEST_SEED, EvaluationProtocol
from ..api.traits import OF_VECTORS, Need, Supervision
from ..base.errors import ConfigError
from ..base.jsonable import shorten
from ..base.options import fields_of, make, meant, suggest
from ..components.combination import NAME as COMBINATION
from ..components.combination import CombinationOptions, Members
from ..components.configured import ConfiguredComponent, configured
from ..components.entry import RegisteredComponent
from ..components.registry import KINDS, Registry
from ..evaluation.threshold_traits import check_value

SINGLE: tuple[Kind, ...] = ("dataset", "parser", "windower", "model")

C = TypeVar("C", bound=BaseComponent[Any])


@dataclass(frozen=True)
class Trained:
    """Another data set that trains: its part and its windower's."""

    dataset: ConfiguredComponent[DatasetComponent[Any]]
    windower: ConfiguredComponent[WindowerComponent[Any]]


@dataclass(frozen=True)
class ResolvedPlan:
    """A plan with every name found and every value checked.

    Attributes:
        embedding: None where neither the model takes vectors nor the protocol matches templates by them.
        source: another data set that trains; None where this one does.
        protocol: as asked for.
        totals: true class sizes of a subsampled data set.
        preset: name of the preset or the card's protocol that was applied.
    """

    plan: Plan
    dataset: ConfiguredComponent[DatasetComponent[Any]]
    parser: ConfiguredComponent[ParserComponent[Any]]
    windower: ConfiguredComponent[WindowerComponent[Any]]
    embedding: ConfiguredComponent[EmbeddingComponent[Any]] | None
    model: ConfiguredComponent[ModelComponent[Any]]
    evaluators: tuple[ConfiguredComponent[EvaluatorComponent[Any]], ...]
    protocol: EvaluationProtocol
    totals: Totals
    preset: str
    source: Trained | None = None

    @property
    def card(self) -> Card:
        return self.dataset.entry.item.card

    @property
    def unit(self) -> str:
        """Name of a unit, such as `session` or `window`."""
        return self.windower.entry.item.traits.unit or self.card.unit

    @property
    def parts(self) -> tuple[ConfiguredComponent[Any], ...]:
        read = [part for kind, part in self.single.items() if kind != "model"]
        read += [] if self.source is None else [self.source.dataset, self.source.windower]
        return (*read, *self.model.parts, *self.evaluators)

    @property
    def single(self) -> dict[Kind, ConfiguredComponent[Any]]:
        """The one component of each kind, by kind; an embedding only where the model takes vectors."""
        kinds = SINGLE if self.embedding is None else (*SINGLE, "embedding")
        return {kind: getattr(self, kind) for kind in kinds}

    @property
    def windowers(self) -> list[ConfiguredComponent[WindowerComponent[Any]]]:
        """Windower of the data, and that of another data set that trains."""
        return [self.windower, *([] if self.source is None else [self.source.windower])]

    @property
    def config(self) -> dict[str, Any]:
        """Every resolved option, by kind; evaluators by name."""
        parts: dict[str, Any] = {kind: part.as_dict() for kind, part in self.single.items()}
        return {**parts, "evaluators": {part.name: part.as_dict() for part in self.evaluators}}

    @property
    def short_limit(self) -> int:
        """Events below which a unit is short for this model.

        Raises:
            IncompatibleError: the model needs more events than the protocol allows.
        """
        return self.protocol.short_limit(self.model.min_events, self.model.name)

    @property
    def supervision(self) -> Supervision:
        """Supervision of the model."""
        return self.model.entry.item.traits.supervision

    @property
    def unlabelled(self) -> bool:
        """Whether a supervised model learns from units without a label, too."""
        return self.model.entry.item.traits.unlabelled

    @property
    def needs(self) -> frozenset[Need]:
        """What the model gets beside keys."""
        return self.model.entry.item.traits.shown

    @property
    def keys_only(self) -> bool:
        """Whether equal key sequences get equal scores."""
        return all(part.keys_only for part in self.model.parts)

    @property
    def joint_scores(self) -> bool:
        """Whether the model declares that a score depends on the other scored units."""
        return any(part.entry.item.traits.joint_scores for part in self.model.parts)

    @property
    def is_rule(self) -> bool:
        """Whether the model only says yes or no."""
        return self.model.entry.item.traits.binary_scores

    @property
    def uses_alpha(self) -> bool:
        """Whether the model's scores depend on `protocol.alpha`."""
        return self.model.entry.item.traits.uses_alpha

    @property
    def fixed_threshold(self) -> float | None:
        """The model's own threshold; None if it has none."""
        return self.model.fixed_threshold


def resolve(plan: Plan, registry: Registry) -> ResolvedPlan:
    """Find and configure everything that a plan names.

    Raises:
        ConfigError: an unknown name, option or value.
    """
    for name, seed in (("seed", plan.seed), ("split_seed", plan.split_seed or 0)):
        if not 0 <= seed <= LARGEST_SEED:
            raise ConfigError(f"{name}={shorten(str(seed), 40)}: must be from 0 to {LARGEST_SEED:,}")
    dataset = dataset_called(plan.dataset, registry)
    card = dataset.item.card
    source = None if plan.source is None else dataset_called(plan.source, registry)
    trained = card if source is None else source.item.card  # what trains decides parser and protocol
    parser = registry.get("parser", plan.parser or trained.parser)
    windower = registry.get("windower", plan.windower or card.windower)
    model = registry.get("model", plan.model)
    evaluators = evaluators_of(plan.evaluators, registry)
    customary = registry.preset(plan.protocol or trained.protocol)
    preset = registry.preset(plan.preset) if plan.preset else None
    rivals = [registry.get("model", name) for name in plan.companions if name != plan.model]
    embedding = _embedding(plan, registry, preset or customary, [model, *rivals])
    windows = None if source is None else registry.get("windower", plan.windower or trained.windower)
    optional = [entry for entry in (embedding, source, windows) if entry is not None]
    taking_part = [dataset, parser, windower, model, *evaluators, *rivals, *optional]
    layers = _layers(plan, registry, [customary] if preset is None else [customary, preset], taking_part)
    of_source = [trained.settings, *layers]
    layers.insert(0, card.settings)
    protocol = _protocol(plan, of_source)
    _check_source(plan, protocol)
    check_value(protocol, [(e.item.name, e.item.traits.binary_scores) for e in (model, *rivals)])
    data, matches = _part("dataset", dataset, layers), protocol.template_match is not None
    return ResolvedPlan(
        plan=plan,
        dataset=data,
        parser=_part("parser", parser, of_source),
        windower=_part("windower", windower, layers),
        embedding=_part("embedding", embedding, layers)
        if embedding and (_takes_vectors(model) or matches)
        else None,
        model=_part("model", model, layers),
        evaluators=tuple(_part("evaluator", entry, layers) for entry in evaluators),
        protocol=protocol,
        totals=_totals(data, layers),
        preset=plan.preset or plan.protocol or trained.protocol,
        source=None
        if source is None or windows is None
        else Trained(_part("dataset", source, of_source), _part("windower", windows, of_source)),
    )


def _check_source(plan: Plan, protocol: EvaluationProtocol) -> None:
    """Refuse fields that say how another data set trains where none does.

    Raises:
        ConfigError: there is none, or units would train and be tested.
    """
    for name in ("target_units", "target_reserve", "target_alone"):
        if plan.source is None and getattr(protocol, name):
            raise ConfigError(f"protocol.{name}: no other data set trains; use logbench transfer --source NAME")
    if plan.source is not None and protocol.procedure != "batch":
        raise ConfigError(f"protocol.procedure={protocol.procedure} slices one data set; leave --source out")


def _takes_vectors(model: RegisteredComponent[ModelComponent[Any]]) -> bool:
    return bool(model.item.traits.shown & OF_VECTORS)


def _embedding(
    plan: Plan, registry: Registry, preset: Preset, models: Sequence[RegisteredComponent[ModelComponent[Any]]]
) -> RegisteredComponent[EmbeddingComponent[Any]] | None:
    """The embedding that a user or a preset names, or the default one; None where no model takes vectors.

    Raises:
        ConfigError: one is named that no model takes, or none is installed.
    """
    taker = next((f"model {model.item.name}" for model in models if _takes_vectors(model)), None)
    if taker is None and _matches(plan):
        taker = "protocol.template_match"
    if taker is None:
        if plan.embedding:
            names = ", ".join(model.item.name for model in models)
            raise ConfigError(f"--embedding {plan.embedding}: no vectors are taken by {names}; leave it out")
        return None
    if name := plan.embedding or preset.embedding:
        return registry.get("embedding", name)
    usual = next((one for one in registry.components["embedding"].values() if one.item.default), None)
    if usual is None:
        raise ConfigError(f"{taker} takes vectors, but no default embedding is installed; name --embedding")
    return usual


def _matches(plan: Plan) -> bool:
    """Whether the plan's own settings ask for templates matched by vectors."""
    return any(layer.get("protocol", {}).get("template_match") for layer in (plan.settings, plan.config))


def dataset_called(name: str, registry: Registry) -> RegisteredComponent[DatasetComponent[Any]]:
    """The data set of this name, or the one that a file defines, `./my.toml`.

    Raises:
        ConfigError: there is none, or the definition is wrong.
    """
    for plugin, definitions in registry.definitions:
        if name.endswith(definitions.suffix):
            return RegisteredComponent(definitions.read(Path(name), name), plugin)
    return registry.get("dataset", name)


def stored_dataset(
    name: str, config: Mapping[str, Any], registry: Registry
) -> RegisteredComponent[DatasetComponent[Any]]:
    """The data set that a record or bundle names; one that a user defined as it was then, added here or not.

    Args:
        config: its options, as the record or bundle has them.

    Raises:
        ConfigError: it is not installed.
    """
    for plugin, definitions in registry.definitions:
        if (item := definitions.stored(config, name)) is not None:
            return RegisteredComponent(item, plugin)
    return registry.get("dataset", name)


def evaluators_of(names: Sequence[str], registry: Registry) -> list[RegisteredComponent[EvaluatorComponent[Any]]]:
    """Find evaluators by name; without names, the default evaluators."""
    offered = registry.components["evaluator"].values()
    return [registry.get("evaluator", name) for name in names] or [e for e in offered if e.item.default]


def _layers(
    plan: Plan, registry: Registry, presets: Sequence[Preset], entries: Iterable[RegisteredComponent[Any]]
) -> list[Settings]:
    """Layers of settings, where later layers win; unknown names are errors."""
    names = {one.item.name for entry in entries for one in (entry.members or (entry,))}
    names |= {*SINGLE, "embedding", "evaluator", "protocol"}
    names |= {COMBINATION for entry in entries if entry.members}
    every = names | {name for kind in KINDS for name in registry.offered(kind)}
    chosen, config = _as_known(plan.settings, every), _as_known(plan.config, every)
    for where, settings, known in (("--set", chosen, names), ("--config", config, every)):
        for name in settings:
            if name not in known:
                extra = " takes no part in this run" if name in every else " is no component"
                raise ConfigError(f"{where} {name}.{next(iter(settings[name]), '…')}: {name!r}{extra}"
                                  f"{suggest(name, names)}")  # fmt: skip
    return [*({**p.components, "protocol": p.protocol} for p in presets), config, chosen]


def _as_known(settings: Settings, known: Iterable[str]) -> Settings:
    """Settings by the names of components, where a user wrote them in another case."""
    found: dict[str, dict[str, Any]] = {}
    for name, values in settings.items():
        found.setdefault(meant(name, known), {}).update(values)
    return found


def _protocol(plan: Plan, layers: Sequence[Settings]) -> EvaluationProtocol:
    values: dict[str, Any] = {}
    for layer in layers:
        values |= layer.get("protocol", {})
    if plan.split_seed is not None:
        values["split_seed"] = plan.split_seed
    protocol: EvaluationProtocol = make(EvaluationProtocol, values, "protocol")
    return protocol


def _values(kind: str, name: str, layers: Sequence[Settings]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for layer in layers:
        values |= layer.get(kind, {})
        values |= layer.get(name, {})
    return values


def _part(kind: str, entry: RegisteredComponent[C], layers: Sequence[Settings]) -> ConfiguredComponent[C]:
    item = entry.item
    if entry.members:
        if general := next((layer[kind] for layer in layers if layer.get(kind)), None):
            raise ConfigError(
                f"{kind}.{next(iter(general))}: {item.name} is a combination; name the member, "
                f"{entry.members[0].item.name}.{next(iter(general))}"
            )
        parts = tuple(_part(member.item.name, member, layers) for member in entry.members)
        values = _values(COMBINATION, COMBINATION, layers)
        return ConfiguredComponent(entry, Members(parts, make(CombinationOptions, values, COMBINATION)))
    values = _values(kind, item.name, layers)
    if kind == "dataset":
        values = {key: value for key, value in values.items() if key not in fields_of(Totals)}
    return configured(entry, values)


def _totals(dataset: ConfiguredComponent[Any], layers: Sequence[Settings]) -> Totals:
    values = _values("dataset", dataset.name, layers)
    totals: Totals = make(Totals, {key: values[key] for key in fields_of(Totals) if key in values}, "dataset")
    return totals
