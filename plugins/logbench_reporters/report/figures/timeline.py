"""Alarms along time: right, false and missed, and how many units hold events that training does not have."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from ..theme import LIGHT
from .figure import Figure

if TYPE_CHECKING:
    import polars as pl

BINS = 48
KINDS = {"true alarm": LIGHT["teal"], "false alarm": LIGHT["amber"], "missed": LIGHT["red"]}


def timeline(model: str, units: pl.DataFrame) -> Figure | None:
    """Units in order of their last line, in equal stretches of time; None where times are not known.

    Args:
        units: those that the headline counts, with `last_time` in microseconds.
    """
    import numpy as np

    if "last_time" not in units.columns or units["last_time"].null_count() == len(units):
        return None
    known = units.filter(units["last_time"].is_not_null())
    times = known["last_time"].to_numpy()
    first, last = int(times.min()), int(times.max())
    if first == last:
        return None
    edges = np.linspace(first, last, BINS + 1)
    place = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, BINS - 1)
    anomaly, alarm = (known["label"] == 1).to_numpy(), known["verdict"].to_numpy()
    chosen = {"true alarm": anomaly & alarm, "false alarm": ~anomaly & alarm, "missed": anomaly & ~alarm}
    counts = {kind: np.bincount(place[rows], minlength=BINS) for kind, rows in chosen.items()}
    unseen = np.bincount(place[(known["unseen"] > 0).to_numpy()], minlength=BINS)
    every = np.bincount(place, minlength=BINS)
    at = [int(edge // 1000) for edge in edges]
    below, data = np.zeros(BINS, dtype=int), []
    for kind, of in counts.items():
        data += [
            {
                "from": at[n],
                "to": at[n + 1],
                "kind": kind,
                "units": int(of[n]),
                "low": int(below[n]),
                "high": int(below[n] + of[n]),
            }
            for n in np.flatnonzero(of).tolist()
        ]
        below += of
    drift = [
        {"from": at[n], "to": at[n + 1], "share": round(float(unseen[n] / every[n]), 4), "units": int(every[n])}
        for n in range(BINS)
        if every[n]
    ]
    totals = {kind: int(of.sum()) for kind, of in counts.items()}
    x = {
        "field": "from",
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc"},
        "axis": {"tickCount": 6, "labelOverlap": True},
    }
    colour = {"domain": list(KINDS), "range": list(KINDS.values())}
    bars: dict[str, Any] = {
        "width": 600,
        "height": 150,
        "data": {"name": "alarms"},
        "mark": {"type": "bar", "binSpacing": 0},
        "encoding": {
            "x": {**x, "axis": {"labels": False, "ticks": False}},
            "x2": {"field": "to"},
            "y": {
                "field": "high",
                "type": "quantitative",
                "title": "units",
                "stack": None,
                "axis": {"tickMinStep": 1, "tickCount": 4},
            },
            "y2": {"field": "low"},
            "color": {"field": "kind", "type": "nominal", "title": None, "scale": colour},
            "tooltip": [
                {"field": "kind"},
                {"field": "units"},
                {
                    "field": "from",
                    "type": "temporal",
                    "timeUnit": "utcyearmonthdatehoursminutes",
                    "format": "%Y-%m-%d %H:%M",
                },
            ],
        },
    }
    line: dict[str, Any] = {
        "width": 600,
        "height": 70,
        "data": {"name": "drift"},
        "mark": {"type": "bar", "color": LIGHT["violet"], "binSpacing": 0},
        "encoding": {
            "x": {**x},
            "x2": {"field": "to"},
            "y": {
                "field": "share",
                "type": "quantitative",
                "title": "with unseen keys",
                "stack": None,
                "axis": {"format": "%", "tickCount": 3},
            },
            "y2": {"datum": 0},
            "tooltip": [{"field": "share", "format": ".1%"}, {"field": "units", "title": "of units"}],
        },
    }
    half = len(drift) // 2
    early, late = (_share(unseen[part], every[part]) for part in (slice(0, BINS // 2), slice(BINS // 2, BINS)))
    trend = (
        f"; units with keys that training does not have: {early:.1%} in the first half, {late:.1%} in the second"
    )
    return Figure(
        "timeline",
        f"Alarms of {model} along the log",
        ", ".join(f"{count:,} {kind}{'s' * (kind != 'missed' and count != 1)}" for kind, count in totals.items())
        + (trend if half else "")
        + ". A unit stands at its last line; times as the log has them.",
        {"vconcat": [bars, line], "spacing": 6, "resolve": {"scale": {"x": "shared"}}},
        {"alarms": data, "drift": drift},
        [
            {
                "from": _text(at[n]),
                **{kind: int(of[n]) for kind, of in counts.items()},
                "units": int(every[n]),
                "with unseen keys": int(unseen[n]),
            }
            for n in range(BINS)
            if every[n]
        ],
        height=None,
    )


def _share(some: Any, every: Any) -> float:
    return float(some.sum() / max(every.sum(), 1))


def _text(milliseconds: float) -> str:
    return datetime.datetime.fromtimestamp(milliseconds / 1e3, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
