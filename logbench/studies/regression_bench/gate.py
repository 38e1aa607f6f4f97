"""The gate: figures beside those of a baseline, and which of them got worse than a gate allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...api.components import Direction
from ...base.errors import DataError
from ...evaluation.metrics import loss
from .figures_file import LABELS, Row

# A run that took less than this longer is not slower, whatever the factor.
NOISE_S = 0.5

# Metric → largest loss that passes, and which way it is better.
Gates = Mapping[str, tuple[float, Direction]]


def compare(baseline: tuple[Row, list[Row]], new: tuple[Row, list[Row]], slower: float | None = None) -> list[Row]:
    """One row a cell: `state`, and `was` and `now` of every metric that NEW gates.

    Args:
        slower: on the same hardware, how many times longer fit and score may take; None: times do not gate.

    Returns:
        `state` is `ok`, `better`, `WORSE` or `SLOWER`; `failed` where the new run did; `changed`, `new` or `gone`
        where there is no old or no new figure to compare.

    Raises:
        DataError: neither file says which way a gate's metric is better, or they contradict each other.
    """
    (old_head, old_rows), (head, rows) = baseline, new
    timed = same_hardware(old_head, head)
    known = {_key(row): row for row in old_rows}
    gates = _gates(old_head, head) if any(row["status"] == "ok" for row in rows) else {}
    found = [_compared(known.pop(_key(row), None), row, gates, slower if timed else None) for row in rows]
    return [
        *found,
        *(
            {**_labels(row), "state": "gone", "why": "not in NEW", "old": row, "new": None}
            for row in known.values()
        ),
    ]


def _gates(old: Row, new: Row) -> Gates:
    """The gates of NEW, each with its direction; a BASELINE of before metrics declared one has none."""
    was, now = old.get("directions", {}), new.get("directions", {})
    if lacking := [name for name in new["gates"] if name not in {**was, **now}]:
        raise DataError(f"neither file says which way {', '.join(lacking)} is better; write NEW anew: "
                        "logbench bench run SUITE.toml --out NEW")  # fmt: skip
    if other := [name for name in new["gates"] if {was.get(name), now.get(name)} == {"higher", "lower"}]:
        raise DataError(f"{other[0]} is better {was[other[0]]} in BASELINE, {now[other[0]]} in NEW")
    return {name: (most, {**was, **now}[name]) for name, most in new["gates"].items()}


def same_hardware(first: Row, second: Row) -> bool:
    """Whether times of two files may be compared."""
    alone = not (first["contended"] or second["contended"])
    return bool(first["hardware"] == second["hardware"]) and alone


def _labels(row: Row) -> Row:
    return {name: row[name] for name in LABELS}


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(_labels(row).values())


def _compared(old: Row | None, row: Row, gates: Gates, slower: float | None) -> Row:
    state, why = _comparable(old, row, gates)
    if state == "ok" and old is not None and row["status"] == "ok":
        state, why = _gated(old, row, gates, slower)
    return {**_labels(row), "state": state, "why": why, "old": old, "new": row}


def _comparable(old: Row | None, row: Row, gates: Gates) -> tuple[str, str]:
    """`ok`, or what stands in the way."""
    if row["status"] != "ok":
        alike = old is not None and old["status"] == row["status"] == "skipped"
        return ("ok", "") if alike else ("failed", row["error"])
    if old is None or old["status"] != "ok":
        return "new", "no figure in BASELINE"
    names = {*old["identity"], *row["identity"]}
    changed = sorted(name for name in names if old["identity"].get(name) != row["identity"].get(name))
    missing = [name for name in gates if name not in old["metrics"]]
    if changed:
        return "changed", ", ".join(changed)
    return ("new", f"no {', '.join(missing)} in BASELINE") if missing else ("ok", "")


def _gated(old: Row, row: Row, gates: Gates, slower: float | None) -> tuple[str, str]:
    losses = {name: loss(way, old["metrics"][name], row["metrics"][name]) for name, (_, way) in gates.items()}
    if worse := [name for name, lost in losses.items() if lost > gates[name][0] + 1e-9]:
        said = (f"{n} {row['metrics'][n]:.4f}, was {old['metrics'][n]:.4f}, gate {gates[n][0]:g}" for n in worse)
        return "WORSE", "; ".join(said)
    took, before = (one["fit_s"] + one["score_s"] for one in (row, old))
    if slower is not None and took > max(slower * before, before + NOISE_S):
        return "SLOWER", f"{took:.2f} s, was {before:.2f} s, gate {slower:g}x"
    return ("better" if any(lost < -gates[name][0] - 1e-9 for name, lost in losses.items()) else "ok"), ""
