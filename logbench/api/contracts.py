"""What a plugin yields from a hook (`Component`) and what a harness asks of the thing it builds.

The classes `Dataset`, `Parser`, `Windower`, `Embedding`, `Model`, `Evaluator` and `Reporter` are structural: a
plugin's class only needs the methods, it inherits nothing. Each hook may grow arguments, none will change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..base.progress import Progress, silent

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from ..data.lines import KeySequences, Lines
    from ..data.scores import Scores
    from ..data.sessions import Sessions
    from .components import DatasetComponent


def _deaf(text: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a model gets beside its data. It may grow; nothing in it will change.

    Attributes:
        seed: seeds everything random in the model (not the split, which has `split_seed`).
        device: `cpu`, `cuda` or `mps`, already resolved from `auto`.
        devices: how many of these may work together, each in a process of its own; models of `logbench.torch` do.
        held_out: training units set apart for stopping and thresholds; None where there are none. A supervised
            model gets their labels, too, and may stop and calibrate by them; every other model gets none.
        alpha: share of held-out weight that may alarm, for a model that sets a threshold of its own by it.
        events: scores of single events are wanted too (`Scores.events`): their lines carry labels.
        progress: report progress of the current stage.
        note: one line for the user, kept in the record.
    """

    seed: int = 0
    device: str = "cpu"
    devices: int = 1
    held_out: Sessions | None = None
    alpha: float = 0.005
    events: bool = False
    progress: Progress = silent
    note: Callable[[str], None] = _deaf


class Dataset(Protocol):
    """Reads raw files. Built once a run; must not keep what it read.

    What it may have beside: `Generator`, `HasHome`.
    """

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


class Definitions(Protocol):
    """Reads files in which users define data sets of their own, and keeps those that they add.

    Attributes:
        suffix: how the names of such files end (`.toml`); `--dataset ./my.toml` is then read by it.
        keys: a dataclass with an `option` for each key of such a file, for `logbench schema`.
        required: keys that must be given.
    """

    suffix: str
    keys: type
    required: Sequence[str]

    def read(self, path: Path, name: str) -> DatasetComponent[Dataset]:
        """The data set, called `name`, that a file defines.

        Raises:
            ConfigError: the definition is wrong, with one line that names file and key.
        """

    def stored(self, config: Mapping[str, Any], name: str) -> DatasetComponent[Dataset] | None:
        """The data set whose options a record or bundle holds; None where they are not of such a definition.

        So a bundle scores logs also where the definition was never added, or has changed since.
        """

    def add(self, path: Path, name: str, taken: Collection[str]) -> Path:
        """Keep a copy of a definition where `logbench_datasets` will find it; the copy's path.

        Args:
            taken: names of data sets that there are.

        Raises:
            ConfigError: it is wrong, or its name is another data set's. DataError: the copy cannot be written.
        """

    def remove(self, name: str) -> Path:
        """Delete a copy that was added, and return its path.

        Raises:
            ConfigError: there is none of that name.
        """

    def example(self) -> str:
        """A definition to start from, every key explained."""


class Parser(Protocol):
    """Turns messages into keys. Fitted on the training lines, then frozen: all lines have their keys by `match`.

    Attributes:
        masks: (regular expression, replacement) pairs, applied in order by polars before anything else.
        shape: pairs likewise, cheaper than the masks: lines of one shape must have one masked message. The
            default `(("[0-9]+", "0"),)` is exact where every mask treats a run of digits as one thing.
            `()`: every distinct message is its own shape.

    What it may have beside: `HasCaution`.
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

    What it may have beside: `HasCounts`, `Piecewise`, `HasSilence`, `NamesLabels`,
    `GroupsByColumn`.
    """

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Add column `unit` (String). A line of several units is repeated, a line of none has null.

        It may add a column `group` (String), unless the data set names one: what several units have in common,
        such as the node that windows are made within. A unit is of the group of its first line; the record counts
        groups that train and are tested, and `train = "group"` keeps whole groups apart.

        Every column of `lines` must be kept, and the order of lines. They hold neither labels nor the raw text,
        see `Lines.shown`. Where the traits say `line_windows` and the split is chronological, `lines` have `side`
        (Int8: 0 training, 1 held out, 2 test, 3 reserved, between 1 and 2) and `place` (UInt32, from 0 within the
        side); the harness cuts at the sides whatever the windower does with them.
        """


class Embedding(Protocol):
    """Turns what events say into vectors, for models that need `vectors` or `text_vectors`.

    Fitted on texts of training alone; `of` then learns nothing, so that a text has one vector, whatever else is
    asked for before it or with it. What it may have beside: `HasCounts`, such as the words that it does not know.
    """

    def fit(self, texts: Sequence[str]) -> None:
        """Learn from the distinct texts of training, in first-seen order, such as how rare each word is.

        Args:
            texts: templates, or masked messages for a model that needs `text_vectors`; at least one. A second call
                forgets the first one.
        """

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of any texts, float32 [texts, width], finite; all calls after one `fit` give the same width."""


class Model(Protocol):
    """Scores units. The harness takes labels away unless the traits say `supervised`.

    What it may have beside: `Saves` and `Loads`, to be kept in a bundle; `Expects`; `Updates`, to go on learning
    while a stream is scored.
    """

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any] | None:
        """Learn from `train`. May return facts for the record's `training` (passes, stop_reason, …)."""

    def score(self, sessions: Sessions, context: Context) -> Scores | NDArray[Any]:
        """Score every unit, higher = more anomalous: `Scores`, or just float [units]. NaN is an error."""


class Evaluator(Protocol):
    """Turns verdicts into metrics.

    They stand in the record under the evaluator's name. What it may have beside: `OfUnits`, to stand under the
    name of the unit (`session`); `HasDirections`, which way its metrics are better; `HasColumns`, which of them
    tables show; `InTime`, where distinct units mean nothing to it; `HasCaution`, what a run notes of them;
    `NeedsFirstAlarm`; `NeedsKinds`.
    """

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        """Metrics of one set of labelled units.

        Args:
            units: columns `label` (Int8, 0 or 1), `score` (Float64, ±inf allowed), `verdict` (Boolean),
                `weight` (Float64, how many true units a row stands for), `sequence` (UInt32, equal for equal key
                sequences), `events` (Int64, how many it has); `first_time` and `last_time` (Int64, the earliest
                and latest time of its lines, microseconds since 1970), null where the data have no times;
                `first_anomalous` (Int64, the place of its first anomalous line among its events, from 0) and
                `first_anomalous_time` (Int64, microseconds since 1970), null where no line is labelled 1;
                `first_alarm` and `first_alarm_time` (Int64, likewise of the event that raises an alarm first),
                null unless `NeedsFirstAlarm` asks for them, and where nobody knows; `type` (String, the kind of
                anomaly, null where the data name none) and `template_set` (UInt32, equal for equal sets of keys),
                null unless `NeedsKinds` asks for them. Where single events are judged, a row has one event and no
                times.

        Returns:
            Metric → value (a number, or None where it is undefined).
        """


class Reporter(Protocol):
    """Shows records to people.

    What it may have beside: a second parameter of `report`, for stored scores and files, see `ReportsRuns`.
    """

    def report(self, records: Sequence[Mapping[str, Any]]) -> str:
        """The text for standard output, without a final newline."""


class RunningModel(Protocol):
    """A model wherever it runs: a `Model` with its optional methods, and what was noticed beside its work.

    Attributes:
        opened: files that it opened outside of its distribution, see `file_watch`.
        measured: `wall_s`, `cpu_s`, `peak_rss_mb`, `added_rss_mb`, `peak_gpu_mb` of the last call, where it ran
            elsewhere.
        apart: it runs in a process of its own.
    """

    @property
    def opened(self) -> Sequence[str]:
        """See above."""

    @property
    def measured(self) -> Mapping[str, Any]:
        """See above."""

    @property
    def apart(self) -> bool:
        """See above."""

    def can(self, method: str) -> bool:
        """Whether it has the optional method: `save`, `load`, `expected`, `explain` or `update`."""

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any] | None:
        """See `Model.fit`."""

    def score(self, sessions: Sessions, context: Context) -> Scores | NDArray[Any]:
        """See `Model.score`."""

    def expected(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """See `Expects`."""

    def explain(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """See `Explains`."""

    def update(
        self, units: Sessions, verdicts: NDArray[np.bool_], labels: NDArray[np.int8], context: Context
    ) -> None:
        """Call `Updates.update` with one unit after another.

        Args:
            verdicts: bool [units]. labels: int8 [units], −1 where the model is not told.
            context: for progress and notes.
        """

    def save(self, folder: Path) -> None:
        """Write into an existing folder."""

    def load(self, folder: Path) -> None:
        """Become the model saved in `folder`."""
