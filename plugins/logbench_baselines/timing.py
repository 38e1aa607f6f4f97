"""Inter-arrival times outside their training range (Landauer et al., FSE 2024, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from logbench import IncompatibleError, Scores

from .common import NpzState, first_true, in_blocks, lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logbench import Context, Sessions


class Timing(NpzState):
    """Score: share of a unit's consecutive event pairs whose time apart lies outside that pair's training range.

    A pair that training never showed has no range and cannot alarm: that is what n-grams are for.
    """

    kept: Mapping[str, str] = {
        "pairs": "int64 [pairs]",
        "least": "int64 [pairs]",
        "most": "int64 [pairs]",
    }

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Keep the shortest and longest time between the events of each pair, in microseconds.

        Raises:
            IncompatibleError: the units have no times.
        """
        extremes = (pl.col("apart").min().alias("least"), pl.col("apart").max().alias("most"))
        parts = [_pairs(units)[0].group_by("code").agg(*extremes) for units in in_blocks(train)]
        ranges = pl.concat(parts).group_by("code").agg(pl.col("least").min(), pl.col("most").max()).sort("code")
        self.pairs, self.least, self.most = (ranges[name].to_numpy() for name in ("code", "least", "most"))
        return {"pairs": len(self.pairs)}

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; the deciding event is the second of the first pair outside its range."""
        parts = [self._scored(units) for units in in_blocks(sessions)]
        score, event = (np.concatenate(column) for column in list(zip(*parts, strict=True))[:2])
        pairs = sum(part[2] for part in parts)
        return Scores(score, event, ignoring=score, ignoring_event=event, facts={"pairs": pairs})

    def _scored(self, sessions: Sessions) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
        """Score and deciding event of each unit, and how many pairs there are."""
        found, second = _pairs(sessions)
        code, apart = found["code"].to_numpy(), found["apart"].to_numpy()
        wide = np.iinfo(np.int64)
        hits = apart < lookup(self.pairs, self.least, code, wide.min)
        hits |= apart > lookup(self.pairs, self.most, code, wide.max)
        units = sessions.units[second]
        count = np.bincount(units[hits], minlength=len(sessions))
        first = first_true(hits, units, len(sessions))
        score = count / np.maximum(sessions.lengths - 1, 1)
        at = np.append(second, 0)[first]  # −1 takes the 0 at the end, then is masked
        return score, np.where(first < 0, -1, at - sessions.offsets[:-1]), len(second)


def _pairs(sessions: Sessions) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """Consecutive events of units: `code` of both keys, `apart` (Int64, µs), and index of the second event."""
    if sessions.times is None:
        raise IncompatibleError("timing needs times, but these units have none")
    second = np.flatnonzero(sessions.units[1:] == sessions.units[:-1]) + 1
    keys = sessions.clipped_keys.astype(np.int64)
    code = keys[second - 1] * (sessions.vocabulary + 1) + keys[second]
    return pl.DataFrame({"code": code, "apart": sessions.times[second] - sessions.times[second - 1]}), second
