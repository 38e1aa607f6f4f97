"""Explain scores: the deciding event and its line, what the model expected there, and what is unusual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.optional_models import can
from ..data.distinct import distinct_codes
from ..data.kept import shown
from ..data.neutral import neutral
from ..data.scores import spread
from ..data.usual_counts import Explained, UsualCounts
from ..pipeline.grouping import GroupedLines
from ..pipeline.parsing import Vocabulary
from .said import SAID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Context
    from ..data.sessions import Sessions

TOP = 100


def usual_of(train: Sessions) -> UsualCounts:
    """How often the units of a training that are not known to be anomalous have each key."""
    normal = train if train.labels is None else train.take(train.labels != 1)
    return train.cached("logbench.usual_counts", lambda: UsualCounts.of(normal))


def explained(
    frame: pl.DataFrame, sessions: Sessions, model: Any, context: Context, needs: Set[str], counts: Counts
) -> pl.DataFrame:
    """Add what is said of the units of a run that matter: alarms, missed anomalies, and the top of the test.

    Args:
        needs: what the model needs. counts: what training has, see `with_said`.
    """
    interesting = frame.select(
        (pl.col("part") == "test") & (pl.col("verdict").fill_null(False) | (pl.col("label") == 1) | among_top(TOP))
    ).to_series()
    units, events = frame["index"].to_numpy(), frame["decided_by"].fill_null(-1).to_numpy()
    asked = Asked(sessions, units, events, interesting.to_numpy())
    return with_said(frame, asked, model, context, needs, counts)


def among_top(number: int) -> pl.Expr:
    """Whether a unit is among those of the highest scores, of equal ones the first; a dropped one has none."""
    score = pl.col("score")
    least = score.top_k(number).min()
    last, room = score == least, number - (score > least).sum()
    return ((score > least) | (last & (last.cum_sum() <= room))).fill_null(False)


@dataclass(frozen=True)
class Asked:
    """Units, and the event that decided each (−1: none), int64 [units]; of those of `interesting` all is said."""

    sessions: Sessions
    units: NDArray[np.int64]
    events: NDArray[np.int64]
    interesting: NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """What is said of counts, and in which words.

    Attributes:
        usual: how often training has each key; None where it is not known.
        names: template of each key, unseen ones too.
    """

    usual: UsualCounts | None
    names: Mapping[int, str]


def with_said(
    frame: pl.DataFrame, asked: Asked, model: Any, context: Context, needs: Set[str], counts: Counts
) -> pl.DataFrame:
    """Add to a row a unit:

    - `line` (Int64, from 0) and `key` (Int32) of the deciding event; of the one that shows best what is unusual
      where none decided alone;
    - `expected` (List[Int32], keys) of a model with that method;
    - `why` (String, a line a reason), from the model's `explain`, or else from the counts;
    - `telling` (List[Int64]), numbers of the lines that show what is unusual about the counts.

    Args:
        model: one of this process, or a `RunningModel`.
    """
    rows = np.flatnonzero(asked.interesting)
    units, events = asked.units[rows], asked.events[rows]
    said = _of_model(asked.sessions, units, events, model, context, needs)
    at, telling = asked.events.copy(), pl.Series([None] * len(rows), dtype=pl.List(pl.Int64))
    if counts.usual is not None and len(rows):
        found = _of_counts(asked.sessions, units, counts.usual, counts.names, events)
        said["why"] = found.why.zip_with(said["why"].fill_null("") == "", said["why"])
        at[rows] = np.where(events >= 0, events, found.best)
        if asked.sessions.lines is not None:
            telling = found.telling(asked.sessions.lines, asked.sessions.offsets[:-1][units])
    columns = [_spread(one.rename(name), rows, len(frame)) for name, one in {**said, "telling": telling}.items()]
    return frame.with_columns(*_places(asked, at), *columns)


def _places(asked: Asked, at: NDArray[np.int64]) -> list[pl.Series]:
    """Line and key of the event `at[i]` of each unit."""
    sessions, has = asked.sessions, np.flatnonzero(at >= 0)
    events = sessions.offsets[:-1][asked.units[has]] + at[has]
    lines = None if sessions.lines is None else sessions.lines[events]
    return [
        spread(lines, has, len(at), pl.Int64).alias("line"),
        spread(sessions.keys[events], has, len(at), pl.Int32).alias("key"),
    ]


def _of_model(
    sessions: Sessions,
    units: NDArray[np.int64],
    events: NDArray[np.int64],
    model: Any,
    context: Context,
    needs: Set[str],
) -> dict[str, pl.Series]:
    """What a model itself says of deciding events, by the name of the column; null where none decided."""
    has = np.flatnonzero(events >= 0)
    asked: Sessions | None = None
    said = {}
    for method, (name, dtype) in SAID.items():
        answer = pl.Series([], dtype=dtype)
        if len(has) and can(model, method):
            asked = asked or neutral(sessions, needs, units=units[has])
            answer = getattr(model, method)(asked, events[has], context).cast(dtype)
        said[name] = _spread(answer, has if len(answer) else has[:0], len(units))
    return said


@dataclass(frozen=True)
class _Unusual:
    """What is unusual about the counts of units, each kind of unit once.

    Attributes:
        kinds: what is said of each kind. kind: int32 [units].
    """

    kinds: Sequence[Explained]
    kind: NDArray[np.int32]

    @property
    def why(self) -> pl.Series:
        """The reasons, String [units]."""
        return pl.Series("why", [one.why for one in self.kinds], dtype=pl.String).gather(self.kind)

    @property
    def best(self) -> NDArray[np.int64]:
        """The first telling event, int64 [units]; -1 where there is none."""
        return np.array([one.events[0] if one.events else -1 for one in self.kinds], dtype=np.int64)[self.kind]

    def telling(self, lines: NDArray[Any], begins: NDArray[np.int64]) -> pl.Series:
        """Numbers of the lines of telling events, List(Int64) [units].

        Args:
            lines: number of each event's line. begins: where each unit's events begin.
        """
        sizes = np.array([len(one.events) for one in self.kinds])
        places = np.zeros((len(self.kinds), max(int(sizes.max()), 1)), dtype=np.int64)
        for row, one in zip(places, self.kinds, strict=True):
            row[: len(one.events)] = one.events
        some = np.minimum(begins[:, None] + places[self.kind], len(lines) - 1)
        numbers = pl.Series(lines[some] if len(lines) else some, dtype=pl.Array(pl.Int64, places.shape[1]))
        wide = pl.DataFrame({"telling": numbers.arr.to_list(), "size": sizes[self.kind]})
        return wide.select(pl.col("telling").list.head(pl.col("size"))).to_series()


def _of_counts(
    sessions: Sessions,
    units: NDArray[np.int64],
    usual: UsualCounts,
    names: Mapping[int, str],
    events: NDArray[np.int64],
) -> _Unusual:
    """What is unusual about the counts of units, found once for equal sequences that one event decided."""
    pairs = sessions.distinct.inverse[units].astype(np.int64) * (int(events.max(initial=0)) + 2) + events + 1
    kinds = distinct_codes(pairs)
    return _Unusual(usual.explained(sessions.take(units[kinds.first]), names, events[kinds.first]), kinds.inverse)


def _spread(said: pl.Series, rows: Any, size: int) -> pl.Series:
    """A column of `size` rows, null but at `rows`."""
    if said.null_count() == len(said):
        return pl.Series(said.name, [None], dtype=said.dtype).new_from_index(0, size)
    places = np.full(size, len(said), dtype=np.uint32)
    places[rows] = np.arange(len(said))
    return said.append(pl.Series(said.name, [None], dtype=said.dtype)).gather(places)


def names_of(templates: pl.DataFrame) -> dict[int, str]:
    """Template of each key of a `templates_frame`."""
    return dict(zip(templates["key"], templates["template"], strict=True))


def templates_frame(grouped: GroupedLines, vocabulary: Vocabulary) -> pl.DataFrame:
    """Template of each key, known keys first: `key` (Int32), `template` (String), `known` (Boolean).

    A key outside the vocabulary has its masked message as template.
    """
    known = pl.DataFrame({"key": range(vocabulary.size), "template": vocabulary.templates, "known": True},
                         schema={"key": pl.Int32, "template": pl.String, "known": pl.Boolean})  # fmt: skip
    keys = vocabulary.lookup(grouped.messages)
    others = pl.DataFrame({"key": keys, "template": shown(grouped.messages), "known": False})
    return pl.concat([known, others.filter(pl.col("key") >= vocabulary.size)])
