"""Alarms are known again by their unit and its first line, and belong to incidents in order of time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from logbench.deploy.alarm_desk import incidents_of
from logbench.deploy.alarms import AlarmBook, finite


def units(*rows: tuple[str, str, int, str | None]) -> pl.DataFrame:
    """Alarms: unit, its first line, second and node."""
    columns: dict[str, Any] = {
        "unit": [row[0] for row in rows],
        "first": [row[1] for row in rows],
        "time": [datetime(2026, 3, 1, 10, 0, row[2]) for row in rows],
        "node": pl.Series([row[3] for row in rows], dtype=pl.String),
        "line": list(range(len(rows))),
        "at": list(range(1, len(rows) + 1)),
    }
    same = {"score": float("inf"), "verdict": True, "events": 3, "file": "a.log", "template": "t", "why": None}
    return pl.DataFrame(columns).with_columns(
        text=pl.lit("m"), raw=pl.lit("l"), **{k: pl.lit(v) for k, v in same.items()}
    )


def told(book: AlarmBook, frame: pl.DataFrame) -> list[str]:
    return [one["unit"] for one in book.take(frame, 1.0) if one["new"]]


def test_a_unit_alarms_anew_only_with_another_first_line() -> None:
    book = AlarmBook(60)
    assert told(book, units(("a", "begin 1", 5, None), ("b", "begin 2", 1, None))) == ["b", "a"], "by time"
    assert told(book, units(("a", "begin 1", 9, None), ("c", "begin 1", 9, None))) == ["c"]
    assert told(book, units(("a", "begin 7", 9, None))) == ["a"]
    again = AlarmBook(60, book.alarmed, book.incidents.rows())
    assert told(again, units(("a", "begin 7", 9, None), ("b", "begin 2", 1, None))) == []


def test_only_alarms_are_told_and_infinity_is_a_word() -> None:
    frame = units(("a", "x", 1, None), ("b", "x", 2, None)).with_columns(verdict=pl.Series([False, True]))
    (alarm,) = AlarmBook(60).take(frame, 2.5)
    assert (alarm["unit"], alarm["score"], alarm["threshold"]) == ("b", "inf", 2.5)
    assert alarm["time"] == "2026-03-01T10:00:02"
    assert [finite(value) for value in (float("-inf"), 3.0)] == ["-inf", 3.0]


def test_a_row_an_incident_says_when_where_and_how_many() -> None:
    book = AlarmBook(5)
    frame = units(("a", "1", 1, "n1"), ("b", "2", 4, "n2"), ("c", "3", 30, "n1"))
    alarms = book.take(frame.with_columns(score=pl.Series([2.0, 7.0, 3.0])), 1.0)
    assert [alarm["begins"] for alarm in alarms] == [True, False, True]
    first, second = incidents_of(alarms, book.incidents.incident)
    assert (first["begin"], first["end"]) == ("2026-03-01T10:00:01", "2026-03-01T10:00:04")
    assert (first["alarms"], first["units"], first["nodes"], first["score"]) == (2, ["a", "b"], ["n1", "n2"], 7.0)
    assert (second["units"], second["line"]) == (["c"], 3)
