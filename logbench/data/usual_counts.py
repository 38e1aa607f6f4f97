"""How often training units have each key, and in which keys other units are farthest from that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.array_files import load_arrays, save_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .sessions import Sessions

# Share of the units that a usual range leaves out on each side.
RARE = 0.005
# Reasons that are said of a unit, and events that show them.
MOST = 3


@dataclass(frozen=True)
class Explained:
    """What is unusual about a unit.

    Attributes:
        why: a line a reason, the farthest first.
        events: places within the unit that show the reasons, in their order; one at least, unless it is empty.
    """

    why: str
    events: Sequence[int]


@dataclass(frozen=True)
class UsualCounts:
    """How many training units have how many events of each key: `UsualCounts.of(train)`.

    Attributes:
        frame: columns `key` (Int32), `count` (Int64, from 1) and `units` (Int64), sorted by key and count.
        total: training units, with those that have none of a key.
    """

    frame: pl.DataFrame
    total: int

    @classmethod
    def of(cls, train: Sessions) -> UsualCounts:
        """Count the keys of training units; equal sequences are counted once."""
        distinct = train.distinct
        unit, key, count = _counted(train.take(distinct.first))
        rows = pl.DataFrame({"key": key.astype(np.int32), "count": count, "units": distinct.counts[unit]})
        frame = rows.group_by("key", "count").agg(pl.col("units").sum().cast(pl.Int64)).sort("key", "count")
        return cls(frame, len(train))

    def save(self, file: Path) -> None:
        """Write an npz file, for `load`."""
        columns = {name: self.frame[name].to_numpy() for name in self.frame.columns}
        save_arrays(file, **columns, total=self.total)

    @classmethod
    def load(cls, file: Path) -> UsualCounts:
        """The counts that `save` wrote.

        Raises:
            DataError: the file is missing or damaged.
        """
        columns = load_arrays(file, key="int32 [rows]", count="int64 [rows]", units="int64 [rows]", total="int64")
        total = columns.pop("total")
        return cls(pl.DataFrame(columns).sort("key", "count"), total)

    def explained(
        self, sessions: Sessions, names: Mapping[int, str], deciding: NDArray[np.int64] | None = None
    ) -> list[Explained]:
        """What is unusual about each unit: keys whose counts are outside the range of nearly all training units.

        A count is as far from training as few units have one as large (or as small), and farther the more it
        exceeds the largest (or falls short of the smallest) of them.

            >>> train = Sessions.of([[0, 1]] * 99 + [[0, 0, 1]], 2, templates=("open", "close"))
            >>> odd = Sessions.of([[0, 0, 0, 0, 1]], 2, templates=("open", "close"))
            >>> UsualCounts.of(train).explained(odd, {0: "open", 1: "close"})
            [Explained(why='4 against usually 1–2: open', events=[0])]

        Args:
            names: template of each key, unseen ones too.
            deciding: int64 [units], the event that decided each, −1 for none; its key is said first.
        """
        outside = self._outside(sessions)
        if deciding is not None and len(sessions.keys):
            at = np.minimum(sessions.offsets[:-1] + np.maximum(deciding, 0), len(sessions.keys) - 1)
            own = np.where(deciding >= 0, sessions.keys[at], -1)
            outside = outside.with_columns(first=pl.Series(own[outside["unit"].to_numpy()]) == outside["key"])
        else:
            outside = outside.with_columns(first=pl.lit(False))
        order = ["unit", "first", "far", "key"]
        outside = outside.sort(order, descending=[False, True, True, False])
        reasons: list[list[dict[str, Any]]] = [[] for _ in range(len(sessions))]
        for row in outside.group_by("unit", maintain_order=True).head(MOST).iter_rows(named=True):
            reasons[row["unit"]].append(row)
        rarest = self._rarest(sessions)
        return [
            self._said(sessions.keys[begin:end], reasons[unit], int(rarest[unit]), names)
            for unit, (begin, end) in enumerate(zip(sessions.offsets[:-1], sessions.offsets[1:], strict=True))
        ]

    def _said(
        self, keys: NDArray[np.int32], reasons: Sequence[Mapping[str, Any]], rarest: int, names: Mapping[int, str]
    ) -> Explained:
        """What is unusual about a unit of these keys."""
        lines = [_sentence(names.get(row["key"], ""), row, self.total) for row in reasons]
        events = [int(np.argmax(keys == row["key"])) for row in reasons if row["count"]]
        if len(keys) and not lines:
            share = _share(int(self.having(keys[[rarest]])[0]), self.total)
            lines = [f"each count is usual; the rarest, {share}: {names.get(int(keys[rarest]), '')}"]
        return Explained("\n".join(lines), events or [rarest] * bool(len(keys)))

    def having(self, keys: NDArray[Any]) -> NDArray[np.int64]:
        """Training units that have each of some keys, int64 [keys]."""
        begin, end = self._places(keys)
        return np.asarray(self._before[end] - self._before[begin])

    def _rarest(self, sessions: Sessions) -> NDArray[np.int64]:
        """The first event of each unit whose key the fewest training units have, int64 [units]; 0 for no event."""
        order = np.lexsort((self.having(sessions.keys), sessions.units))
        found, some = np.zeros(len(sessions), dtype=np.int64), np.flatnonzero(sessions.lengths)
        found[some] = order[sessions.offsets[:-1][some]] - sessions.offsets[:-1][some]
        return found

    def _outside(self, sessions: Sessions) -> pl.DataFrame:
        """Counts outside the usual range, those of keys that a unit lacks among them.

        Returns:
            `unit`, `key`, `count`, the usual range `low` to `high`, `having` (training units that have the key),
            and `far` (Float64, how far it is from training, in nats).
        """
        unit, key, count = _counted(sessions)
        usual = self._ranges
        always = usual.filter(pl.col("low") > 0)["key"].to_numpy()
        lacks = np.ones((len(sessions), len(always)), dtype=bool)
        there = np.flatnonzero(np.isin(key, always))
        lacks[unit[there], np.searchsorted(always, key[there])] = False
        more_units, more_keys = np.nonzero(lacks)
        unit, key = np.concatenate([unit, more_units]), np.concatenate([key, always[more_keys]]).astype(np.int32)
        count = np.concatenate([count, np.zeros(len(more_units), dtype=np.int64)])
        at_least, at_most = self._shares(key, count)
        rows = pl.DataFrame(
            {"unit": unit, "key": key, "count": count, "having": self.having(key)}
            | {"at_least": at_least, "at_most": at_most}
        )
        above, count_, total = pl.col("count") > pl.col("high"), pl.col("count") + 1.0, self.total + 1.0
        beyond = (pl.when(above).then("at_least").otherwise("at_most") + 0.5) / total
        extreme = pl.when(above).then(count_ / (pl.col("most") + 1)).otherwise((pl.col("least") + 1) / count_)
        return (
            rows.join(usual, on="key", how="left")
            .with_columns(pl.col("low", "high", "least", "most").fill_null(0))
            .filter(above | (pl.col("count") < pl.col("low")))
            .with_columns(far=pl.max_horizontal(extreme, 1.0).log() - beyond.log())
        )

    def _shares(self, key: NDArray[Any], count: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Training units with at least, and with at most, as many events of a key; int64 [asked] each."""
        known = self.frame["count"].to_numpy()
        width = int(max(known.max(initial=0), count.max(initial=0))) + 2
        table = self.frame["key"].to_numpy().astype(np.int64) * width + known
        _, end = self._places(key)
        asked = key.astype(np.int64) * width + count
        at_least = self._before[end] - self._before[np.searchsorted(table, asked)]
        above = self._before[end] - self._before[np.searchsorted(table, asked, side="right")]
        return np.where(count > 0, at_least, self.total), self.total - above

    def _places(self, keys: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the rows of keys begin and end."""
        table = self.frame["key"].to_numpy()
        return np.searchsorted(table, keys), np.searchsorted(table, keys, side="right")

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """Units of all rows before each, int64 [rows + 1]."""
        return np.concatenate([[0], np.cumsum(self.frame["units"].to_numpy())]).astype(np.int64)

    @cached_property
    def _ranges(self) -> pl.DataFrame:
        """Of each key that training has: `low` and `high`, between which nearly all units are, `least`, `most`."""
        rare, none = RARE * self.total, self.total - pl.col("units").sum()
        upto = pl.col("units").cum_sum() + none  # units with at most this count
        least, most = pl.col("count").filter(upto > rare), pl.col("count").filter(upto >= self.total - rare)
        return (
            self.frame.group_by("key", maintain_order=True)
            .agg(
                low=pl.when(none > rare).then(0).otherwise(least.first()),
                high=pl.when(none >= self.total - rare).then(0).otherwise(most.first()),
                least=pl.when(none > 0).then(0).otherwise(pl.col("count").min()),
                most=pl.col("count").max(),
            )
            .with_columns(pl.col("low", "high", "least", "most").cast(pl.Int64))
        )


def _counted(sessions: Sessions) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Unit, key and count of each key of each unit, int64 [pairs] each, by unit."""
    width = int(sessions.keys.max(initial=0)) + 1
    pairs, counts = np.unique(sessions.units.astype(np.int64) * width + sessions.keys, return_counts=True)
    return pairs // width, pairs % width, counts.astype(np.int64)


def _sentence(name: str, row: Mapping[str, Any], total: int) -> str:
    count, low, high = row["count"] or "none", row["low"], row["high"]
    if not row["having"]:
        return f"{count}, never in training: {name}"
    if not high:
        return f"{count}, {_share(row['having'], total)}: {name}"
    usual = f"usually {low:,}" if low == high else f"usually {low:,}–{high:,}"
    return f"{count} against {usual}: {name}"


def _share(units: int, total: int) -> str:
    percent = 100 * units / max(total, 1)
    return f"in {percent:.0f}% of training units" if percent >= 10 else f"in {percent:.2g}% of training units"
