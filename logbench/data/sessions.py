"""The columnar data that flows between stages: frozen, typed, checked at the door.

`Lines` and `KeySequences` come from data sets, `Sessions` go to models, `Scores` come back.
No Python object exists per line, unit or window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeVar, overload

import numpy as np
import polars as pl

from ..base.deprecation import deprecated
from ..base.errors import PluginError
from ..base.jsonable import several
from .derived import derived, hand_on
from .distinct import BLOCK, Distinct, blocks, distinct_codes, distinct_sequences, read_only
from .event_buffer import array
from .event_messages import EventMessages, undeclared
from .histories import Histories
from .per_unit import events_of_units
from .unit import Unit, frame_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


T = TypeVar("T")


class Column(NamedTuple):
    """How a column of `Sessions` is cut, and who gets it.

    Attributes:
        per: it has one value for each event, or one for each unit.
        optional: it is None where the data lack it, or where a model may not have it.
        as_file: a model in a process of its own gets it as a file. Labels never: they travel by message.
        needs: a model gets it that declares one of these; empty: its own name.
    """

    per: Literal["event", "unit"]
    optional: bool = False
    as_file: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Sessions:
    """Units of events, ready for a model: flat keys and offsets.

    To look at them: `sessions[0]` and `for unit in sessions` give a `Unit`, `sessions[:5]` and `sessions[mask]`
    fewer sessions, `sessions.to_polars()` a frame.

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
        texts: String [texts], the distinct masked messages of these units, in first-seen order, those of unseen
            keys too; None where the model does not declare `needs={"texts"}`, or for key sequences.
        text_ids: int32 [events], place of each event's message in `texts`, or None.
        vectors: float32 [texts, width], an embedding's vectors of what these units say, each distinct text once;
            None where the model declares neither `needs={"vectors"}` nor `needs={"text_vectors"}`.
        vector_ids: int32 [events], the row of each event in `vectors`, or None.
        raw: where `messages` and `parameters` come from, or None.
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
    texts: pl.Series | None = None
    text_ids: NDArray[np.int32] | None = None
    vectors: NDArray[np.float32] | None = None
    vector_ids: NDArray[np.int32] | None = None
    raw: EventMessages | None = field(default=None, repr=False, compare=False)
    _cached: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _histories: dict[tuple[int, bool], Histories] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    # Every column that has a value for each event or unit. Whoever adds one writes it above and here: `take`,
    # `drop`, and what models are given, go through these.
    columns: ClassVar[Mapping[str, Column]] = {
        "keys": Column("event", as_file=True),
        "ids": Column("unit"),
        "labels": Column("unit", optional=True),
        "weights": Column("unit"),
        "lines": Column("event", optional=True),
        "times": Column("event", optional=True, as_file=True),
        "line_labels": Column("event", optional=True),
        "text_ids": Column("event", optional=True, as_file=True, needs=("texts",)),
        "vector_ids": Column("event", optional=True, as_file=True, needs=("vectors", "text_vectors")),
    }

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
        if (self.texts is None) != (self.text_ids is None):
            raise PluginError("Sessions: texts and text_ids go together; give both or none")
        if (self.vectors is None) != (self.vector_ids is None):
            raise PluginError("Sessions: vectors and vector_ids go together; give both or none")
        if self.vectors is not None and (self.vectors.dtype != np.float32 or self.vectors.ndim != 2):
            raise PluginError(
                f"Sessions.vectors must be float32 [texts, width], got {self.vectors.dtype} {self.vectors.shape}"
            )
        if self.raw is not None and len(self.raw) != len(self.keys):
            raise PluginError(f"Sessions: {len(self.raw)} messages, there are {len(self.keys)} keys")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        counts = [
            several(len(self), "unit"),
            several(len(self.keys), "event"),
            several(self.vocabulary, "known key"),
        ]
        labels = self.labels
        known = "no labels" if labels is None else several(int((labels == 1).sum()), "anomaly", "anomalies")
        return f"Sessions({', '.join(counts)}, {known})"

    @overload
    def __getitem__(self, which: int | np.integer[Any]) -> Unit: ...
    @overload
    def __getitem__(self, which: slice | NDArray[Any] | Sequence[int]) -> Sessions: ...
    def __getitem__(self, which: Any) -> Unit | Sessions:
        """One unit, or the units of a slice, of indices or of a mask [units]."""
        if isinstance(which, int | np.integer):
            return self._unit(int(which))
        chosen = which if isinstance(which, slice | np.ndarray) else list(which)
        return self.take(np.arange(len(self))[chosen])

    def __iter__(self) -> Iterator[Unit]:
        return (self._unit(place) for place in range(len(self)))

    def _unit(self, place: int) -> Unit:
        """The unit at a place from 0; from the end where that is negative.

        Raises:
            IndexError: there is none.
        """
        at = place + len(self) if place < 0 else place
        if not 0 <= at < len(self):
            raise IndexError(f"unit {place} of {len(self)}")
        events = slice(int(self.offsets[at]), int(self.offsets[at + 1]))
        return Unit(
            id=self.ids[at],
            keys=self.keys[events],
            label=None if self.labels is None else int(self.labels[at]),
            texts=tuple(map(self._text, range(events.start, events.stop))),
            times=None if self.times is None else self.times[events],
        )

    def _text(self, event: int) -> str | None:
        """The template of an event's key; of an unseen key its masked message, if that is known."""
        if (key := int(self.keys[event])) < len(self.templates):
            return self.templates[key]
        return None if self.texts is None or self.text_ids is None else str(self.texts[int(self.text_ids[event])])

    def to_polars(self) -> pl.DataFrame:
        """One row a unit: `unit` (String), `keys` (List[Int32]), `times` (List[Datetime]) and `label` (Int8) where
        they are known, `weight` (Float64). `.explode("keys")` gives one row an event.
        """
        events: dict[str, NDArray[Any]] = {"keys": self.keys}
        if self.times is not None:
            events["times"] = self.times
        columns = {} if self.labels is None else {"label": pl.Series(self.labels, dtype=pl.Int8)}
        return frame_of(self.ids, self.units, events, {**columns, "weight": pl.Series(self.weights)})

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]], vocabulary: int | None = None, **columns: Any) -> Sessions:
        """Sessions from lists of keys: for tests and notebooks.

        Args:
            vocabulary: number of known keys; by default all.
            columns: such as `labels=[0, 1]` or `ids=["a", "b"]`, and `messages` [events], which `messages()` and
                `parameters()` show.
        """
        lengths = np.array([len(s) for s in sequences], dtype=np.int64)
        flat = np.array([k for s in sequences for k in s], dtype=np.int32)
        ids, messages = columns.pop("ids", None), columns.pop("messages", None)
        if messages is not None:
            columns["raw"] = EventMessages.of(messages)
        if columns.get("labels") is not None:
            columns["labels"] = np.asarray(columns["labels"], dtype=np.int8)
        return cls(
            keys=flat,
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            vocabulary=int(flat.max(initial=-1)) + 1 if vocabulary is None else vocabulary,
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
    def clipped_keys(self) -> NDArray[np.int32]:
        """Keys with everything out of vocabulary folded to the one key `vocabulary`, int32 [events]."""
        if not len(self.keys) or int(self.keys.max()) <= self.vocabulary:
            return self.keys
        return read_only(np.minimum(self.keys, np.int32(self.vocabulary)))

    @property
    @deprecated("Sessions.clipped_keys", "0.3")
    def folded(self) -> NDArray[np.int32]:
        """The old name of `clipped_keys`."""
        return self.clipped_keys

    @cached_property
    def units(self) -> NDArray[np.int32]:
        """Unit of each event, int32 [events]."""
        return read_only(np.repeat(np.arange(len(self), dtype=np.int32), self.lengths))

    @cached_property
    def unseen(self) -> NDArray[np.int64]:
        """Events of each unit whose key is out of vocabulary, int64 [units]."""
        unseen = np.zeros(len(self), dtype=np.int64)
        for units, events in blocks(self.offsets, BLOCK):
            has = np.flatnonzero(self.lengths[units] > 0)
            if len(has):
                begins = self.offsets[units][has] - events.start
                unseen[units.start + has] = np.add.reduceat(
                    self.keys[events] >= self.vocabulary, begins, dtype=np.int64
                )
        return read_only(unseen)

    def take(self, which: NDArray[Any]) -> Sessions:
        """The units `which` (indices or a mask [units]), in that order."""
        index = np.flatnonzero(which) if which.dtype == bool else which
        offsets = np.concatenate([[0], np.cumsum(self.lengths[index])]).astype(np.int64)
        there = {one: kind for one, kind in self.columns.items() if getattr(self, one) is not None}
        cut = {name: _at(getattr(self, name), index) for name, column in there.items() if column.per == "unit"}
        cut |= self._events_of(index, offsets, [name for name, column in there.items() if column.per == "event"])
        if self.texts is not None:
            seen = distinct_codes(cut["text_ids"])
            cut |= {"texts": self.texts.gather(cut["text_ids"][seen.first]), "text_ids": seen.inverse}
        if self.vectors is not None:
            seen = distinct_codes(cut["vector_ids"])
            cut |= {"vectors": self.vectors[cut["vector_ids"][seen.first]], "vector_ids": seen.inverse}
        raw = self.raw and self.raw.take(events_of_units(self.offsets, index)[0])
        taken = replace(self, offsets=offsets, raw=raw, **cut)
        if "distinct" in derived(self):  # renumbering is much cheaper than comparing key by key again
            hand_on({"distinct": self.distinct.take(index)}, taken)
        return taken

    def _events_of(
        self, units: NDArray[Any], offsets: NDArray[np.int64], names: Sequence[str]
    ) -> dict[str, NDArray[Any]]:
        """These columns of the events of `units`, which `offsets` cuts."""
        made = {name: array(int(offsets[-1]), getattr(self, name).dtype) for name in names}
        for some, events in blocks(offsets, BLOCK):
            places, _ = events_of_units(self.offsets, units[some])
            for name, column in made.items():
                np.take(getattr(self, name), places, out=column[events], mode="clip")
        return made

    def unlabelled(self) -> Sessions:
        """The same without any label."""
        return self.drop("labels", "line_labels")

    def drop(self, *columns: str) -> Sessions:
        """The same with these columns None; what was computed from the keys alone is kept.

        `texts` go with `text_ids`, `vectors` with `vector_ids`.
        """
        tables = {"text_ids": "texts", "vector_ids": "vectors"}
        none: dict[str, Any] = dict.fromkeys([*columns, *(tables[one] for one in columns if one in tables)])
        bare = replace(self, **none)
        hand_on({**derived(self), "_histories": self._histories}, bare)
        return bare

    def cached(self, name: str, make: Callable[[], T]) -> T:
        """What `make()` gives, made on the first call with this `name` and kept: for models that share a step.

        Args:
            name: says what is made, and of which package (`logbench_classic.counts`).
            make: must depend on these sessions alone; what it gives must not be changed afterwards.
        """
        if name not in self._cached:
            value = make()
            self._cached[name] = read_only(value) if isinstance(value, np.ndarray) else value
        made: T = self._cached[name]
        return made

    @deprecated("Sessions.drop", "0.3")
    def without(self, *columns: str) -> Sessions:
        """The old name of `drop`."""
        return self.drop(*columns)

    @deprecated("Sessions.cached", "0.3")
    def once(self, name: str, make: Callable[[], T]) -> T:
        """The old name of `cached`."""
        return self.cached(name, make)

    def messages(self, events: NDArray[Any] | None = None) -> pl.Series:
        """Messages as they stand in the log, String [events asked for], read when asked for.

        They may name the unit (a block id), as no other column does.

            third = sessions.messages(np.arange(sessions.offsets[2], sessions.offsets[3]))

        Args:
            events: positions in `keys`, int [n], any order; None: all events.

        Raises:
            PluginError: the model does not declare `needs={"messages"}`.
        """
        if self.raw is None:
            raise undeclared("messages")
        return self.raw.messages(events)

    def parameters(self, events: NDArray[Any] | None = None) -> pl.Series:
        """The values at the wildcards `<*>` of each event's template, List(String) [events asked for].

        All lists of one key are of one length, [] where the template has no wildcard. They are cut out of the
        messages when asked for: each value reaches to the next text of the template, as early as that comes. A
        message that the template does not fit, since the parser takes similar ones too, is laid beside it word by
        word. Null where the key is unseen, or the words of message and template differ in number.

            >>> sessions = Sessions.of([[0, 1]], 1, templates=("sent <*> MB",), messages=["sent 5 MB", "new"])
            >>> sessions.parameters().to_list()
            [['5'], None]

        Args:
            events: positions in `keys`, int [n], any order; None: all events. Ask for parts of a large log.

        Raises:
            PluginError: the model does not declare `needs={"parameters"}`.
        """
        if self.raw is None:
            raise undeclared("parameters")
        return self.raw.parameters(events, self.keys, self.templates)

    @cached_property
    def distinct(self) -> Distinct:
        """Distinct key sequences, in first-seen order."""
        return distinct_sequences(self.keys, self.offsets)

    def histories(self, h: int, padded: bool = False) -> Histories:
        """Every `h` keys with the key that follows them, inside one unit. Computed once for each choice.

        Args:
            padded: a start key stands in for what lacks before the first h events; see `Histories`.

        Raises:
            ValueError: `h` is below 1.
        """
        if (h, padded) not in self._histories:
            self._histories[h, padded] = Histories.of(self, h, padded)
        return self._histories[h, padded]


def _at(values: Any, places: NDArray[Any]) -> Any:
    """The values at these places, of an array or of a series."""
    return values.gather(places) if isinstance(values, pl.Series) else values[places]
