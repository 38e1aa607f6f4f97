"""The table of cost beside quality: its cells, and the rows that no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence

from .cost import front
from .rows import Row


def cost_columns(rows: Sequence[Row], metric: str, each_seed: bool) -> dict[str, list[str]]:
    """Cells by heading of rows that gave something, without columns that hold nothing."""
    columns = {
        "model": [_named(row, each_seed) for row in rows],
        metric: [_three(row.metrics.get(metric)) for row in rows],
        "parameters": [_whole(row.cost.parameters) for row in rows],
        "fit\ns": [_seconds(row.cost.fit_s) for row in rows],
        "fit\nCPU s": [_seconds(row.cost.fit_cpu_s) for row in rows],
        "scored\nunits/s": [_whole(row.cost.units_per_s) for row in rows],
        "peak\nMB": [_whole(row.cost.peak_mb) for row in rows],
        "added\nMB": [_whole(row.cost.added_mb) for row in rows],
        "GPU\nMB": [_whole(row.cost.peak_gpu_mb or None) for row in rows],
        "device": [row.cost.device or "" for row in rows],
    }
    alike = len({*columns["device"]}) == 1  # then it stands above the table
    return {
        name: cells
        for name, cells in columns.items()
        if any(cell not in {"", "–"} for cell in cells) and not (name == "device" and alike)
    }


def cost_heading(rows: Sequence[Row]) -> str:
    """What the table is of."""
    devices = {row.cost.device for row in rows}
    where = f" on {device}" if len(devices) == 1 and (device := next(iter(devices))) else ""
    means = ", means over runs" if any(row.runs > 1 for row in rows) else ""
    return f"cost{where}{means}"


def front_line(rows: Sequence[Row], metric: str, lower: bool, each_seed: bool) -> list[str]:
    """Name the rows that none beats in quality and time; nothing where fewer than two have both."""
    points = {
        _named(row, each_seed): (value, row.cost.seconds)
        for row in rows
        if (value := row.metrics.get(metric)) is not None and row.cost.seconds is not None
    }
    known = {name: (value, seconds) for name, (value, seconds) in points.items() if seconds is not None}
    if len(known) < 2:
        return []
    names = sorted(front(known, lower), key=lambda name: known[name][1])
    return [f"Pareto front of {metric} against fit + score seconds, the fastest first: {', '.join(names)}"]


def untimed(rows: Sequence[Row]) -> list[str]:
    """Say why rows have no times where no runs went side by side."""
    names = [row.name for row in rows if row.cost.fit_s is None]
    return [f"without times, as scores are those of an earlier run: {', '.join(names)}"] if names else []


def _named(row: Row, each_seed: bool) -> str:
    return f"{row.name} seed {row.seeds[0]} split {row.splits[0]}" if each_seed else row.name


def _three(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 3) + 0.0:,.3f}"  # no -0.000


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
