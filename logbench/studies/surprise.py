"""Rank the units of one log against each other: how surprising are their counts, their order and their pace?

For a log without labels that is looked at once. No unit is normal for sure, so each is compared with all others
but those near it in time, since an incident goes on for some units. What is counted are keys and, in sessions,
pairs of keys that follow each other. A count is as surprising as the negative log-probability of one at least as
large (or, of keys that nearly every unit has, at most as large) by a negative binomial fitted to the others.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.failure_words import FAILURE
from .durations import slowness
from .others import Others

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions

# Surprise, in nats, that counts for nothing: some key of a unit is always this rare.
USUAL = 3.0
# Nats that words of failure add where a key is surprising.
WORDS = 1.5
# Nats that a key adds which no other unit has, where at most this share of the units has such a key.
NEW, FEW_NEW = 1.5, 0.03
# Share of the units that a key must be in for its absence to tell, and units next to one that are left aside.
NEARLY_ALL, NEAR = 0.9, 5


@dataclass(frozen=True)
class Reason:
    """What makes a unit surprising.

    Attributes:
        what: `count`, `absent`, `absent twice` (in two windows), `few` (events), `order`, `pace`, or `slow`, where
            `here` is how many times as long as usual its slowest event took.
        keys: the key, or the two of a pair.
        here, usual: its count (or seconds), and the mean of the other units.
        surprise: nats.
        event: the one that shows it; −1: the keys tell.
    """

    what: str
    keys: tuple[int, ...]
    here: float
    usual: float
    surprise: float
    event: int = -1


@dataclass(frozen=True)
class Ranking:
    """Scores of units, higher = more surprising.

    Attributes:
        scores: float64 [units], nats.
        reasons: of each unit, the most surprising first, three at most.
    """

    scores: NDArray[np.float64]
    reasons: list[list[Reason]]


def rank(sessions: Sessions, order: bool, told: NDArray[np.float64] | None = None) -> Ranking:
    """Rank units that are in order of time.

    Args:
        order: whether keys that follow each other belong together, as in sessions.
        told: durations that lines tell, see `durations_of`.
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
            _pace(found, sessions, None)
    _new(found)
    if not order:
        lengths = sessions.lengths.astype(np.float64)
        _fewer(found, None, np.arange(units), lengths, units, min(NEAR, units // 20), True)
        _two_by_two(found, of_event, sessions.keys.astype(np.int64))
        if sessions.times is not None:
            _pace(found, sessions, np.argsort(sessions.times, kind="stable"))
    if told is not None:
        _slow(found, sessions, told)
    return Ranking(found.scores, [sorted(some, key=lambda one: -one.surprise)[:3] for some in found.reasons])


def _new(found: _Found) -> None:
    """Add to the surprise of keys that only one unit and those near it have, where few units have such."""
    new = [
        unit
        for unit, reasons in enumerate(found.reasons)
        if any(one.what == "count" and not one.usual for one in reasons)
    ]
    if len(new) <= max(FEW_NEW * len(found.scores), 1):
        for unit in new:
            found.scores[unit] += NEW


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
        others = Others(at, c, units, near)
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
    found: _Found,
    number: int | None,
    at: NDArray[np.int64],
    c: NDArray[np.float64],
    units: int,
    near: int,
    both: bool,
) -> None:
    """Add the surprise of units that have less of a key (None: fewer events) than nearly all others.

    The first unit and the last may be cut, so that they do not count.
    """
    whole = np.zeros(units)
    whole[at] = c
    everyone = np.arange(units)
    others = Others(everyone, whole, units, near)
    few = everyone if both else np.flatnonzero(whole == 0)
    surprise = others.less(whole)
    for unit in few[surprise[few] > USUAL]:
        if 0 < unit < units - 1:
            what, keys = ("few", ()) if number is None else ("absent", (number,))
            reason = Reason(what, keys, float(whole[unit]), float(others.mean[unit]), float(surprise[unit]))
            found.add(int(unit), reason, float(surprise[unit]) - USUAL)


def _two_by_two(found: _Found, of_event: NDArray[np.int64], keys: NDArray[np.int64]) -> None:
    """Add the surprise of keys that are absent from two windows in a row, which one alone may lack by chance."""
    units = len(found.scores)
    for shift in (0, 1):
        pairs = _Found((units + shift + 1) // 2)
        _counts(pairs, (of_event + shift) // 2, keys, None, "count", lambda key: (key,), True)
        for pair, reasons in enumerate(pairs.reasons):
            first = max(2 * pair - shift, 0)
            for reason in reasons:
                if reason.what != "absent" or first + 1 >= units:
                    continue
                for unit in (first, first + 1):
                    more = reason.surprise - max(
                        [USUAL, *(one.surprise for one in found.reasons[unit] if _same(one, reason))]
                    )
                    if more > 0:
                        found.reasons[unit] = [one for one in found.reasons[unit] if not _same(one, reason)]
                        found.add(unit, dataclasses.replace(reason, what="absent twice"), more)


def _slow(found: _Found, sessions: Sessions, told: NDArray[np.float64]) -> None:
    """Add the surprise of units whose events took longer than others of their keys."""
    z, longer = slowness(sessions, told)
    for unit in np.flatnonzero(z > 4.0):
        begin, end = sessions.offsets[unit], sessions.offsets[unit + 1]
        event = int(begin + np.nanargmax(longer[begin:end]))
        value = float(min(z[unit] ** 2 / 2, 25.0))
        key, times = (int(sessions.keys[event]),), float(np.exp(longer[event]))
        found.add(int(unit), Reason("slow", key, times, 1.0, value, event), value - USUAL)


def _same(one: Reason, other: Reason) -> bool:
    return one.keys == other.keys and one.what.startswith("absent") and other.what.startswith("absent")


def _pace(found: _Found, sessions: Sessions, by_time: NDArray[np.int64] | None) -> None:
    """Add the surprise of units in which no line comes for much longer than in others.

    Args:
        by_time: the events in order of time, in which a wait also goes from one unit to the next, which then ends
            it; None: only within units.
    """
    assert sessions.times is not None
    times = sessions.times.astype(np.float64) / 1e6
    unit = np.repeat(np.arange(len(sessions)), sessions.lengths)
    steps = np.zeros(len(times))
    if by_time is None:
        steps[1:] = np.where(unit[1:] == unit[:-1], np.abs(np.diff(times)), 0.0)
    else:
        steps[by_time[1:]] = np.diff(times[by_time])
    has = np.flatnonzero(sessions.lengths > (1 if by_time is None else 0))
    if len(has) < 20:
        return
    longest = np.maximum.reduceat(steps, sessions.offsets[:-1][has])
    seconds = np.log1p(longest)
    middle = float(np.median(seconds))
    scale = 1.4826 * float(np.median(np.abs(seconds - middle))) + 0.1
    z = (seconds - middle) / scale
    for place in np.flatnonzero(z > 4.0):
        value = float(min(z[place] ** 2 / 2, 25.0))
        reason = Reason("pace", (), float(longest[place]), float(np.expm1(middle)), value)
        found.add(int(has[place]), reason, value - USUAL)
