"""Rank the units of one log against each other: how surprising are their counts, their order and their pace?

For a log without labels that is looked at once. No unit is normal for sure, so each is compared with all others
but those near it in time, since an incident goes on for some units. What is counted are keys and, in sessions,
pairs of keys that follow each other. A count is as surprising as the negative log-probability of one at least as
large (or, of keys that nearly every unit has, at most as large) by a negative binomial fitted to the others.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import nbinom, poisson

from ..data.failure_words import FAILURE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions

# Surprise, in nats, that counts for nothing: some key of a unit is always this rare.
USUAL = 3.0
# Nats that words of failure add where a key is surprising.
WORDS = 1.5
# Share of the units that a key must be in for its absence to tell, and units next to one that are left aside.
NEARLY_ALL, NEAR = 0.9, 5


@dataclass(frozen=True)
class Reason:
    """What makes a unit surprising.

    Attributes:
        what: `count`, `absent`, `order` or `pace`.
        keys: the key, or the two of a pair.
        here, usual: its count (or seconds), and the mean of the other units.
        surprise: nats.
    """

    what: str
    keys: tuple[int, ...]
    here: float
    usual: float
    surprise: float


@dataclass(frozen=True)
class Ranking:
    """Scores of units, higher = more surprising.

    Attributes:
        scores: float64 [units], nats.
        reasons: of each unit, the most surprising first, three at most.
    """

    scores: NDArray[np.float64]
    reasons: list[list[Reason]]


def rank(sessions: Sessions, order: bool) -> Ranking:
    """Rank units that are in order of time.

    Args:
        order: whether keys that follow each other belong together, as in sessions.
    """
    units = len(sessions)
    of_event = np.repeat(np.arange(units), sessions.lengths)
    found = _Found(units)
    failing = np.array([bool(FAILURE.search(text)) for text in sessions.templates], dtype=bool)
    width = int(sessions.keys.max(initial=0)) + 1
    bonus = np.zeros(width)
    bonus[: min(width, len(failing))] = WORDS * failing[:width]
    _counts(found, of_event, sessions.keys.astype(np.int64), bonus, "count", lambda key: (key,), not order)
    if order and units > 2:
        before, after, at = _pairs(sessions, of_event, width)
        pair = before * (width + 1) + after
        _counts(
            found,
            at,
            pair,
            None,
            "order",
            lambda key: (key // (width + 1) - 1, key % (width + 1)),
            False,
            usual=USUAL + 1,
        )
        if sessions.times is not None:
            _pace(found, sessions)
    return Ranking(found.scores, [sorted(some, key=lambda one: -one.surprise)[:3] for some in found.reasons])


class _Found:
    def __init__(self, units: int) -> None:
        self.scores = np.zeros(units)
        self.reasons: list[list[Reason]] = [[] for _ in range(units)]

    def add(self, unit: int, reason: Reason, more: float) -> None:
        self.scores[unit] += more
        self.reasons[unit].append(reason)


def _pairs(sessions: Sessions, of_event: NDArray[np.int64], width: int) -> tuple[NDArray[np.int64], ...]:
    """Keys that follow each other within a unit, from 1 and from 0, and their unit; begin is 0, end `width`."""
    keys = sessions.keys.astype(np.int64)
    first, last = sessions.offsets[:-1], sessions.offsets[1:] - 1
    has = sessions.lengths > 0
    before = np.concatenate([[0], keys[:-1] + 1])
    before[first[has]] = 0
    ends = keys[last[has]] + 1
    return (
        np.concatenate([before, ends]),
        np.concatenate([keys, np.full(len(ends), width)]),
        np.concatenate([of_event, np.flatnonzero(has)]),
    )


def _counts(
    found: _Found,
    unit: NDArray[np.int64],
    key: NDArray[np.int64],
    bonus: NDArray[np.float64] | None,
    what: str,
    keys_of: object,
    both: bool,
    usual: float = USUAL,
) -> None:
    """Add the surprise of how often each key stands in each unit.

    Args:
        both: few of a key that nearly all units have are surprising, too; without, only that none is there.
    """
    units = len(found.scores)
    near = min(NEAR, units // 20)
    pair, counts = np.unique(key * units + unit, return_counts=True)
    of_key, of_unit = pair // units, pair % units
    starts = np.concatenate([[0], np.flatnonzero(np.diff(of_key)) + 1, [len(pair)]])
    for begin, end in itertools.pairwise(starts):
        if begin == end:
            continue
        number, at, c = int(of_key[begin]), of_unit[begin:end], counts[begin:end].astype(np.float64)
        others = _Others(at, c, units, near)
        surprise = others.more(at, c)
        extra = 0.0 if bonus is None else float(bonus[number])
        for place in np.flatnonzero(surprise > usual):
            value = float(surprise[place]) + extra
            names = keys_of(number)  # type: ignore[operator]
            reason = Reason(what, names, float(c[place]), float(others.mean[place]), value)
            found.add(int(at[place]), reason, value - usual)
        if len(at) >= NEARLY_ALL * units and what == "count":
            _fewer(found, number, at, c, units, near, both)


def _fewer(
    found: _Found, number: int, at: NDArray[np.int64], c: NDArray[np.float64], units: int, near: int, both: bool
) -> None:
    """Add the surprise of units that have less of a key than nearly all others; the first and last may be cut."""
    whole = np.zeros(units)
    whole[at] = c
    everyone = np.arange(units)
    others = _Others(everyone, whole, units, near)
    few = everyone if both else np.flatnonzero(whole == 0)
    surprise = others.less(whole)
    for unit in few[surprise[few] > USUAL]:
        if 0 < unit < units - 1:
            reason = Reason(
                "absent", (number,), float(whole[unit]), float(others.mean[unit]), float(surprise[unit])
            )
            found.add(int(unit), reason, float(surprise[unit]) - USUAL)


class _Others:
    """Of a key, what the units say that are not near each of some units.

    Attributes:
        mean: mean count of the others, zeros among them.
    """

    def __init__(self, at: NDArray[np.int64], c: NDArray[np.float64], units: int, near: int) -> None:
        low, high = np.searchsorted(at, at - near), np.searchsorted(at, at + near, side="right")
        self.n = units - (np.minimum(at + near, units - 1) - np.maximum(at - near, 0) + 1)
        self.n = np.maximum(self.n, 1)

        def outside(values: NDArray[np.float64]) -> NDArray[np.float64]:
            sums = np.concatenate([[0.0], np.cumsum(values)])
            return np.asarray(sums[-1] - (sums[high] - sums[low]))

        there = outside((c > 0).astype(np.float64))
        total, squares = outside(c), outside(c * c)
        self.present = (there + 0.5) / (self.n + 1.0)
        self.mean = total / self.n
        # Of the units that have it, how much they have above one; where no other has it, as if one had one more.
        self.above = np.where(there > 0, (total - there + 0.5) / np.maximum(there + 0.5, 1), 1.0)
        second = squares - 2 * total + there  # sum of (c − 1)²
        self.spread = np.where(
            there > 1, second / np.maximum(there, 1) - (total - there) ** 2 / np.maximum(there, 1) ** 2, 0
        )

    def more(self, at: NDArray[np.int64], c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Surprise of a count at least as large."""
        there = np.minimum(self.present, 1.0)
        return np.asarray(-np.log(there) - _tail(c - 2, self.above, self.spread, upper=True))

    def less(self, c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Surprise of a count at most as large."""
        none = 1 - np.minimum(self.present, 1 - 0.5 / (self.n + 1))
        some = _tail(c - 1, self.above, self.spread, upper=False)
        return np.asarray(-np.log(np.where(c > 0, none + (1 - none) * np.exp(some), none)))


def _tail(
    value: NDArray[np.float64], mean: NDArray[np.float64], variance: NDArray[np.float64], upper: bool
) -> NDArray[np.float64]:
    """Log-probability of more than (or at most) a value: negative binomial or, where spread is small, Poisson."""
    wide = variance > 1.05 * mean
    size = mean**2 / np.maximum(variance - mean, 1e-9)
    share = np.clip(size / (size + mean), 1e-12, 1 - 1e-12)
    if upper:
        found = np.where(wide, nbinom.logsf(value, size, share), poisson.logsf(value, mean))
    else:
        found = np.where(wide, nbinom.logcdf(value, size, share), poisson.logcdf(value, mean))
    return np.where(np.isfinite(found), found, -700.0)


def _pace(found: _Found, sessions: Sessions) -> None:
    """Add the surprise of units that take much longer than others, or stand still for much longer."""
    assert sessions.times is not None
    has = np.flatnonzero(sessions.lengths > 1)
    if len(has) < 20:
        return
    times = sessions.times.astype(np.float64) / 1e6
    steps = np.concatenate([np.diff(times), [0.0]])
    steps[sessions.offsets[1:] - 1] = 0.0
    longest = np.maximum.reduceat(np.abs(steps), sessions.offsets[:-1][has])
    seconds = np.log1p(longest)
    middle = float(np.median(seconds))
    scale = 1.4826 * float(np.median(np.abs(seconds - middle))) + 0.1
    z = (seconds - middle) / scale
    for place in np.flatnonzero(z > 4.0):
        value = float(min(z[place] ** 2 / 2, 25.0))
        reason = Reason("pace", (), float(longest[place]), float(np.expm1(middle)), value)
        found.add(int(has[place]), reason, value - USUAL)
