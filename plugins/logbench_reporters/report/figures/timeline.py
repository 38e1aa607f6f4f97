"""Alarms along time: right, false and missed, and how many units hold events that training does not have."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..theme import LIGHT
from .figure import Figure

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

# Stretches of the lower part and of the table; the upper part has FINER for each, to be seen closely.
BINS, FINER = 48, 4
KINDS = {"true alarm": LIGHT["teal"], "false alarm": LIGHT["amber"], "missed": LIGHT["red"]}
# Dragged over the lower part, it is what the upper part shows.
ZOOM = {"name": "stretch", "select": {"type": "interval", "encodings": ["x"]}}


@dataclass(frozen=True)
class Binned:
    """Units in equal stretches of time.

    Attributes:
        at: ends of the stretches, one more than these, in milliseconds since 1970.
        kinds: units of each of `KINDS`. every: all units. unseen: those with keys that training does not have.
    """

    at: list[int]
    kinds: Mapping[str, Counts]
    every: Counts
    unseen: Counts

    @classmethod
    def of(cls, known: pl.DataFrame, bins: int) -> Binned:
        """Count units at their last line.

        Args:
            known: with `last_time` in microseconds, `label`, `verdict` and `unseen`; two times at least.
        """
        import numpy as np

        times = known["last_time"].to_numpy()
        edges = np.linspace(int(times.min()), int(times.max()), bins + 1)
        place = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, bins - 1)
        anomaly, alarm = (known["label"] == 1).to_numpy(), known["verdict"].to_numpy()
        chosen = {"true alarm": anomaly & alarm, "false alarm": ~anomaly & alarm, "missed": anomaly & ~alarm}
        return cls(
            [int(edge // 1000) for edge in edges],
            {kind: np.bincount(place[rows], minlength=bins) for kind, rows in chosen.items()},
            np.bincount(place, minlength=bins),
            np.bincount(place[(known["unseen"] > 0).to_numpy()], minlength=bins),
        )

    def bars(self) -> list[dict[str, Any]]:
        """A row a kind and stretch that has some, stacked."""
        rows, below = [], 0 * self.every
        for kind, of in self.kinds.items():
            rows += [
                {
                    "from": self.at[n],
                    "to": self.at[n + 1],
                    "kind": kind,
                    "units": int(of[n]),
                    "low": int(below[n]),
                    "high": int(below[n] + of[n]),
                }
                for n in of.nonzero()[0].tolist()
            ]
            below = below + of
        return rows

    def drift(self) -> list[dict[str, Any]]:
        """Share of units with unseen keys, of each stretch that has units."""
        return [
            {
                "from": self.at[n],
                "to": self.at[n + 1],
                "share": round(float(self.unseen[n] / self.every[n]), 4),
                "units": int(self.every[n]),
            }
            for n in self.every.nonzero()[0].tolist()
        ]

    def table(self) -> list[dict[str, Any]]:
        """The same in words."""
        return [
            {
                "from": _text(self.at[n]),
                **{kind: int(of[n]) for kind, of in self.kinds.items()},
                "units": int(self.every[n]),
                "with unseen keys": int(self.unseen[n]),
            }
            for n in self.every.nonzero()[0].tolist()
        ]


def timeline(model: str, units: pl.DataFrame) -> Figure | None:
    """Units in order of their last line, in equal stretches of time; None where times are not known.

    Args:
        units: those that the headline counts, with `last_time` in microseconds.
    """
    if "last_time" not in units.columns or units["last_time"].null_count() == len(units):
        return None
    known = units.filter(units["last_time"].is_not_null())
    if known["last_time"].min() == known["last_time"].max():
        return None
    coarse, fine = Binned.of(known, BINS), Binned.of(known, BINS * FINER)
    return Figure(
        "timeline",
        f"Alarms of {model} along the log",
        _described(coarse),
        {"vconcat": [_upper({"domain": {"param": ZOOM["name"]}}), {**_lower(), "params": [ZOOM]}], "spacing": 6},
        {"alarms": fine.bars(), "drift": coarse.drift()},
        coarse.table(),
        height=None,
        still={"vconcat": [_upper({}), _lower()], "spacing": 6},
    )


def _x(**more: Any) -> dict[str, Any]:
    scale = {"type": "utc", **more.pop("scale", {})}
    return {"field": "from", "type": "temporal", "title": None, "scale": scale, **more}


def _upper(scale: Mapping[str, Any]) -> dict[str, Any]:
    when = {
        "field": "from",
        "type": "temporal",
        "timeUnit": "utcyearmonthdatehoursminutes",
        "format": "%Y-%m-%d %H:%M",
    }
    colour = {"domain": list(KINDS), "range": list(KINDS.values())}
    return {
        "width": 600,
        "height": 150,
        "data": {"name": "alarms"},
        "mark": {"type": "bar", "binSpacing": 0, "clip": True},
        "encoding": {
            "x": _x(scale=scale, axis={"tickCount": 6, "labelOverlap": True}),
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
            "tooltip": [{"field": "kind"}, {"field": "units"}, when],
        },
    }


def _lower() -> dict[str, Any]:
    return {
        "width": 600,
        "height": 70,
        "data": {"name": "drift"},
        "mark": {"type": "bar", "color": LIGHT["violet"], "binSpacing": 0},
        "encoding": {
            "x": _x(axis={"tickCount": 6, "labelOverlap": True}),
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


def _described(counts: Binned) -> str:
    totals = {kind: int(of.sum()) for kind, of in counts.kinds.items()}
    said = ", ".join(
        f"{count:,} {kind}{'s' * (kind != 'missed' and count != 1)}" for kind, count in totals.items()
    )
    half = BINS // 2
    early, late = (_share(counts.unseen[part], counts.every[part]) for part in (slice(half), slice(half, BINS)))
    if len(counts.every.nonzero()[0]) > 1:
        halves = f"{early:.1%} in the first half, {late:.1%} in the second"
        said += f"; units with keys that training does not have: {halves}"
    return f"{said}. A unit stands at its last line; times as the log has them."


def _share(some: Any, every: Any) -> float:
    return float(some.sum() / max(every.sum(), 1))


def _text(milliseconds: float) -> str:
    return datetime.datetime.fromtimestamp(milliseconds / 1e3, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
