"""Alarms of scored units: each with an id, the incident it belongs to, and whether it came before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from .incidents import Incidents

# Alarms that are remembered, to tell those that come again.
REMEMBERED = 100_000
EPOCH = datetime(1970, 1, 1)


class AlarmBook:
    """What has alarmed so far.

    An alarm is known again by the name of its unit and the text of the unit's first line. So a unit that alarmed
    already does not alarm anew where its log grew, or is read again; one of the same name in another log, or later
    in this one, does.

    Args:
        gap: seconds, see `Incidents`.
        alarmed: ids of alarms that came before, oldest first. incidents: see `Incidents.rows`.
    """

    def __init__(self, gap: float, alarmed: Iterable[str] = (), incidents: Iterable[Any] = ()) -> None:
        self.incidents = Incidents.of(gap, incidents)
        self._alarmed = dict.fromkeys(alarmed)

    def take(self, units: pl.DataFrame, threshold: float) -> list[dict[str, Any]]:
        """The alarms among scored units, in order of time.

        Args:
            units: see `score_bundle`.

        Returns:
            `id`, `unit`, `score`, `threshold`, `events`, `time` (ISO 8601, or None), `node`, `file`, `line` (from
            1), `template`, `text` (level, component and message of the deciding line, else the whole first one
            or the template), `raw` (the whole line), `why`, `incident`, `begins` (first alarm of its incident),
            `merges` (incidents that it showed to be the same), `new`.
        """
        self.incidents.forget()
        alarms = units.filter("verdict")
        return [self._alarm(row, threshold) for row in alarms.sort("time", "line", maintain_order=True).to_dicts()]

    @property
    def alarmed(self) -> list[str]:
        """Ids of the alarms that are remembered, oldest first."""
        return list(self._alarmed)[-REMEMBERED:]

    def _alarm(self, row: Mapping[str, Any], threshold: float) -> dict[str, Any]:
        name = hashlib.sha256(f"{row['unit']}\n{row['first']}".encode()).hexdigest()[:16]
        new = name not in self._alarmed
        self._alarmed.pop(name, None)
        self._alarmed[name] = None
        time = row["time"]
        place = self.incidents.add(name, seconds_of(time), row["template"], row["node"])
        return {
            "id": name,
            "unit": row["unit"],
            "score": finite(row["score"]),
            "threshold": finite(threshold),
            "events": row["events"],
            "time": None if time is None else time.isoformat(),
            "node": row["node"],
            "file": row.get("file"),
            "line": row["at"],
            "template": row["template"],
            "text": next((row[name] for name in ("text", "first", "template") if row[name] is not None), None),
            "raw": row["raw"] if row["raw"] is not None else row["first"],
            "why": row["why"],
            "incident": place.incident,
            "begins": place.begins and new,
            "merges": list(place.merges),
            "new": new,
        }


def seconds_of(time: datetime | None) -> float | None:
    """Seconds since 1970 of a time without a zone."""
    return None if time is None else (time - EPOCH).total_seconds()


def finite(score: float) -> float | str:
    """A score for JSON, which has no infinity: `inf` and `-inf` are words."""
    return str(score) if score in (float("inf"), float("-inf")) else score
