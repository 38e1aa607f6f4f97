"""The columnar data that flows between stages: frozen, typed, checked at the door.

`Lines` and `KeySequences` come from data sets, `Sessions` go to models, `Scores` come back.
No Python object exists per line, unit or window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl

from .errors import DataError, PluginError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .histories import Histories
    from .lineformat import LineFormat

T = TypeVar("T")
N = TypeVar("N", bound=np.generic)
Ints = "NDArray[np.int32] | NDArray[np.int64]"

LINE_SCHEMA: Mapping[str, pl.DataType] = {
    "line": pl.UInt32(),
    "message": pl.String(),
    "raw": pl.String(),
    "time": pl.Datetime("us"),
    "level": pl.String(),
    "component": pl.String(),
    "node": pl.String(),
    "file": pl.String(),
    "group": pl.String(),
    "label": pl.Int8(),
}
"""Columns that a `Lines` frame may have: `line` and `message` always, `raw` the line as it stands in the file,
`group` what units have in common, such as the host or job that they come from."""
SHOWN = ("time", "level", "component", "node", "file", "group", "id")
"""Columns that a windower sees beside `line` and `message`: never a label, nor `raw`, which may begin with one."""


@dataclass(frozen=True)
class Lines:
    """Raw log lines as a lazy, re-iterable frame: a file larger than memory is the same code.

    Attributes:
        frame: columns of `LINE_SCHEMA`; `line` counts from 0 in reading order. Others may stand beside them.
        files: the files read, for the digest.
        labels: data set labels by unit, columns `unit` (String) and `label` (Int8: 0 normal, 1 anomaly), or
            None. A callable defers the reading.
        counted: what the reader met, name → number of lines (`undecodable_lines`); asked once all were read.
        form: how lines were declared, where they were: tells where a log that comes in pieces may be cut.
        shown: columns that a windower sees beside `line` and `message`. Add what units may be made by, and leave
            out what tells the label, such as the name of a file of abnormal lines. All others stay hidden.
    """

    frame: pl.LazyFrame
    files: Sequence[Path] = ()
    labels: Callable[[], pl.DataFrame] | None = None
    counted: Callable[[], Mapping[str, int]] | None = None
    form: LineFormat | None = None
    shown: Sequence[str] = SHOWN

    def __post_init__(self) -> None:
        if not isinstance(self.frame, pl.LazyFrame):
            raise PluginError(f"Lines need a LazyFrame, got {type(self.frame).__name__}")
        schema = self.frame.collect_schema()
        for name in ("line", "message"):
            if name not in schema:
                raise PluginError(f"Lines need column {name!r}, got {', '.join(schema.names())}")
        for name, dtype in LINE_SCHEMA.items():
            if name in schema and schema[name] != dtype:
                raise PluginError(f"Lines column {name!r} must be {dtype}, got {schema[name]}")
        if secret := {"label", "raw"}.intersection(self.shown):
            raise PluginError(f"Lines.shown: column {min(secret)!r} may tell the label and is never shown")

    def located(self) -> pl.LazyFrame:
        """`number` (Int64, of each line from 0), `raw`, and `file` and `line` (Int64, from 1) to find it by.

        Where the reader tells no place (columns `file` and `at`), `file` is null and `line` counts all lines.
        """
        schema = self.frame.collect_schema()
        placed = {"file", "at"} <= set(schema.names())
        return self.frame.select(
            number=pl.col("line").cast(pl.Int64),
            raw="raw" if "raw" in schema else "message",
            file=pl.col("file") if placed else pl.lit(None, pl.String),
            line=(pl.col("at") if placed else pl.col("line") + 1).cast(pl.Int64),
        )

    def batches(self, size: int = 262_144) -> Iterator[pl.DataFrame]:
        """Bounded batches of at most `size` lines, in order; each call reads anew."""
        return iter(self.frame.collect_batches(chunk_size=size, maintain_order=True))


@dataclass(frozen=True)
class KeySequences:
    """A data set that comes as key sequences and so enters after parsing.

    Attributes:
        frame: columns `unit` (String), `keys` (List[Int64]), and where known `label` (Int8), `part`
            (String: `train` or `test`) and `group` (String: what units have in common, such as a host or job), one
            row a unit in file order.
        files: the files read, for the digest.
    """

    frame: pl.DataFrame
    files: Sequence[Path] = ()

    def __post_init__(self) -> None:
        wanted: dict[str, pl.DataType] = {"unit": pl.String(), "keys": pl.List(pl.Int64())}
        if "group" in self.frame.columns:
            wanted["group"] = pl.String()
        for name, dtype in wanted.items():
            if self.frame.schema.get(name) != dtype:
                raise PluginError(
                    f"KeySequences column {name!r} must be {dtype}, got {self.frame.schema.get(name)}"
                )
        if self.frame["keys"].null_count():
            raise DataError("KeySequences: a unit without a list of keys; give it an empty list")
        if int(self.frame["keys"].list.len().sum()) != int(self.frame["keys"].list.drop_nulls().list.len().sum()):
            raise DataError("KeySequences: a list of keys holds a null; leave the event out or give it a key")


def read_only(array: NDArray[N]) -> NDArray[N]:
    """A view that cannot be written: a model that counts in place must not change what the next one gets."""
    view: NDArray[N] = array.view()
    view.flags.writeable = False
    return view


def keep_read_only(frozen: Any) -> None:
    """Make the arrays of a frozen dataclass read-only."""
    for name, value in vars(frozen).items():
        if isinstance(value, np.ndarray):
            object.__setattr__(frozen, name, read_only(value))


@dataclass(frozen=True)
class Distinct:
    """Equal rows found once: `first` [distinct] indexes a representative, `inverse` [rows] its number."""

    first: NDArray[np.int64]
    inverse: NDArray[np.int32]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        keep_read_only(self)

    def __len__(self) -> int:
        return len(self.first)

    def take(self, index: NDArray[Any]) -> Distinct:
        """What is distinct among the rows `index` (int [n]), in first-seen order."""
        codes, rows = self.inverse[index], np.arange(len(index))
        earliest = np.full(len(self), -1, dtype=np.int64)
        earliest[codes[::-1]] = rows[::-1]
        first = np.sort(earliest[earliest >= 0])
        number = np.zeros(len(self), dtype=np.int32)
        number[codes[first]] = np.arange(len(first))
        inverse = number[codes]
        return Distinct(first, inverse, np.bincount(inverse, minlength=len(first)).astype(np.int64))


@dataclass(frozen=True)
class Sessions:
    """Units of events, ready for a model: flat keys and offsets.

    Attributes:
        keys: int32 [events]; 0 … vocabulary − 1 are known from training, anything above is out of vocabulary
            (equal unknown messages share an id, so that distinct sequences still see the difference).
        offsets: int64 [units + 1]; unit i holds `keys[offsets[i]:offsets[i + 1]]`.
        vocabulary: number of known keys.
        ids: String [units].
        labels: int8 [units] (0 normal, 1 anomaly, −1 unknown), or None where the harness took them away.
        weights: float64 [units], how many true units each stands for (1 by default).
        lines: uint32 or int64 [events], line numbers from 0, or None for key sequences.
        times: int64 [events], microseconds since 1970, or None.
        line_labels: int8 [events], or None.
        templates: template of each known key.
    """

    keys: NDArray[np.int32]
    offsets: NDArray[np.int64]
    vocabulary: int
    ids: pl.Series
    labels: NDArray[np.int8] | None = None
    weights: NDArray[np.float64] = None  # type: ignore[assignment]
    lines: NDArray[np.uint32] | NDArray[np.int64] | None = None
    times: NDArray[np.int64] | None = None
    line_labels: NDArray[np.int8] | None = None
    templates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.weights is None:
            object.__setattr__(self, "weights", np.ones(len(self)))
        expected = {"keys": np.int32, "offsets": np.int64, "weights": np.float64}
        for name, dtype in expected.items():
            array = getattr(self, name)
            if array.dtype != dtype or array.ndim != 1:
                raise PluginError(
                    f"Sessions.{name} must be {np.dtype(dtype)} [n], got {array.dtype} {array.shape}"
                )
        units = len(self.ids)
        if len(self.offsets) != units + 1 or len(self.weights) != units:
            raise PluginError(f"Sessions: {units} ids, {len(self.offsets)} offsets, {len(self.weights)} weights")
        if int(self.offsets[-1]) != len(self.keys):
            raise PluginError(f"Sessions: offsets end at {self.offsets[-1]}, there are {len(self.keys)} keys")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]], vocabulary: int, **columns: Any) -> Sessions:
        """Sessions from lists of keys: for tests and notebooks."""
        lengths = np.array([len(s) for s in sequences], dtype=np.int64)
        flat = np.array([k for s in sequences for k in s], dtype=np.int32)
        ids = columns.pop("ids", None)
        return cls(
            keys=flat,
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            vocabulary=vocabulary,
            ids=pl.Series(
                "unit", [f"s{i}" for i in range(len(sequences))] if ids is None else ids, dtype=pl.String
            ),
            **columns,
        )

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Events of each unit, int64 [units]."""
        return read_only(np.diff(self.offsets))

    @cached_property
    def folded(self) -> NDArray[np.int32]:
        """Keys with everything out of vocabulary folded to the one key `vocabulary`, int32 [events]."""
        if not len(self.keys) or int(self.keys.max()) <= self.vocabulary:
            return self.keys
        return read_only(np.minimum(self.keys, np.int32(self.vocabulary)))

    @cached_property
    def units(self) -> NDArray[np.int32]:
        """Unit of each event, int32 [events]."""
        return read_only(np.repeat(np.arange(len(self), dtype=np.int32), self.lengths))

    @cached_property
    def unseen(self) -> NDArray[np.int64]:
        """Events of each unit whose key is out of vocabulary, int64 [units]."""
        total = np.concatenate([[0], np.cumsum(self.keys >= self.vocabulary, dtype=np.int64)])
        return read_only(np.diff(total[self.offsets]))

    def take(self, which: NDArray[Any]) -> Sessions:
        """The units `which` (indices or a mask [units]), in that order."""
        index = np.flatnonzero(which) if which.dtype == bool else which
        lengths = self.lengths[index]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        wide = np.int32 if len(self.keys) < 2**31 else np.int64
        shift = (self.offsets[:-1][index] - offsets[:-1]).astype(wide)
        events = np.repeat(shift, lengths) + np.arange(offsets[-1], dtype=wide)

        def cut(column: NDArray[Any] | None) -> Any:
            return None if column is None else column[events]

        taken = replace(
            self,
            keys=self.keys[events],
            offsets=offsets,
            ids=self.ids.gather(index),
            labels=None if self.labels is None else self.labels[index],
            weights=self.weights[index],
            lines=cut(self.lines),
            times=cut(self.times),
            line_labels=cut(self.line_labels),
        )
        if "distinct" in self.__dict__:  # renumbering is much cheaper than comparing key by key again
            taken.__dict__["distinct"] = self.distinct.take(index)
        return taken

    def unlabelled(self) -> Sessions:
        """The same without any label."""
        return self.without("labels", "line_labels")

    def without(self, *columns: str) -> Sessions:
        """The same with these columns None; what was computed from the keys alone is kept."""
        none: dict[str, Any] = dict.fromkeys(columns)
        bare = replace(self, **none)
        kept = ("lengths", "folded", "units", "unseen", "distinct", "_histories")
        bare.__dict__.update({name: self.__dict__[name] for name in kept if name in self.__dict__})
        return bare

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make()` gives, made on the first call with this `name` and kept: for models that share a step.

        Args:
            name: says what is made, and of which package (`logbench_classic.counts`).
            make: must depend on these sessions alone; what it gives must not be changed afterwards.
        """
        known: dict[str, Any] = self.__dict__.setdefault("_once", {})
        if name not in known:
            value = make()
            known[name] = read_only(value) if isinstance(value, np.ndarray) else value
        made: T = known[name]
        return made

    @cached_property
    def distinct(self) -> Distinct:
        """Distinct key sequences, in first-seen order."""
        from .histories import distinct_sequences

        return distinct_sequences(self)

    def histories(self, h: int, padded: bool = False) -> Histories:
        """Every `h` keys with the key that follows them, inside one unit. Computed once for each choice.

        Args:
            padded: a start key stands in for what lacks before the first h events; see `Histories`.

        Raises:
            ValueError: `h` is below 1.
        """
        from .histories import Histories

        known: dict[tuple[int, bool], Histories] = self.__dict__.setdefault("_histories", {})
        if (h, padded) not in known:
            known[h, padded] = Histories.of(self, h, padded)
        return known[h, padded]


SCORED_COLUMNS = frozenset(
    (
        *("part", "unit", "index", "label", "weight", "events", "unseen", "sequence", "repeats"),
        *("raw", "event", "ignoring", "ignoring_event", "unjudged"),
        *("score", "verdict", "decided_by", "short", "line", "key", "expected"),
    )
)
"""Columns of the stored scores, so no names for scores of a model's own."""


@dataclass(frozen=True)
class Scores:
    """What a model says of each unit.

    Attributes:
        primary: float64 [units], higher = more anomalous; ±inf allowed, NaN is an error.
        event: int64 [units], index within the unit of the event that decided, −1 where none did.
        ignoring: `primary` with no alarm from an unseen key (needed for `unseen = "ignore"`), or None.
        ignoring_event: the event that decides `ignoring`.
        events: float64 [events of all units asked, in their order], how anomalous each event is, −∞ where the
            model cannot say; where `Context.events` asks for them, or None.
        others: named scores beside the primary one (`nll`), float64 [units] each.
        facts: counts for the record (`windows`, `distinct_windows`, `near_boundary`).
        unjudged: int64 [units], events of each unit of which the score cannot tell whether they are anomalous (the
            first h where they are history only); None for a model that judges all.
    """

    primary: NDArray[np.float64]
    event: NDArray[np.int64] | None = None
    ignoring: NDArray[np.float64] | None = None
    ignoring_event: NDArray[np.int64] | None = None
    others: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    events: NDArray[np.float64] | None = None
    unjudged: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, answer: Any, units: int, model: str, events: int | None = None) -> Scores:
        """Check what model `model` returned for `units` units of `events` events; an array becomes `Scores`.

        Raises:
            PluginError: wrong shape or type, NaN, or another score of a name that is taken.
        """
        if answer is None:
            raise PluginError(f"model {model!r}: score must return numbers [{units}], got None")
        scores = answer if isinstance(answer, Scores) else cls(np.asarray(answer))
        for name in ("others", "facts"):
            if not isinstance(found := getattr(scores, name), Mapping):
                raise PluginError(
                    f"model {model!r}: {name!r} of its scores must be a mapping, got {type(found).__name__}"
                )
        columns = {
            "primary": scores.primary,
            "ignoring": scores.ignoring,
            "event": scores.event,
            "ignoring_event": scores.ignoring_event,
            "unjudged": scores.unjudged,
            **scores.others,
        }
        if taken := sorted(SCORED_COLUMNS.intersection(scores.others)):
            raise PluginError(f"model {model!r}: a score cannot be called {taken[0]!r}, that name is taken")
        for name, column in columns.items():
            _check_scores(column, units, f"model {model!r}", name, "unit")
        if events is not None:
            _check_scores(scores.events, events, f"model {model!r}", "events", "event")
        return replace(scores, primary=scores.primary.astype(np.float64))

    def take(self, index: NDArray[Any]) -> Scores:
        """The scores of the units `index` (int [n]), such as of all units from those of distinct ones.

        Scores of single events are left out.
        """
        names = ("primary", "event", "ignoring", "ignoring_event", "unjudged")
        columns = {name: getattr(self, name) for name in names}
        taken: dict[str, Any] = {name: None if c is None else c[index] for name, c in columns.items()}
        others = {name: column[index] for name, column in self.others.items()}
        return replace(self, **taken, others=others, events=None)


def facts_of(answer: Any, what: str) -> dict[str, Any]:
    """Facts that plugin code gives, such as those of a fit; none for None.

    Args:
        what: gives them, for the message: `model 'x': fit`.

    Raises:
        PluginError: they are no mapping.
    """
    if answer is None:
        return {}
    if not isinstance(answer, Mapping):
        raise PluginError(f"{what} must return a mapping of facts or None, got {type(answer).__name__}")
    return dict(answer)


def _check_scores(column: Any, size: int, model: str, name: str, what: str) -> None:
    if column is None:
        return
    if not isinstance(column, np.ndarray) or column.shape != (size,) or column.dtype.kind not in "fiub":
        array = isinstance(column, np.ndarray)
        got = f"{column.dtype} {list(column.shape)}" if array else type(column).__name__
        raise PluginError(f"{model}: score must return numbers [{size}] as {name!r}, got {got}")
    if column.dtype.kind == "f" and np.isnan(column).any():
        at = int(np.flatnonzero(np.isnan(column))[0])
        raise PluginError(f"{model}: {name!r} is NaN, first at {what} {at} of {size}")


def spread(values: Any, where: NDArray[Any], size: int, dtype: Any) -> pl.Series:
    """A column of `size` rows with `values` at the rows `where` and null elsewhere; all null for None."""
    empty = pl.Series([None], dtype=dtype).new_from_index(0, size)
    return empty if values is None else empty.scatter(where, pl.Series(values).cast(dtype))
