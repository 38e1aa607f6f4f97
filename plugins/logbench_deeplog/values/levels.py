"""How far entries are from what their key's model foretells, and what that makes of units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from logbench import Scores, first_per_unit, max_per_unit
from logbench.torch import full_fp32, to_device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logbench import Context, Sessions

    from .limits import Limits
    from .network import Entries, KeyLSTMs

# Rows of a forward, and how many alarms of a chain are taken out of the histories after them.
CHUNK, CHAIN = 8192, 1000


@torch.no_grad()
def foretell(
    network: KeyLSTMs, at: int, entries: Entries, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the model of key number `at` foretells of the entries `rows`, float64 [n, F], and the errors [n]."""
    foretold, errors = [np.empty((0, entries.features.shape[1]))], [np.empty(0)]
    with full_fp32():
        for begin in range(0, len(rows), CHUNK):
            chosen = to_device(rows[begin : begin + CHUNK], entries.device)
            answer = network(entries.histories(chosen).unsqueeze(0), at).squeeze(0)
            foretold.append(answer.double().cpu().numpy())
            errors.append(entries.errors(answer, chosen).double().cpu().numpy())
    return np.concatenate(foretold), np.concatenate(errors)


def levels_of(
    network: KeyLSTMs, at: int, limit: Limits, entries: Entries, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Levels of the entries `rows` of one key [n], and what was foretold of them [n, F].

    An entry that alarms does not make the next ones alarm: these are judged again as if what was foretold had come
    in its place, and the lower level counts.
    """
    reach = np.minimum(entries.place.cpu().numpy(), entries.h)
    found, errors = foretell(network, at, entries, rows)
    level, foretold = np.full(len(reach), -np.inf), np.zeros((len(reach), found.shape[1]))
    level[rows], foretold[rows] = limit.level(errors), found
    alarms = level > 1
    for _ in range(CHAIN):
        if not alarms.any():
            break
        first = alarms & (_earlier(alarms, reach) == 0)
        entries.replace(np.flatnonzero(first), foretold[first])
        alarms &= ~first
        again = np.flatnonzero((_earlier(first, reach) > 0) & (level > 1))
        found, errors = foretell(network, at, entries, again)
        lower = limit.level(errors) < level[again]
        level[again[lower]], foretold[again[lower]] = limit.level(errors)[lower], found[lower]
        alarms[again] = level[again] > 1
    return level[rows], foretold[rows]


def _earlier(marks: NDArray[np.bool_], reach: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of the `reach` [n] entries before each are marked."""
    total = np.concatenate([[0], np.cumsum(marks, dtype=np.int64)])
    at = np.arange(len(marks))
    return np.asarray(total[at] - total[at - reach])


def unit_scores(
    level: NDArray[np.float64], sessions: Sessions, context: Context, facts: Mapping[str, Any]
) -> Scores:
    """Scores of units by the levels of events, float64 [events], −∞ where none is judged; 0 for a unit of such."""
    worst = max_per_unit(level, sessions.offsets, -np.inf)
    event = first_per_unit((level == worst[sessions.units]) & (level > -np.inf), sessions.offsets)
    judged = np.bincount(sessions.units[level > -np.inf], minlength=len(sessions))
    score = np.where(event < 0, 0.0, worst)
    return Scores(
        score, event, ignoring=score, ignoring_event=event, unjudged=sessions.lengths - judged, facts=facts,
        events=level if context.events else None,
    )  # fmt: skip


def coverage(level: NDArray[np.float64]) -> float:
    """Share of events that are judged."""
    return round(float((level > -np.inf).mean()), 4) if len(level) else 0.0
