"""What a plugin yields from a hook: components with their traits, presets, published tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

T_co = TypeVar("T_co", covariant=True)
Supervision = Literal["unsupervised", "semi-supervised", "supervised"]
Need = Literal["times", "templates", "line_labels"]
Direction = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the harness must know of a component before it is built.

    Attributes:
        supervision: `supervised` models alone see labels; `semi-supervised` ones train on presumed normals.
        needs: what the sessions must carry beside their keys; a data set without it makes a `skipped` row.
        min_events: shortest unit that the model can score, or a function of its configuration (DeepLog: h + 1).
        keys_only: the score depends on the key sequence alone, or a function of the configuration. The harness
            then scores each distinct sequence once and gives equal ones the same score.
        joint_scores: the score of a unit depends on which others are scored with it; record and row say so.
        scores_without_unseen: the model fills `Scores.ignoring`, so that `unseen = "ignore"` can be served.
        fixed_threshold: the threshold that `threshold = "fixed"` means, or a function of the configuration.
        uses_alpha: the model brings its scores to `fixed_threshold` by `Context.held_out` and `Context.alpha`
            itself, so that it holds under `threshold = "validation"` too, and another alpha needs another run.
        stochastic: the scores depend on `Context.seed`, so that another seed is another result.
        baseline: a cheap reference that stands beside the models of every table (`run`, `leaderboard`).
        rule: scores only say yes or no, so that `fixed_threshold` holds under every threshold of the protocol.
        cuts_lines: windowers only: units are stretches of lines, so that a chronological split cuts the lines
            first and the windows of each side after.
        overlaps: windowers only: a line may belong to several units by design, or a function of the
            configuration.
        unit: windowers only: what a unit is called (`window`); empty: as the data set's card says.
        expected_failures: rules of `logbench check` that the component violates on purpose, name → reason, or a
            function of the configuration. One that holds after all is reported.
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
    expected_failures: Mapping[str, str] | Callable[[Any], Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A data set's facts: where it comes from, what it claims, and how it is customarily used.

    Attributes:
        title: one line for people.
        label: what a label means and who gave it.
        parser, windower, protocol: the names used unless the user chooses (`protocol` names a preset).
        unit: what is scored, as metrics name it (`session`).
        url, size, md5: the archive to fetch; `size` in bytes. Empty for local and embedded data.
        licence, citation, faults: shown by `logbench datasets info`.
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


@dataclass(frozen=True, slots=True)
class Component(Generic[T_co]):
    """One named entry that a plugin offers.

    Attributes:
        name: what the user types; unique among the components of its kind.
        build: called as `build(config)`, or as `build()` where `config` is None; imports heavy packages inside.
        config: a dataclass whose fields are the options (`--set name.field=value`), strict and typed.
        summary: one line for `logbench list`.
        traits: see `Traits`.
        card: data sets only.
        default: evaluators and reporters only: used where the user names none (evaluators: all of them).
        aliases: other names that the user may type, such as a paper's.
    """

    name: str
    build: Callable[..., T_co]
    config: type | None = None
    summary: str = ""
    traits: Traits = field(default_factory=Traits)
    card: Card | None = None
    default: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A published set-up under one name: a protocol and component configurations.

    Attributes:
        protocol: fields of `EvaluationProtocol` that differ from its defaults.
        components: component name → its fields. Applied where that component takes part.
        source: paper, repository or table, with section.
    """

    name: str
    summary: str
    source: str
    protocol: Mapping[str, Any] = field(default_factory=dict)
    components: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


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


Kind = Literal["dataset", "parser", "windower", "model", "evaluator", "reporter"]
Components = Iterable[Component[Any]]
