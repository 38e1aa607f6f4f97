"""What a model says of units, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.errors import PluginError

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Columns of stored units that say when they happened, see `Evaluator.evaluate`.
MOMENTS = ("first_time", "last_time", "first_anomalous", "first_anomalous_time")
# Columns that say where in its unit an alarm is raised first, see `Evaluator.evaluate`.
FIRST_ALARM = ("first_alarm", "first_alarm_time")
# Columns that say what kind of anomaly a unit is, see `Evaluator.evaluate`.
KINDS: Mapping[str, Any] = {"type": pl.String(), "template_set": pl.UInt32()}
# Columns of the stored scores, so no names for scores of a model's own.
SCORED_COLUMNS = frozenset(
    (
        *("part", "unit", "index", "label", "weight", "events", "unseen", "sequence", "repeats"),
        *MOMENTS,
        *FIRST_ALARM,
        *KINDS,
        *("raw", "event", "ignoring", "ignoring_event", "unjudged"),
        *("score", "verdict", "decided_by", "short", "line", "key", "expected", "why", "telling"),
    )
)


@dataclass(frozen=True)
class Scores:
    """What a model says of each unit.

    Attributes:
        primary: float64 [units], higher = more anomalous; ±inf allowed, NaN is an error.
        event: int64 [units], index within the unit of the event that decided, −1 where none did.
        ignoring: `primary` with no alarm from an unseen key (needed for `unseen = "ignore"`), or None.
        ignoring_event: the event that decides `ignoring`.
        events: float64 [events of all units asked, in their order], how anomalous each event is, −∞ where the
            model cannot say; where `Context.events` asks for them, or None.
        others: named scores beside the primary one (`nll`), float64 [units] each.
        facts: counts for the record (`windows`, `distinct_windows`, `near_boundary`).
        unjudged: int64 [units], events of each unit of which the score cannot tell whether they are anomalous (the
            first h where they are history only); None for a model that judges all.
    """

    primary: NDArray[np.float64]
    event: NDArray[np.int64] | None = None
    ignoring: NDArray[np.float64] | None = None
    ignoring_event: NDArray[np.int64] | None = None
    others: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    events: NDArray[np.float64] | None = None
    unjudged: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, answer: Any, units: int, model: str, events: int | None = None) -> Scores:
        """Check what model `model` returned for `units` units of `events` events; an array becomes `Scores`.

        Raises:
            PluginError: wrong shape or type, NaN, or another score of a name that is taken.
        """
        if answer is None:
            raise PluginError(f"model {model!r}: score must return numbers [{units}], got None")
        scores = answer if isinstance(answer, Scores) else cls(np.asarray(answer))
        for name in ("others", "facts"):
            if not isinstance(found := getattr(scores, name), Mapping):
                raise PluginError(
                    f"model {model!r}: {name!r} of its scores must be a mapping, got {type(found).__name__}"
                )
        columns = {
            "primary": scores.primary,
            "ignoring": scores.ignoring,
            "event": scores.event,
            "ignoring_event": scores.ignoring_event,
            "unjudged": scores.unjudged,
            **scores.others,
        }
        if taken := sorted(SCORED_COLUMNS.intersection(scores.others)):
            raise PluginError(f"model {model!r}: a score cannot be called {taken[0]!r}, that name is taken")
        for name, column in columns.items():
            _check_scores(column, units, f"model {model!r}", name, "unit")
        if events is not None:
            _check_scores(scores.events, events, f"model {model!r}", "events", "event")
        return replace(scores, primary=scores.primary.astype(np.float64))

    def take(self, index: NDArray[Any]) -> Scores:
        """The scores of the units `index` (int [n]), such as of all units from those of distinct ones.

        Scores of single events are left out.
        """
        names = ("primary", "event", "ignoring", "ignoring_event", "unjudged")
        columns = {name: getattr(self, name) for name in names}
        taken: dict[str, Any] = {name: None if c is None else c[index] for name, c in columns.items()}
        others = {name: column[index] for name, column in self.others.items()}
        return replace(self, **taken, others=others, events=None)


def facts_of(answer: Any, what: str) -> dict[str, Any]:
    """Facts that plugin code gives, such as those of a fit; none for None.

    Args:
        what: gives them, for the message: `model 'x': fit`.

    Raises:
        PluginError: they are no mapping.
    """
    if answer is None:
        return {}
    if not isinstance(answer, Mapping):
        raise PluginError(f"{what} must return a mapping of facts or None, got {type(answer).__name__}")
    return dict(answer)


def _check_scores(column: Any, size: int, model: str, name: str, what: str) -> None:
    if column is None:
        return
    if not isinstance(column, np.ndarray) or column.shape != (size,) or column.dtype.kind not in "fiub":
        array = isinstance(column, np.ndarray)
        got = f"{column.dtype} {list(column.shape)}" if array else type(column).__name__
        raise PluginError(f"{model}: score must return numbers [{size}] as {name!r}, got {got}")
    if column.dtype.kind == "f" and np.isnan(column).any():
        at = int(np.flatnonzero(np.isnan(column))[0])
        raise PluginError(f"{model}: {name!r} is NaN, first at {what} {at} of {size}")


def spread(values: Any, where: NDArray[Any], size: int, dtype: Any) -> pl.Series:
    """A column of `size` rows with `values` at the rows `where` and null elsewhere; all null for None.

    Args:
        values: numbers [rows].
    """
    if values is None:
        return pl.Series([None], dtype=dtype).new_from_index(0, size)
    given = pl.Series(values).cast(dtype).to_numpy()
    column, there = np.zeros(size, dtype=given.dtype), np.zeros(size, dtype=bool)
    column[where], there[where] = given, True
    filled = pl.Series(column, dtype=dtype)
    return filled if there.all() else filled.set(pl.Series(~there), None)
