"""Group alarms to incidents: what alarms at about the same time, by the same template or on the same node."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

# Alarms that are remembered, to group later ones with.
REMEMBERED = 10_000


@dataclass(frozen=True)
class Grouped:
    """Where an alarm belongs.

    Attributes:
        incident: id of its incident, which is that of the incident's first alarm that came.
        begins: no alarm of the incident came before.
        merges: incidents that this alarm showed to be the same; they are part of `incident` from now on.
    """

    incident: str
    begins: bool
    merges: tuple[str, ...] = ()


@dataclass
class Incidents:
    """Alarms that are linked, directly or by others between them, are one incident.

    Two alarms are linked if no more than `gap` seconds lie between them and they have the template, or the node,
    in common; an alarm without template and node is linked to such alarms. So the order of alarms changes nothing
    but the names. An alarm without time is at time 0.

    Examples:
        >>> incidents = Incidents(gap=60)
        >>> alarms = (("a", 0), ("b", 50), ("c", 200))
        >>> [incidents.add(name, time, "disk full", None).incident for name, time in alarms]
        ['a', 'a', 'c']
    """

    gap: float
    _of: dict[str, str] = field(default_factory=dict)
    _alarms: dict[str, tuple[float, str | None, str | None]] = field(default_factory=dict)
    _times: dict[tuple[str, str | None], list[tuple[float, str]]] = field(default_factory=dict)

    def add(self, alarm: str, time: float | None, template: str | None, node: str | None) -> Grouped:
        """Group an alarm; one that is known stays where it is.

        Args:
            alarm: its id. time: seconds.
        """
        if alarm in self._alarms:
            return Grouped(self._root(alarm), False)
        moment = time or 0.0
        near = [other for name in _names(template, node) for other in self._near(name, moment)]
        self._put(alarm, moment, template, node)
        roots = list(dict.fromkeys(map(self._root, near)))
        if not roots:
            return Grouped(alarm, True)
        first = min(roots, key=list(self._of).index) if len(roots) > 1 else roots[0]
        for root in (*roots, alarm):
            self._of[root] = first
        return Grouped(first, False, tuple(root for root in roots if root != first))

    def forget(self) -> None:
        """Forget the oldest alarms where there are many."""
        if len(self._alarms) > 2 * REMEMBERED:
            vars(self).update(vars(Incidents.of(self.gap, self.rows())))

    def incident(self, alarm: str) -> str:
        """The incident of an alarm that was added."""
        return self._root(alarm)

    def rows(self) -> list[list[Any]]:
        """What `of` restores: `[alarm, time, template, node, incident]` of the alarms that are remembered."""
        kept = list(self._alarms.items())[-REMEMBERED:]
        return [[alarm, *about, self._root(alarm)] for alarm, about in kept]

    @classmethod
    def of(cls, gap: float, rows: Iterable[Any]) -> Incidents:
        """Go on from `rows`."""
        made = cls(gap)
        for alarm, moment, template, node, incident in rows:
            made._of.setdefault(incident, incident)
            made._put(alarm, moment, template, node)
            made._of[alarm] = incident
        return made

    def _put(self, alarm: str, moment: float, template: str | None, node: str | None) -> None:
        self._of.setdefault(alarm, alarm)
        self._alarms[alarm] = moment, template, node
        for name in _names(template, node):
            insort(self._times.setdefault(name, []), (moment, alarm))

    def _near(self, name: tuple[str, str | None], moment: float) -> Iterator[str]:
        """The alarms of this name next to a moment, before and after."""
        times = self._times.get(name, [])
        place = bisect_left(times, (moment, ""))
        for other in times[max(place - 1, 0) : place + 1]:
            if abs(other[0] - moment) <= self.gap:
                yield other[1]

    def _root(self, alarm: str) -> str:
        while (above := self._of[alarm]) != alarm:
            self._of[alarm] = self._of[above]
            alarm = above
        return alarm


def _names(template: str | None, node: str | None) -> Iterator[tuple[str, str | None]]:
    if template is not None:
        yield "template", template
    if node is not None:
        yield "node", node
    if template is None and node is None:
        yield "none", None
