"""Choose the training units whose label may be seen, and hide all other training labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..api.protocol import EvaluationProtocol
from ..data.per_unit import events_of_units
from ..data.sessions import Sessions
from .shares import UNKNOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hidden_units(
    train: NDArray[np.int64], held_out: NDArray[np.int64], protocol: EvaluationProtocol
) -> NDArray[np.int64]:
    """Training and held-out units whose label nobody may see, int64, ascending; none without a budget.

    The budget is drawn by the split's seed, from both parts in proportion to their size, whatever the labels are.
    A larger budget shows the same units and more.
    """
    budget, units = protocol.label_budget, len(train) + len(held_out)
    if budget is None:
        return np.empty(0, dtype=np.int64)
    shown = min(round(budget * units) if budget <= 1 else int(budget), units)
    of_held = round(shown * len(held_out) / units)
    rng = np.random.default_rng([protocol.split_seed, 5])
    parts = ((train, shown - of_held), (held_out, of_held))
    return np.sort(np.concatenate([rng.permutation(part)[seen:] for part, seen in parts]))


def without_hidden(labels: NDArray[np.int8], hidden: NDArray[np.int64]) -> NDArray[np.int8]:
    """Labels that may be seen, int8 [units], −1 where hidden; the same array if none is."""
    if not len(hidden):
        return labels
    seen = labels.copy()
    seen[hidden] = UNKNOWN
    return seen


def hide_lines(sessions: Sessions, hidden: NDArray[np.int64]) -> Sessions:
    """The same without the labels of the hidden units' lines."""
    if sessions.line_labels is None or not len(hidden):
        return sessions
    events, _ = events_of_units(sessions.offsets, hidden)
    return replace(sessions, line_labels=without_hidden(sessions.line_labels, events))
