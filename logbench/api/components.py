"""What a plugin yields from a hook: components of each kind, presets, published tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from .traits import ComponentTraits, ModelTraits, WindowerTraits
from .work import Work

T_co = TypeVar("T_co", covariant=True)
Direction = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A data set's facts: where it comes from, what it claims, and how it is customarily used.

    Attributes:
        title: one line for people.
        label: what a label means and who gave it.
        parser, windower, protocol: the names used unless the user chooses (`protocol` names a preset).
        unit: what is scored, as metrics name it (`session`).
        url, size, md5, sha256: the archive to fetch; `size` in bytes. Empty for local and embedded data. Without a
            `sha256` that of the first fetch is kept, and another one is refused.
        licence, citation, faults: shown by `logbench datasets info`; `citation` in a few words.
        cite: the works to cite, for `logbench cite`.
        layout: what `--data` must point to, in words.
        simulated: generated, never to be set against published figures.
        published: realised counts that the source states (`lines`, `sessions`, `anomalies`).
        settings: component name → options that this data set needs, the weakest layer above the defaults.
    """

    title: str
    label: str
    parser: str
    windower: str
    protocol: str
    layout: str
    unit: str = "session"
    url: str = ""
    size: int = 0
    md5: str = ""
    licence: str = ""
    citation: str = ""
    faults: tuple[str, ...] = ()
    simulated: bool = False
    published: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sha256: str = ""
    cite: tuple[Work, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class BaseComponent(Generic[T_co]):
    """One named entry that a plugin offers: what components of every kind have.

    Attributes:
        name: what the user types; unique among the components of its kind.
        build: called as `build(config)`, or as `build()` where `config` is None; imports heavy packages inside.
        config: a dataclass whose fields are the options (`--set name.field=value`), strict and typed.
        summary: one line for `logbench list`.
        traits: what the harness must know before it is built, see `ComponentTraits`.
        aliases: other names that the user may type, such as a paper's.
        requires: distributions that it needs beside its plugin's dependencies, as `pip` has them: `("pyod>=2",)`.
            Without them it is listed but cannot run: asked for by name it is an error of one line, among others a
            skipped row.
    """

    name: str
    build: Callable[..., T_co]
    config: type | None = None
    summary: str = ""
    traits: ComponentTraits = field(default_factory=ComponentTraits)
    aliases: tuple[str, ...] = field(default=(), kw_only=True)
    requires: tuple[str, ...] = field(default=(), kw_only=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


@dataclass(frozen=True, slots=True, repr=False)
class DatasetComponent(BaseComponent[T_co]):
    """A data set: `DatasetComponent("mine", Mine, card=Card(title=…, …))`.

    Its other fields are those of `BaseComponent`.

    Attributes:
        card: its facts, see `Card`.
    """

    card: Card = field(kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class ParserComponent(BaseComponent[T_co]):
    """A parser: `ParserComponent("words", Words, summary="one template a message")`.

    Its fields are those of `BaseComponent`.
    """


@dataclass(frozen=True, slots=True, repr=False)
class WindowerComponent(BaseComponent[T_co]):
    """A windower: `WindowerComponent("by-node", ByNode, traits=WindowerTraits(unit="node"))`.

    Its fields are those of `BaseComponent`.
    """

    traits: WindowerTraits = field(default_factory=WindowerTraits)


@dataclass(frozen=True, slots=True, repr=False)
class EmbeddingComponent(BaseComponent[T_co]):
    """An embedding: `EmbeddingComponent("lengths", Lengths, summary="number of words, number of letters")`.

    Its other fields are those of `BaseComponent`.

    Attributes:
        default: used where the user names none.
    """

    default: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class ModelComponent(BaseComponent[T_co]):
    """A model: `ModelComponent("longest", Longest, traits=ModelTraits(min_events=2))`.

    Its other fields are those of `BaseComponent`.

    Attributes:
        card: a TOML file with its facts, see `ModelCard`: `Path(__file__).with_name("longest.toml")`. It is read
            where it is shown, by `logbench models`.
    """

    traits: ModelTraits = field(default_factory=ModelTraits)
    card: Path | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class EvaluatorComponent(BaseComponent[T_co]):
    """An evaluator: `EvaluatorComponent("cost", Cost, config=CostConfig)`.

    Its other fields are those of `BaseComponent`.

    Attributes:
        default: used where the user names none.
        prices: its options that `--cost NAME=NUMBER,…` sets. Whoever gives that gets the evaluator beside others.
    """

    default: bool = field(default=False, kw_only=True)
    prices: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class ReporterComponent(BaseComponent[T_co]):
    """A reporter: `ReporterComponent("latex", Latex)`.

    Its other fields are those of `BaseComponent`.

    Attributes:
        default: used where the user names none.
    """

    default: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Definition:
    """A data set that a user defined in a file of their own, as `logbench_datasets` may yield it.

    It is made after all plugins have offered theirs, so that it takes no name from them. Where it is wrong, or its
    name is taken, it is set aside with one line; the plugin that yields it is not.

        yield Definition("shop", partial(read_definition, folder / "shop.toml"))

    Attributes:
        name: what the user types.
        make: gives the data set; raises `ConfigError` with one line where the definition is wrong.
    """

    name: str
    make: Callable[[], DatasetComponent[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A published set-up under one name: a protocol and component configurations.

    Attributes:
        protocol: fields of `EvaluationProtocol` that differ from its defaults.
        components: component name → its fields. Applied where that component takes part.
        embedding: name of the one used unless the user names one; empty: the default.
        source: paper, repository or table, with section.
    """

    name: str
    summary: str
    source: str
    protocol: Mapping[str, Any] = field(default_factory=dict)
    components: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    embedding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One row of a published table.

    Attributes:
        model: name, or names joined by `+`. metrics: as published, such as `{"f1": 0.963}`.
        preset, settings: what this row adds to its table's.
        remark: why ours may differ.
        unknown: why it cannot be reproduced (its parameters are not published); the row is then not run.
    """

    model: str
    metrics: Mapping[str, float]
    preset: str | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remark: str = ""
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A published table to reproduce, cell by cell.

    Attributes:
        source: paper, repository or table, with section.
        dataset: name. preset, settings: the set-up, as in `Plan`.
        split, prevalence: as published, the split in words; prevalence None where it is not stated.
        tolerance: largest difference of a cell that counts as reproduced.
        remark: what is known to differ.
    """

    name: str
    summary: str
    source: str
    dataset: str
    rows: Sequence[Published]
    preset: str | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    split: str = ""
    prevalence: float | None = None
    tolerance: float = 0.02
    remark: str = ""


Kind = Literal["dataset", "parser", "windower", "embedding", "model", "evaluator", "reporter"]
