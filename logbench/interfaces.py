"""What a plugin yields from a hook (`Component`) and what a harness asks of the thing it builds.

The classes `Dataset`, `Parser`, `Windower`, `Model`, `Evaluator` and `Reporter` are structural: a plugin's
class only needs the methods, it inherits nothing. Each hook may grow arguments, none will change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from .frames import KeySequences, Lines, Scores, Sessions

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


class Progress(Protocol):
    """How a stage tells how far it is. Silent where standard error is no terminal."""

    def __call__(self, done: float, total: float | None = None, detail: str = "") -> None:
        """`done` of `total` items (None: unknown), and a few words beside the bar."""


def silent(done: float, total: float | None = None, detail: str = "") -> None:
    """A `Progress` that says nothing."""


def _deaf(text: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a model gets beside its data. It may grow; nothing in it will change.

    Attributes:
        seed: seeds everything random in the model (not the split, which has `split_seed`).
        device: `cpu`, `cuda` or `mps`, already resolved from `auto`.
        held_out: training units set apart for stopping and thresholds, unlabelled; None where there are none.
        alpha: share of held-out weight that may alarm, for a model that sets a threshold of its own by it.
        events: scores of single events are wanted too (`Scores.events`): their lines carry labels.
        progress: report progress of the current stage.
        note: one line for the user, kept in the record.
    """

    seed: int = 0
    device: str = "cpu"
    held_out: Sessions | None = None
    alpha: float = 0.005
    events: bool = False
    progress: Progress = silent
    note: Callable[[str], None] = _deaf


class Dataset(Protocol):
    """Reads raw files. Built once a run; must not keep what it read."""

    def read(self, path: Path) -> Lines | KeySequences:
        """Open `path` (a file or folder as `Card.layout` says) lazily.

        Raises:
            DataError: with one line, where `path` is not what the card says.
        """


@runtime_checkable
class Generator(Protocol):
    """An embedded data set: writes its files instead of fetching them."""

    def generate(self, folder: Path, progress: Progress) -> None:
        """Write the files that `read(folder)` reads, the same bytes for the same configuration."""


class Parser(Protocol):
    """Turns messages into keys. Fitted on the training lines, then frozen: all lines have their keys by `match`.

    Attributes:
        masks: (regular expression, replacement) pairs, applied in order by polars before anything else.
        shape: pairs likewise, cheaper than the masks: lines of one shape must have one masked message. The
            default `(("[0-9]+", "0"),)` is exact where every mask treats a run of digits as one thing.
            `()`: every distinct message is its own shape.
    """

    masks: Sequence[tuple[str, str]]
    shape: Sequence[tuple[str, str]]

    def fit(self, messages: pl.Series) -> NDArray[np.int32]:
        """Learn templates from the distinct masked training messages, in first-seen order.

        Returns the key of each message, int32 [messages], keys numbered 0 … len(templates) − 1. Where `match`
        gives another one the record counts it, and the line has that of `match`.
        """

    def match(self, messages: pl.Series) -> NDArray[np.int32]:
        """Keys of masked messages by the frozen templates, int32 [messages]; −1 where none fits."""

    @property
    def templates(self) -> Sequence[str]:
        """Template of each key, by key."""

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON values."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become the parser that gave `state`."""


class Windower(Protocol):
    """Assigns lines to scored units before anything is parsed.

    Optional method: `counted()`, what it met in the last pass, name → number of lines, for the record.
    Optional attributes: `piecewise`, False where the unit of a line depends on how many came before it, so that
    pieces of a log, as they come by a pipe, cannot be assigned apart; `silence`, seconds that a unit may go
    without a line before it is over, as a window of time has.
    """

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Add column `unit` (String). A line of several units is repeated, a line of none has null.

        It may add a column `group` (String), unless the data set names one: what several units have in common,
        such as the node that windows are made within. A unit is of the group of its first line; the record counts
        groups that train and are tested, and `train = "group"` keeps whole groups apart.

        Every column of `lines` must be kept, and the order of lines. They hold neither labels nor the raw text,
        see `Lines.shown`. Where the traits say `cuts_lines` and the split is chronological, `lines` have `side`
        (Int8: 0 training, 1 held out, 2 test, 3 reserved, between 1 and 2) and `place` (UInt32, from 0 within the
        side); the harness cuts at the sides whatever the windower does with them.
        """


class Model(Protocol):
    """Scores units. The harness takes labels away unless the traits say `supervised`.

    Optional methods: `save(folder)` and `load(folder)` to be kept in a bundle; `expected(sessions, events,
    context) -> Series[List[Int32]]`, the keys that the model expected at event `events[i]` of unit i.
    """

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any] | None:
        """Learn from `train`. May return facts for the record's `training` (passes, stop_reason, …)."""

    def score(self, sessions: Sessions, context: Context) -> Scores | NDArray[Any]:
        """Score every unit, higher = more anomalous: `Scores`, or just float [units]. NaN is an error."""


class Evaluator(Protocol):
    """Turns verdicts into metrics.

    They stand in the record under the evaluator's name, or under the name of the unit (`session`) where the
    class has a true attribute `of_units`.

    Optional attribute: `directions`, metric → `"higher"` or `"lower"`, which way it is better. A metric without
    one, as a count, cannot gate, rank, or make a run worse than another.
    """

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        """Metrics of one set of labelled units.

        Args:
            units: columns `label` (Int8, 0 or 1), `score` (Float64, ±inf allowed), `verdict` (Boolean),
                `weight` (Float64), `sequence` (UInt32, equal for equal key sequences), `events` (Int64).

        Returns:
            Metric → value (a number, or None where it is undefined).
        """


class Reporter(Protocol):
    """Shows records to people."""

    def report(self, records: Sequence[Mapping[str, Any]]) -> str:
        """The text for standard output, without a final newline."""


Kind = Literal["dataset", "parser", "windower", "model", "evaluator", "reporter"]
Components = Iterable[Component[Any]]
