"""Units of one log in the order of their scores, each with the lines that show why and the reasons in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .surprise import Reason, rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions

# Lines of a unit that are shown.
LINES = 2


@dataclass(frozen=True)
class Ranked:
    """Scores, and of each unit by its index why it scores high.

    Attributes:
        scores: float64 [units], higher = more anomalous; −∞ where there is none.
        lines: numbers of the lines that show why, at least one.
        why: sentences.
        template: of the first of those lines, None where it is not known.
    """

    scores: NDArray[np.float64]
    lines: Callable[[int], list[int]]
    why: Callable[[int], list[str]]
    template: Callable[[int], str | None]


def by_surprise(sessions: Sessions, order: bool, told: NDArray[np.float64] | None = None) -> Ranked:
    """Each unit against the others, see `surprise.rank`."""
    ranking = rank(sessions, order, told)
    assert sessions.lines is not None
    numbers = sessions.lines

    def events(unit: int) -> list[int]:
        return _telling(unit, sessions, ranking.reasons[unit])

    return Ranked(
        ranking.scores,
        lambda unit: [int(numbers[event]) for event in events(unit)],
        lambda unit: [_said(reason, sessions.templates) for reason in ranking.reasons[unit]],
        lambda unit: _template(sessions, int(sessions.keys[events(unit)[0]])),
    )


def by_model(units: pl.DataFrame, sessions: Sessions) -> Ranked:
    """By the scores of a model, see `cross_scores`."""
    assert sessions.lines is not None
    last = sessions.lines[sessions.offsets[1:] - 1]

    def lines(unit: int) -> list[int]:
        decided, telling = units["line"][unit], units["telling"][unit]
        found = [*([] if decided is None else [decided]), *([] if telling is None else telling.to_list())]
        return sorted(dict.fromkeys(found[:LINES])) or [int(last[unit])]

    def why(unit: int) -> list[str]:
        said: str | None = units["why"][unit]
        return said.splitlines() if said else []

    def template(unit: int) -> str | None:
        key: int | None = units["key"][unit]
        return None if key is None else _template(sessions, key)

    return Ranked(units["score"].fill_null(-np.inf).to_numpy(), lines, why, template)


def _template(sessions: Sessions, key: int) -> str | None:
    return sessions.templates[key] if key < len(sessions.templates) else None


def _telling(unit: int, sessions: Sessions, reasons: Sequence[Reason]) -> list[int]:
    """The events that show a unit's first reasons, in order; its last one where nothing is there to be shown."""
    begin, end = int(sessions.offsets[unit]), int(sessions.offsets[unit + 1])
    keys = sessions.keys[begin:end]
    found: list[int] = []
    for reason in reasons:
        if reason.event >= 0:
            found.append(reason.event - begin)
        elif reason.what == "count":
            found += np.flatnonzero(keys == reason.keys[0])[:LINES].tolist()
        elif reason.what == "order":
            before, after = reason.keys
            if before < 0:
                found.append(0)
            elif after > int(sessions.keys.max()):
                found.append(end - begin - 1)
            else:
                found += np.flatnonzero((keys[:-1] == before) & (keys[1:] == after))[:1].tolist()
    chosen = sorted(dict.fromkeys(found[:LINES])) or [end - begin - 1]
    return [begin + place for place in chosen]


def _said(reason: Reason, names: Sequence[str]) -> str:
    """A reason in words."""
    text = [names[key] if 0 <= key < len(names) else "" for key in reason.keys]
    if reason.what in ("count", "absent", "absent twice"):
        here = f"{reason.here:.0f}" if reason.here else "none"
        here += " in two windows" * (reason.what == "absent twice")
        usual = f" against usually {reason.usual:.2g}" if reason.usual else ", never elsewhere"
        return f"{here}{usual}: {text[0]}"
    if reason.what == "few":
        return f"few events: {reason.here:.0f} against usually {reason.usual:.2g}"
    if reason.what == "pace":
        return f"{reason.here:.3g} s without a line, usually {reason.usual:.2g} s"
    if reason.what == "slow":
        return f"took long, up to {reason.here:.2g} times as long as usual: {text[0]}"
    before, after = text
    if not after:
        return f"ends after: {before}"
    return f"begins with: {after}" if not before else f"{before} → {after}"
