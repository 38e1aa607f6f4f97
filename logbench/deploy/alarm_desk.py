"""What happens to alarms: which are told, where they go, and what is kept of them."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..base.errors import DataError
from ..base.files import written
from ..base.jsonable import several, to_jsonable
from .alarms import AlarmBook
from .prometheus import write_text
from .score_state import ScoreState
from .webhook import Webhook

# Seconds between two texts for Prometheus.
EVERY = 5.0


@dataclass
class AlarmDesk:
    """Alarms go from here to a file, a webhook, Prometheus and the state.

    Attributes:
        book: knows what alarmed before.
        threshold: units that score above it alarm.
        model: name of the saved model, for Prometheus.
        only_new: tell only alarms that no call with this state told before.
        only_first: tell only the first alarm of each incident.
        file: each alarm that is told is appended to it as a line of JSON.
        prometheus: file for the figures.
        counts: units, alarms, incidents and units exactly at the threshold, of this call.
    """

    book: AlarmBook
    threshold: float
    model: str
    state: ScoreState | None = None
    only_new: bool = False
    only_first: bool = False
    file: Path | None = None
    webhook: Webhook | None = None
    prometheus: Path | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _totals: dict[str, float] = field(default_factory=dict, init=False)
    _saved: bool = field(default=True, init=False)
    _next: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.state is not None:
            self._totals = dict(self.state.counters)
            self.state.collect = self.collect

    def take(self, units: pl.DataFrame) -> list[dict[str, Any]]:
        """Send the alarms among scored units to where they are told; gives them, see `AlarmBook.take`.

        Raises:
            DataError: a file cannot be written.
        """
        self._saved = False
        alarms = self.book.take(units, self.threshold)
        new = [one for one in alarms if one["new"]]
        begun = sum(one["begins"] for one in alarms)
        ties = units.filter((pl.col("score") == self.threshold) & ~pl.col("verdict"))
        self.counts += Counter(units=len(units), alarms=len(alarms), new=len(new), incidents=begun, ties=len(ties))
        for name, number in (("units", len(units)), ("alarms", len(new)), ("incidents", begun)):
            self._add(f"logbench_{name}_total", number)
        if new:
            self._totals["logbench_last_alarm_timestamp_seconds"] = time.time()
        alarms = new if self.only_new else alarms
        told = self.told(alarms)
        if self.file is not None and told:
            self._append(self.file, told)
        if self.webhook is not None:
            self.webhook.waiting += told
        return alarms

    def told(self, alarms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of some alarms that are told one by one."""
        return [one for one in alarms if one["begins"] or not self.only_first]

    @property
    def stream(self) -> Mapping[str, Any] | None:
        """See `Keeper`."""
        return None if self.state is None else self.state.stream

    @property
    def open_sessions(self) -> int:
        """Sessions of the stream that are not scored yet."""
        return int(self._totals.get("logbench_open_sessions", 0))

    def pause(self, values: Callable[[], dict[str, Any]], figures: Mapping[str, float], idle: bool) -> None:
        """Save, send and write what there is, see `Keeper`."""
        changed = any(self._totals.get(name) != number for name, number in figures.items())
        self._totals |= figures
        self._saved = self._saved and not changed
        if self.state is not None and not self._saved:
            self._saved = self.state.checkpoint(values, now=idle)
        if self.webhook is not None:
            self.webhook.send()
        if self.prometheus is not None and time.monotonic() >= self._next:
            self._write()
            self._next = time.monotonic() + EVERY

    def finish(self) -> None:
        """Send what waits, and save the state.

        Raises:
            DataError: alarms could not be sent, and there is no state that keeps them.
        """
        if self.state is not None:
            self.state.save()  # alarms that wait are safe before anything is sent
        sent = self.webhook is None or self.webhook.finish()
        self._write()
        if self.state is not None:
            self.state.save()
        if not sent:
            waiting = several(len(self.webhook.waiting if self.webhook else ()), "alarm")
            if self.state is None:
                raise DataError(
                    f"{waiting} could not be sent to the webhook; with --state FILE they are sent later"
                )
            self._note(f"{waiting} could not be sent: kept in {self.state.file}, the next call sends them")

    def collect(self) -> None:
        """Put everything into the state that belongs there."""
        if self.state is not None:
            self.state.alarmed = self.book.alarmed
            self.state.incidents = self.book.incidents.rows()
            self.state.counters = dict(self._totals)
            if self.webhook is not None:
                self.state.waiting = list(self.webhook.waiting)

    def _note(self, text: str) -> None:
        if self.webhook is not None:
            self.webhook.note(text)

    def _add(self, name: str, number: float) -> None:
        self._totals[name] = self._totals.get(name, 0) + number

    def _write(self) -> None:
        if self.prometheus is not None:
            now = {"logbench_threshold": self.threshold, "logbench_last_update_timestamp_seconds": time.time()}
            waiting = {} if self.webhook is None else {"logbench_waiting_alarms": len(self.webhook.waiting)}
            write_text(self.prometheus, {**self._totals, **now, **waiting}, {"model": self.model})

    @staticmethod
    def _append(file: Path, alarms: Sequence[Mapping[str, Any]]) -> None:
        lines = "".join(json.dumps(to_jsonable(one), ensure_ascii=False) + "\n" for one in alarms)
        with written(file), file.open("a", encoding="utf-8") as target:
            target.write(lines)


def incidents_of(alarms: Sequence[Mapping[str, Any]], incident: Callable[[str], str]) -> list[dict[str, Any]]:
    """One row an incident, the one with the highest score first.

    Args:
        alarms: see `AlarmBook.take`. incident: gives the incident of an alarm by its id, see `Incidents.incident`.

    Returns:
        `incident`, `begin`, `end` (ISO 8601, or None), `alarms` (how many), `units`, `nodes`, `templates` (names),
        and `score`, `file`, `line` and `text` of the alarm with the highest score.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for one in alarms:
        groups.setdefault(incident(one["id"]), []).append(one)
    rows = [_incident(name, group) for name, group in groups.items()]
    return sorted(rows, key=lambda row: -float(row["score"]))


def _incident(name: str, alarms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    times = sorted(one["time"] for one in alarms if one["time"] is not None)
    worst = max(alarms, key=lambda one: float(one["score"]))

    def names(column: str) -> list[str]:
        counts = Counter(one[column] for one in alarms if one[column] is not None)
        return [value for value, _ in counts.most_common()]

    return {
        "incident": name,
        "begin": times[0] if times else None,
        "end": times[-1] if times else None,
        "alarms": len(alarms),
        "units": names("unit"),
        "nodes": names("node"),
        "templates": names("template"),
        **{column: worst[column] for column in ("score", "file", "line", "text")},
    }
