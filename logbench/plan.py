"""From what the user asked to what will run: components, configurations and protocol, all resolved."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .config import fields_of, make, option, suggest
from .errors import ConfigError
from .interfaces import Card, Kind, Preset, Supervision
from .protocol import EvaluationProtocol
from .registry import Entry, Registry
from .thresholds import Own, check_value

SINGLE: tuple[Kind, ...] = ("dataset", "parser", "windower", "model")
Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Totals:
    """Options of every data set, beside its own."""

    normal_total: float | None = option(
        None, "true number of normal test units where the data hold a sample of them", gt=0
    )
    anomaly_total: float | None = option(
        None, "true number of anomalous test units where the data hold a sample of them", gt=0
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run as asked for. Every field but the first two may be left out.

    Attributes:
        model, dataset: names of components.
        data: file or folder with the raw data; None: `LOGBENCH_DATA`, the cache, or a download.
        parser, windower, protocol: names; None: what the data set's card says.
        evaluators: names; empty: all that are default.
        preset: a published set-up, protocol and configuration.
        config: tables by component name, as from a TOML file.
        settings: what overrides all else, as from `--set`.
        seed: seeds the model. split_seed: seeds the split.
        device: `auto`, `cpu`, `cuda` or `mps`.
        out: folder of the records. save: folder for a bundle.
        cache: use and fill the cache of grouped lines.
        companions: other models of the same command: their options in `settings` are no mistake, and what they
            need is read together with what this one needs. No figure depends on them.
        command: what the user typed, for the record.
        baseline: not asked for by name: a reference that stands beside what was.
    """

    model: str
    dataset: str
    data: Path | None = None
    parser: str | None = None
    windower: str | None = None
    evaluators: tuple[str, ...] = ()
    protocol: str | None = None
    preset: str | None = None
    config: Settings = field(default_factory=dict)
    settings: Settings = field(default_factory=dict)
    seed: int = 0
    split_seed: int | None = None
    device: str = "auto"
    out: Path = Path("runs")
    save: Path | None = None
    cache: bool = True
    companions: tuple[str, ...] = ()
    command: str = ""
    baseline: bool = False

    def __post_init__(self) -> None:
        for name in ("data", "out", "save"):  # text is welcome, as from a notebook
            if isinstance(value := getattr(self, name), str):
                object.__setattr__(self, name, Path(value))


@dataclass(frozen=True)
class Part:
    """A component with its configuration."""

    entry: Entry
    config: Any

    @property
    def name(self) -> str:
        name: str = self.entry.item.name
        return name

    @property
    def parts(self) -> tuple[Part, ...]:
        """The members of a combination, or the part itself."""
        return self.config if self.entry.members else (self,)

    @property
    def min_events(self) -> int:
        """Events of the shortest unit that the model can score."""
        needed = self.entry.item.traits.min_events
        return int(needed(self.config)) if callable(needed) else int(needed)

    @property
    def keys_only(self) -> bool:
        """Whether the score depends on the key sequence alone."""
        only = self.entry.item.traits.keys_only
        return bool(only(self.config) if callable(only) else only)

    @property
    def fixed_threshold(self) -> float | None:
        """The model's own threshold, None where it has none."""
        found = self.entry.item.traits.fixed_threshold
        value: float | None = found(self.config) if callable(found) else found
        return value

    @property
    def own(self) -> Own:
        """What its traits say of its threshold."""
        traits = self.entry.item.traits
        rules = not traits.rule and any(part.entry.item.traits.rule for part in self.parts)
        return Own(self.fixed_threshold, traits.rule, traits.uses_alpha, rules)

    def build(self) -> Any:
        """The thing itself."""
        return self.entry.item.build() if self.config is None else self.entry.item.build(self.config)

    def as_dict(self) -> dict[str, Any]:
        """The resolved configuration, by member where it is a combination."""
        if self.entry.members:
            return {part.name: part.as_dict() for part in self.parts}
        return dataclasses.asdict(self.config) if self.config is not None else {}


@dataclass(frozen=True)
class Job:
    """A plan with every name found and every value checked.

    Attributes:
        protocol: as asked for.
        totals: true class sizes of a subsampled data set.
        preset: name of the preset or the card's protocol that was applied.
    """

    plan: Plan
    dataset: Part
    parser: Part
    windower: Part
    model: Part
    evaluators: tuple[Part, ...]
    protocol: EvaluationProtocol
    totals: Totals
    preset: str

    @property
    def card(self) -> Card:
        card: Card = self.dataset.entry.item.card
        return card

    @property
    def unit(self) -> str:
        """What a unit is called."""
        unit: str = self.windower.entry.item.traits.unit or self.card.unit
        return unit

    @property
    def parts(self) -> tuple[Part, ...]:
        return (self.dataset, self.windower, self.parser, *self.model.parts, *self.evaluators)

    @property
    def config(self) -> dict[str, Any]:
        """Every resolved option, by kind; evaluators by name."""
        parts: dict[str, Any] = {kind: getattr(self, kind).as_dict() for kind in SINGLE}
        return {**parts, "evaluators": {part.name: part.as_dict() for part in self.evaluators}}

    @property
    def short_limit(self) -> int:
        """Events below which a unit is short for this model.

        Raises:
            UnfitError: the model needs more than the protocol says.
        """
        return self.protocol.short_limit(self.model.min_events, self.model.name)

    @property
    def supervision(self) -> Supervision:
        """What the model learns from."""
        supervision: Supervision = self.model.entry.item.traits.supervision
        return supervision

    @property
    def needs_times(self) -> bool:
        """Whether the model gets times."""
        return "times" in self.model.entry.item.traits.needs

    @property
    def keys_only(self) -> bool:
        """Whether equal key sequences have one score."""
        return all(part.keys_only for part in self.model.parts)

    @property
    def joint_scores(self) -> bool:
        """Whether the model says that its scores depend on what else is scored."""
        return any(part.entry.item.traits.joint_scores for part in self.model.parts)

    @property
    def is_rule(self) -> bool:
        """Whether the model only says yes or no."""
        rule: bool = self.model.entry.item.traits.rule
        return rule

    @property
    def uses_alpha(self) -> bool:
        """Whether the model's scores depend on `protocol.alpha`."""
        uses: bool = self.model.entry.item.traits.uses_alpha
        return uses

    @property
    def fixed_threshold(self) -> float | None:
        """The model's own threshold, None where it has none."""
        return self.model.fixed_threshold


def resolve(plan: Plan, registry: Registry) -> Job:
    """Find and configure everything a plan names.

    Raises:
        ConfigError: an unknown name, option or value.
    """
    dataset = registry.get("dataset", plan.dataset)
    card = dataset.item.card
    if card is None:
        raise ConfigError(f"data set {plan.dataset!r} of {dataset.plugin} has no card")
    entries = {
        "dataset": dataset,
        "parser": registry.get("parser", plan.parser or card.parser),
        "windower": registry.get("windower", plan.windower or card.windower),
        "model": registry.get("model", plan.model),
    }
    evaluators = evaluators_of(plan.evaluators, registry)
    customary = registry.preset(plan.protocol or card.protocol)
    preset = registry.preset(plan.preset) if plan.preset else None
    rivals = [registry.get("model", name) for name in plan.companions if name != plan.model]
    taking_part = [*entries.values(), *evaluators, *rivals]
    layers = _layers(plan, registry, [customary] if preset is None else [customary, preset], taking_part)
    layers.insert(0, card.settings)
    protocol = _protocol(plan, layers)
    check_value(protocol, [(e.item.name, e.item.traits.rule) for e in (entries["model"], *rivals)])
    parts = {kind: _part(kind, entry, layers) for kind, entry in entries.items()}
    return Job(
        plan=plan,
        **parts,
        evaluators=tuple(_part("evaluator", entry, layers) for entry in evaluators),
        protocol=protocol,
        totals=_totals(parts["dataset"], layers),
        preset=plan.preset or plan.protocol or card.protocol,
    )


def evaluators_of(names: Sequence[str], registry: Registry) -> list[Entry]:
    """The evaluators so called; without names those that are default."""
    offered = registry.components["evaluator"].values()
    return [registry.get("evaluator", name) for name in names] or [e for e in offered if e.item.default]


def _layers(plan: Plan, registry: Registry, presets: Sequence[Preset], entries: Iterable[Entry]) -> list[Settings]:
    """Tables by name, the later the stronger; unknown names are errors."""
    names = {one.item.name for entry in entries for one in (entry.members or (entry,))}
    names |= {*SINGLE, "evaluator", "protocol"}
    every = names | {name for table in registry.components.values() for name in table}
    for where, settings, known in (("--set", plan.settings, names), ("--config", plan.config, every)):
        for name in settings:
            if name not in known:
                extra = " takes no part in this run" if name in every else " is no component"
                raise ConfigError(f"{where} {name}.{next(iter(settings[name]), '…')}: {name!r}{extra}"
                                  f"{suggest(name, names)}")  # fmt: skip
    return [*({**p.components, "protocol": p.protocol} for p in presets), plan.config, plan.settings]


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


def _part(kind: str, entry: Entry, layers: Sequence[Settings]) -> Part:
    item = entry.item
    if entry.members:
        if general := next((layer[kind] for layer in layers if layer.get(kind)), None):
            raise ConfigError(
                f"{kind}.{next(iter(general))}: {item.name} is a combination; name the member, "
                f"{entry.members[0].item.name}.{next(iter(general))}"
            )
        return Part(entry, tuple(_part(member.item.name, member, layers) for member in entry.members))
    values = _values(kind, item.name, layers)
    if kind == "dataset":
        values = {key: value for key, value in values.items() if key not in fields_of(Totals)}
    return configured(entry, values)


def configured(entry: Entry, values: Mapping[str, Any] | None = None) -> Part:
    """The part with these options, the others as by default; `as_dict()` of it gives the same part again.

    Args:
        values: by option; of a combination by member, and then by option.

    Raises:
        ConfigError: an unknown option, or a wrong value.
    """
    values = values or {}
    if entry.members:
        return Part(entry, tuple(configured(member, values.get(member.item.name)) for member in entry.members))
    return Part(entry, make(entry.item.config, values, entry.item.name))


def _totals(dataset: Part, layers: Sequence[Settings]) -> Totals:
    values = _values("dataset", dataset.name, layers)
    totals: Totals = make(Totals, {key: values[key] for key in fields_of(Totals) if key in values}, "dataset")
    return totals
