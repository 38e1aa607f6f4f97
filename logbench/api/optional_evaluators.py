"""What an evaluator may have beside what it must have; of cautions, also a parser.

Nothing is inherited: `isinstance` looks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from .components import Direction

if TYPE_CHECKING:
    pass


@runtime_checkable
class OfUnits(Protocol):
    """An evaluator whose metrics may stand under the name of the unit (`session`) and not under its own.

    Attributes:
        of_units: True where they do. It is then asked of single events too, where they have labels.
    """

    @property
    def of_units(self) -> bool:
        """See above."""


@runtime_checkable
class InTime(Protocol):
    """An evaluator of when units happened, such as of alarms a day.

    Attributes:
        in_time: True where it is asked of all units alone: a distinct one has no place in time. Its metrics of
            distinct units are then those of all.
    """

    @property
    def in_time(self) -> bool:
        """See above."""


@runtime_checkable
class NeedsFirstAlarm(Protocol):
    """An evaluator that reads the columns `first_alarm` and `first_alarm_time` of units.

    Attributes:
        needs_first_alarm: True where it does: units that alarm are then scored once more, event by event.
    """

    @property
    def needs_first_alarm(self) -> bool:
        """See above."""


@runtime_checkable
class NeedsKinds(Protocol):
    """An evaluator that reads the columns `type` and `template_set` of units: what kind of anomaly each is.

    Attributes:
        needs_kinds: True where it does: data sets that know types of anomalies are then asked for them.
    """

    @property
    def needs_kinds(self) -> bool:
        """See above."""


@runtime_checkable
class HasCaution(Protocol):
    """An evaluator whose metrics mislead unless something is known, or a parser that cut a search short.

    Attributes:
        caution: one sentence, which a run notes, or None. A parser is asked once it matched all messages.
    """

    @property
    def caution(self) -> str | None:
        """See above."""


@runtime_checkable
class HasDirections(Protocol):
    """An evaluator that says which way its metrics are better.

    Attributes:
        directions: metric → `"higher"` or `"lower"`. A metric without one, as a count, cannot gate, rank, or make
            a run worse than another.
    """

    @property
    def directions(self) -> Mapping[str, Direction]:
        """See above."""


@runtime_checkable
class HasColumns(Protocol):
    """An evaluator that says which of its metrics tables show.

    Attributes:
        columns: metrics, in their order in the table. An evaluator without it shows those that have a direction.
    """

    @property
    def columns(self) -> Sequence[str]:
        """See above."""
