"""Examples of a run: false alarms, missed and found anomalies, with raw line, expected templates and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from logbench import DataError

from .strip import strip
from .study import Study, threshold_of

Which = Literal["false-positives", "missed", "found"]
# Kind → heading, and how many are shown.
KINDS: Mapping[Which, str] = {
    "false-positives": "False alarms",
    "missed": "Missed anomalies",
    "found": "Found anomalies",
}
EACH, LOOKED_AT = 4, 24


def examples(study: Study, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A group a kind: `kind`, `title`, `items`; empty where the scores are gone."""
    try:
        found = {which: study.runs.examples(record, which, LOOKED_AT) for which in KINDS}
    except DataError:
        return []
    events = _events(study, record)
    threshold = threshold_of(record)
    for items in found.values():  # a rule decides short units, which says little of the model
        items.sort(key=lambda item: bool(item["short"]))
    groups = [
        {
            "kind": which,
            "title": KINDS[which],
            "items": [_item(item, events.get(item["unit"]), threshold) for item in items[:EACH]],
        }
        for which, items in found.items()
    ]
    return groups if any(items for items in found.values()) else []


def _events(study: Study, record: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    try:
        frame = study.runs.events(record)
    except DataError:
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(row["unit"], []).append(row)
    return found


def _item(item: Mapping[str, Any], events: list[dict[str, Any]] | None, threshold: float) -> dict[str, Any]:
    score = f"{item['score']:.4g}".replace("inf", "∞").replace("-", "−")
    decided = item["event"]
    if item["short"]:
        where = f"short, {item['events']} events: the protocol decides"
    elif decided is None:
        where = f"{item['events']} events, none decided alone"
    else:
        place = f", line {item['line']:,}" if item["line"] else ""
        where = f"event {decided + 1} of {item['events']}{place}{' of ' + item['file'] if item['file'] else ''}"
    alike = f"; {item['units'] - 1:,} more units are like it" if item["units"] > 1 else ""
    return {
        "unit": item["unit"],
        "where": f"score {score}; {where}{alike}",
        "raw": item["raw"],
        "template": item["template"] if not item["short"] else None,
        "why": (item["why"] or "").splitlines()[:4],
        "expected": item["expected"] or [],
        "came": item["template"],
        "telling": [line["raw"] for line in item["telling"][:3]] if item["raw"] is None else [],
        "strip": strip(events, threshold, decided) if events else None,
    }
