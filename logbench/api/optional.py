"""What a component may have beside what its kind must have. Nothing is inherited: `isinstance` looks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from .components import Card, Direction, Table
from .model_card import ModelCard

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from ..data.sessions import Sessions
    from .components import DatasetComponent
    from .contracts import Context

# Units that `Runs.examples` may be asked for.
Which = Literal["top", "found", "false-positives", "missed"]
# Formats of a graph.
ExportKind = Literal["onnx", "torch-export"]


@runtime_checkable
class HasHome(Protocol):
    """A data set that knows where its files are, such as a definition of own logs: no `--data` is needed.

    Attributes:
        home: the file or folder to read, or None where it does not know after all.
    """

    @property
    def home(self) -> str | Path | None:
        """See above."""


@runtime_checkable
class HasCounts(Protocol):
    """A windower, lines, or an embedding, that counted something in the last pass, for the record."""

    def counted(self) -> Mapping[str, int]:
        """Name → number of lines, such as `{"undecodable_lines": 3}`. Asked once all lines were read.

        An embedding is asked once all texts have vectors: `{"unknown_words": 3}`.
        """


@runtime_checkable
class Piecewise(Protocol):
    """A windower that says whether pieces of a log can be assigned apart; one that does not say so can.

    Attributes:
        piecewise: False where the unit of a line depends on how many lines came before it. Such units cannot be
            built from a pipe.
    """

    @property
    def piecewise(self) -> bool:
        """See above."""


@runtime_checkable
class GroupsByColumn(Protocol):
    """A windower whose units are the values of one column, so that the harness may group by itself.

    It counts only where the class that has `assign` has it, too: a subclass with another `assign` says it anew.

    Attributes:
        id_column: a line belongs once to each distinct value of this column, String or List[String], and one
            without a value to no unit; empty: units are made otherwise.
    """

    @property
    def id_column(self) -> str:
        """See above."""


@runtime_checkable
class HasSilence(Protocol):
    """A windower whose units end by themselves, such as windows of time.

    Attributes:
        silence: seconds that a unit may go without a line before it is over. A shorter `--timeout` does
            not cut it.
    """

    @property
    def silence(self) -> float:
        """See above."""


@runtime_checkable
class Continues(Protocol):
    """A windower whose units depend on lines long before, such as on when an id last came; for streams.

    Attributes:
        memory: JSON values, what the next pass begins with.
    """

    @property
    def memory(self) -> Any:
        """See above."""

    def go_on(self, memory: Any = None) -> None:
        """Let every pass from now on go on where the one before ended, the first one from `memory`."""


@runtime_checkable
class NamesLabels(Protocol):
    """A windower that splits ids into pieces (`blk_1#2`), so that labels given by id reach every piece.

    A piece has the label of its whole id: a piece of an anomalous session counts as anomalous, also where nothing
    is wrong with its own lines. Labels that lines carry are not asked for: a piece is anomalous by its own lines.
    """

    def label_of(self, unit: str) -> str:
        """The id under which the label of a unit stands, such as `blk_1` for `blk_1#2`; from its name alone."""


@runtime_checkable
class OfUnits(Protocol):
    """An evaluator whose metrics may stand under the name of the unit (`session`) and not under its own.

    Attributes:
        of_units: True where they do. It is then asked of single events too, where they have labels.
    """

    @property
    def of_units(self) -> bool:
        """See above."""


@runtime_checkable
class InTime(Protocol):
    """An evaluator of when units happened, such as of alarms a day.

    Attributes:
        in_time: True where it is asked of all units alone: a distinct one has no place in time. Its metrics of
            distinct units are then those of all.
    """

    @property
    def in_time(self) -> bool:
        """See above."""


@runtime_checkable
class NeedsFirstAlarm(Protocol):
    """An evaluator that reads the columns `first_alarm` and `first_alarm_time` of units.

    Attributes:
        needs_first_alarm: True where it does: units that alarm are then scored once more, event by event.
    """

    @property
    def needs_first_alarm(self) -> bool:
        """See above."""


@runtime_checkable
class NeedsKinds(Protocol):
    """An evaluator that reads the columns `type` and `template_set` of units: what kind of anomaly each is.

    Attributes:
        needs_kinds: True where it does: data sets that know types of anomalies are then asked for them.
    """

    @property
    def needs_kinds(self) -> bool:
        """See above."""


@runtime_checkable
class HasCaution(Protocol):
    """An evaluator whose metrics mislead unless something is known, or a parser that cut a search short.

    Attributes:
        caution: one sentence, which a run notes, or None. A parser is asked once it matched all messages.
    """

    @property
    def caution(self) -> str | None:
        """See above."""


@runtime_checkable
class HasDirections(Protocol):
    """An evaluator that says which way its metrics are better.

    Attributes:
        directions: metric → `"higher"` or `"lower"`. A metric without one, as a count, cannot gate, rank, or make
            a run worse than another.
    """

    @property
    def directions(self) -> Mapping[str, Direction]:
        """See above."""


@runtime_checkable
class TakesData(Protocol):
    """A reader of definitions (see `Definitions`) that makes data sets of data in memory, for `logbench.run`."""

    def of_data(self, data: Any) -> DatasetComponent[Any] | None:
        """The data set that these data are, named after a digest of them; None where it knows nothing of them.

        Raises:
            ConfigError: a column is missing, or is of a wrong type.
        """


class Guessed(Protocol):
    """A definition that was guessed.

    Attributes:
        text: of the definition's file, with comments.
        said: what was assumed, in words.
    """

    @property
    def text(self) -> str:
        """See above."""

    @property
    def said(self) -> Sequence[str]:
        """See above."""


@runtime_checkable
class Guesses(Protocol):
    """A reader of definitions (see `Definitions`) that guesses one from log files, for `logbench detect`."""

    def guess(self, paths: Sequence[Path]) -> Guessed:
        """The definition that fits files, or the files of folders, best; its folder is absolute.

        Raises:
            DataError: there is no file, or none with a line.
        """


@runtime_checkable
class HasColumns(Protocol):
    """An evaluator that says which of its metrics tables show.

    Attributes:
        columns: metrics, in their order in the table. An evaluator without it shows those that have a direction.
    """

    @property
    def columns(self) -> Sequence[str]:
        """See above."""


@runtime_checkable
class Saves(Protocol):
    """A model that can be kept in a bundle; it must be of `Loads`, too."""

    def save(self, folder: Path) -> None:
        """Write into an existing, empty folder."""


@runtime_checkable
class Loads(Protocol):
    """A model that can be taken from a bundle, see `Saves`."""

    def load(self, folder: Path) -> None:
        """Become the model saved in `folder`."""


class RunsGraph(Protocol):
    """What runs a graph."""

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Outputs by name, of inputs by name in the graph's order."""


class ExportedGraph(Protocol):
    """A model as a graph that runs without its code. Rows go in; scores and verdicts come out.

    Attributes:
        facts: how the rows are made, as JSON takes it: `input` (`windows`, `counts`, `keys` or `vectors`), `keys`,
            and what each kind needs beside it.
    """

    facts: Mapping[str, Any]

    def save(self, file: Path, metadata: Mapping[str, Any], limit: float) -> None:
        """Write the graph.

        Args:
            metadata: JSON values, kept as text under the name `logbench`.
            limit: what scores alarm above, in place of the one that was given before.
        """

    def opened(self, file: Path) -> RunsGraph | None:
        """What runs the written graph; None where onnxruntime does."""


@runtime_checkable
class Exports(Protocol):
    """A model that can be made a graph, for `logbench export`; every model of `logbench.torch` can."""

    def exported(self, kind: ExportKind, limit: float) -> ExportedGraph:
        """The fitted or loaded model as a graph.

        Args:
            limit: units that score above it alarm.

        Raises:
            IncompatibleError: it cannot be one; in one line that says why.
        """


@runtime_checkable
class Expects(Protocol):
    """A model that can tell which keys it expected, for `logbench show`."""

    def expected(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """Keys expected at event `events[i]` of unit i, List(Int32) [units].

        Args:
            events: int64 [units], index within the unit; −1 where no event decides.
        """


@runtime_checkable
class Explains(Protocol):
    """A model that can say in words why an event decided, for `logbench show`: what came, what it expected."""

    def explain(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """One line about event `events[i]` of unit i, String [units]; null where there is nothing to say.

        Args:
            events: int64 [units], index within the unit; −1 where no event decides.
        """


@runtime_checkable
class Updates(Protocol):
    """A model that goes on learning from units that it has scored: where a stream is scored.

    In `logbench score --data -` units are scored one at a time as they close, and after each one `update` is
    called, once. Under `protocol.procedure = "prequential"` a whole slice is scored, and then `update` is called,
    once a unit, in order of time; a unit whose label is told late comes when that is due. So a verdict may depend
    on the units before, never on its own label or on later ones. Units that are too short to be scored are left
    out. What is learnt ends with the command; the bundle stays as it was saved. Nothing else calls it: not a batch
    run, where labels of test units would leak, not `score` of a file, and not a combination.
    """

    def update(self, unit: Sessions, verdict: bool, label: int | None) -> None:
        """Learn from one unit.

        Args:
            unit: the one unit, as `score` got it. In slices it may have more known keys than those of training:
                templates of past slices have keys behind the known ones, which stay as they are.
            verdict: whether it alarmed.
            label: 0 or 1, or None where it is not told. In slices that of an alarm is told, as far as
                `protocol.feedback_budget` goes, unless the model is unsupervised. In `logbench score` only a
                supervised model gets one, where each line carries a label (column `label` of `Lines.frame`).
        """


class Runs(Protocol):
    """What runs stored, read-only, for a reporter: see `ReportsRuns`. `StoredRuns` is one.

    Attributes:
        folder: an empty folder of this report, made when it is first asked for; files may be written into it.
    """

    @property
    def folder(self) -> Path:
        """See above."""

    def scores(self, record: Mapping[str, Any]) -> pl.DataFrame:
        """The stored scores of a run, one row a held-out or test unit.

        Returns:
            Among others `part` (`test` or `held_out`), `unit` (String), `label` (Int8, -1: unknown), `score`
            (Float64, null where the protocol drops the unit), `verdict` (Boolean), `weight` (Float64), `events`
            (Int64, the unit's length), `line` (Int64, of the deciding event, from 0). A run that failed has no
            `score` and `verdict`.

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """

    def units(self, record: Mapping[str, Any]) -> pl.DataFrame:
        """The test units that the headline counts: those with a label that the protocol does not drop.

        Returns:
            The columns of `scores`, and the true figures' `weight`: of distinct units where the protocol counts
            these.

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """

    def examples(self, record: Mapping[str, Any], which: Which, count: int) -> list[dict[str, Any]]:
        """The `count` most anomalous units of a kind, equal sequences once.

        Returns:
            Of each `unit`, `units` (how many are like it), `label` and `verdict` (in words), `score`, `short`,
            `event` (index of the deciding one, or None), `events`, `file`, `line` (from 1), `raw` and `text` (None
            where the data are gone), `template`, `expected` (templates, or None), `why` (or None), `telling`
            (lines).

        Raises:
            DataError: the scores of this run were not kept, or it has no verdicts.
        """

    def events(self, record: Mapping[str, Any]) -> pl.DataFrame:
        """Every event of a few false alarms, missed and found anomalies, one row an event.

        Returns:
            `unit` (String), `event` (Int64, place in the unit), `key` (Int32), `template`, `training` (Float64,
            the template's share of the events of training), `line` (Int64, from 0, or null), `score` (Float64, of
            the event, −∞ where the model cannot say, null where it has none of events).

        Raises:
            DataError: they were not kept, as of runs of older versions, or are damaged.
        """

    def spread(self, record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """The run's stored scores under every choice that the protocol leaves after scoring.

        Returns:
            Of each choice `short`, `unseen`, `threshold`, `duplicates`, `f1` and `in_force` (the run's own).

        Raises:
            DataError: the scores of this run were not kept, or are damaged.
        """

    def tied(self, records: Sequence[Mapping[str, Any]], metric: str = "f1") -> Mapping[str, str]:
        """Letters of each model: two that share one are not told apart. Empty where nothing is known.

        Args:
            records: of one data set and protocol, those of the best model first.
        """

    def across(self, records: Sequence[Mapping[str, Any]], metric: str = "f1") -> Mapping[str, Any] | None:
        """Mean ranks of models over data sets, each of which is one observation (Demšar, JMLR 7, 2006).

        Args:
            records: of each data set those of one protocol.

        Returns:
            `models` (the best first), `datasets`, `values` [models, data sets], `ranks` (mean rank of each model),
            `p_holm`, `friedman` (`chi_square`, `f`, `p`), `critical` (Nemenyi's difference), `tied` (sets of
            models that are not told apart) and `left_out`; None where no two models ran on two data sets.
        """

    def records(self) -> Sequence[Mapping[str, Any]]:
        """Every run of the folder, oldest first, for comparisons beyond those that are reported."""

    def card(self, record: Mapping[str, Any]) -> Card | None:
        """The card of a run's data set; None where it is not installed."""

    def model_cards(self, record: Mapping[str, Any]) -> Sequence[ModelCard]:
        """The cards of a run's model, of a combination those of its members; empty where it is not installed."""

    def published(self, dataset: str) -> Sequence[Table]:
        """Published tables of a data set."""


class ReportsRuns(Protocol):
    """A reporter whose `report` has a second parameter: it reads stored scores and writes files.

    One with a default is something else of the reporter's own, unless it is called `runs`.
    """

    def report(self, records: Sequence[Mapping[str, Any]], runs: Runs) -> str:
        """The text for standard output, without a final newline."""


# The optional methods of a model, and the protocol of each.
MODEL_METHODS: Mapping[str, type] = {
    "save": Saves,
    "load": Loads,
    "expected": Expects,
    "explain": Explains,
    "update": Updates,
}


def can(model: Any, method: str) -> bool:
    """Whether a model has one of `MODEL_METHODS`, wherever it runs (see `RunningModel.can`)."""
    asked = getattr(model, "can", None)
    return bool(asked(method)) if asked is not None else isinstance(model, MODEL_METHODS[method])
