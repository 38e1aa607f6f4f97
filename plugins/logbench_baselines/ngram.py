"""n-grams unseen in training (Landauer et al., FSE 2024, section 3; stide: Forrest et al., S&P 1996)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from logbench import Scores, Sessions

from .common import BLOCK, NpzState, first_true

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from logbench import Context, Histories

    from . import NGramConfig


class NGram(NpzState):
    """Pads units by one mark at either end; an n-gram is a mismatch if no training unit has it.

    Score, `measure = "first"`: 0 without a mismatch, else 1 / (n (L − n / 2)) at padded length L, as published
    (its scaling by the test set's maximum is left out: it changes no order). `share`: mismatches per n-gram.
    A unit with fewer than n − 2 events has no n-gram and scores 0.
    """

    kept: Mapping[str, str] = {"grams": "int32 [grams, n]"}

    def __init__(self, config: NGramConfig) -> None:
        self.config = config

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Keep the distinct n-grams."""
        grams = padded(train.take(train.distinct.first)).histories(self.config.n - 1)
        codes = _codes(grams, grams.vocabulary)
        self.grams = grams.distinct_windows if codes is None else _unpacked(codes, self.config.n, grams.vocabulary)
        return {"ngrams": len(self.grams)}

    def fault(self) -> str:
        """The n-grams are as long as the option says."""
        return "" if self.grams.shape[1] == self.config.n else f"its n-grams have {self.grams.shape[1]} events"

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; decided by the last event of the first mismatch.

        `ignoring` counts no n-gram with an unseen event. The n-gram with the mark at the end is the last event's.
        """
        grams = padded(sessions).histories(self.config.n - 1)
        miss, distinct = self._missed(grams)
        primary, event = ignoring, ignoring_event = self._measured(miss, grams, sessions)
        if sessions.unseen.any():
            strange = np.concatenate([[0], np.cumsum(grams.keys > sessions.vocabulary, dtype=np.int64)])
            known = strange[grams.starts + self.config.n] == strange[grams.starts]
            ignoring, ignoring_event = self._measured(miss & known, grams, sessions)
        return Scores(
            primary,
            event,
            ignoring,
            ignoring_event,
            facts={"ngrams": distinct},
            events=self._of_events(miss, grams, sessions) if context.events else None,
        )

    def _missed(self, grams: Histories) -> tuple[NDArray[np.bool_], int]:
        """Which n-grams no training unit has, bool [n-grams], and how many distinct ones there are."""
        base = max(grams.vocabulary, int(self.grams.max(initial=0)) + 1)
        codes = _codes(grams, base)
        if codes is None:
            return ~among(grams.distinct_windows, self.grams)[grams.distinct.inverse], len(grams.distinct)
        known = _packed(self.grams.T.astype(np.uint64), base)
        found = pl.DataFrame({"code": codes}).select(
            miss=~pl.col("code").is_in(pl.Series(known).implode()), distinct=pl.col("code").n_unique()
        )
        return found["miss"].to_numpy(), int(found["distinct"][0]) if len(found) else 0

    def _of_events(self, miss: NDArray[np.bool_], grams: Histories, units: Sessions) -> NDArray[np.float64]:
        """1 if an n-gram that ends with the event is a mismatch, else 0; −∞ if no n-gram ends there."""
        result = np.full(len(units.keys), -np.inf)
        some = np.flatnonzero(units.lengths[grams.units])  # two marks alone end with no event
        of = grams.units[some]
        within = some - grams.offsets[:-1][of] + self.config.n - 2
        at = units.offsets[:-1][of] + np.minimum(within, units.lengths[of] - 1)
        np.maximum.at(result, at, miss[some].astype(np.float64))
        return result

    def _measured(
        self, miss: NDArray[np.bool_], grams: Histories, units: Sessions
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        n, size = self.config.n, len(units)
        first = first_true(miss, grams.units, size)
        if self.config.measure == "share":
            score = np.bincount(grams.units[miss], minlength=size) / np.maximum(np.diff(grams.offsets), 1)
        else:
            score = (first >= 0) / (n * np.maximum(units.lengths + 2 - n / 2, 0.5))
        return score.astype(np.float64), _end(first, grams, units, n)


def _end(first: NDArray[np.int64], grams: Histories, sessions: Sessions, n: int) -> NDArray[np.int64]:
    """Index in its unit of the last true event of n-gram `first[unit]`, int64 [units]; −1 where `first` is."""
    within = first - grams.offsets[:-1] + n - 2  # one mark stands before the events
    return np.where(first < 0, -1, np.minimum(within, sessions.lengths - 1))


def padded(sessions: Sessions) -> Sessions:
    """Units with a mark (key 0) at either end and every key one higher; unseen keys become one key."""
    size = len(sessions)
    offsets = sessions.offsets + 2 * np.arange(size + 1)
    keys = np.zeros(int(offsets[-1]), dtype=np.int32)
    keys[np.arange(len(sessions.keys)) + 2 * sessions.units.astype(np.int64) + 1] = sessions.clipped_keys + 1
    return Sessions(keys=keys, offsets=offsets, vocabulary=sessions.vocabulary + 2, ids=sessions.ids)


def _codes(grams: Histories, base: int) -> NDArray[np.uint64] | None:
    """Each n-gram as one number, uint64 [n-grams]; None where 64 bits do not hold it. Keys are below `base`."""
    n = grams.h + 1
    if base**n > 1 << 64:
        return None
    codes = np.empty(len(grams), dtype=np.uint64)
    for begin in range(0, len(grams), BLOCK):
        starts = grams.starts[begin : begin + BLOCK]
        first, size = int(starts[0]), int(starts[-1] - starts[0]) + 1
        columns = (grams.keys[at : at + size].astype(np.uint64) for at in range(first, first + n))
        codes[begin : begin + BLOCK] = _packed(columns, base)[starts - first]
    return codes


def _packed(columns: Iterable[NDArray[np.uint64]], base: int) -> NDArray[np.uint64]:
    """The keys of n-grams, a column an event, as one number each."""
    first, *others = columns
    codes = first.copy()
    for column in others:
        codes *= np.uint64(base)
        codes += column
    return codes


def _unpacked(codes: NDArray[np.uint64], n: int, base: int) -> NDArray[np.int32]:
    """The distinct n-grams of these numbers, in ascending order, int32 [distinct, n]."""
    left = pl.Series(codes).unique().sort().to_numpy()
    grams = np.empty((len(left), n), dtype=np.int32)
    for at in reversed(range(n)):
        left, grams[:, at] = np.divmod(left, np.uint64(base))
    return grams


def among(rows: NDArray[np.int32], known: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which of `rows` are in `known`, bool [rows]; both int32 [.., n], `known` distinct."""
    names = [f"k{i}" for i in range(known.shape[1])]
    table = pl.DataFrame(known, schema=names, orient="row").with_columns(known=pl.lit(True))
    found = pl.DataFrame(rows, schema=names, orient="row").join(table, on=names, how="left", maintain_order="left")
    return found["known"].fill_null(False).to_numpy()
