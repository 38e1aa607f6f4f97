"""Figures of scoring as a text file for Prometheus, which node_exporter's textfile collector reads."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

from ..base.files import written

# Metric → its type and help. Counters end in _total, times in _seconds, by Prometheus' rules for names.
METRICS = {
    "logbench_units_total": ("counter", "Units scored."),
    "logbench_alarms_total": ("counter", "New alarms."),
    "logbench_incidents_total": ("counter", "Incidents that began."),
    "logbench_read_bytes_total": ("counter", "Bytes read from a stream."),
    "logbench_lines_total": ("counter", "Events read from a stream, most of them a line."),
    "logbench_late_lines_total": ("counter", "Lines that came after their session was closed."),
    "logbench_unmatched_lines_total": ("counter", "Lines that are not as the format says."),
    "logbench_threshold": ("gauge", "Units that score above it alarm."),
    "logbench_open_sessions": ("gauge", "Sessions of a stream that are not scored yet."),
    "logbench_waiting_alarms": ("gauge", "Alarms that could not be sent to the webhook yet."),
    "logbench_last_alarm_timestamp_seconds": ("gauge", "When the last new alarm was made."),
    "logbench_last_update_timestamp_seconds": ("gauge", "When this file was written."),
}


def text_of(values: Mapping[str, float], labels: Mapping[str, str]) -> str:
    """Prometheus' text format, version 0.0.4, of the metrics in `METRICS` that have a value.

    Examples:
        >>> print(text_of({"logbench_alarms_total": 3}, {"model": "shop"}), end="")
        # HELP logbench_alarms_total New alarms.
        # TYPE logbench_alarms_total counter
        logbench_alarms_total{model="shop"} 3
    """
    marks = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    lines = []
    for name, (kind, meaning) in METRICS.items():
        if name in values:
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
            lines.append(f"{name}{{{marks}}} {_number(values[name])}")
    return "".join(f"{line}\n" for line in lines)


def write_text(file: Path, values: Mapping[str, float], labels: Mapping[str, str]) -> None:
    """Write them under a temporary name that the collector passes over, then rename it.

    Raises:
        DataError: it cannot be written.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with written(file):
        try:
            temporary.write_text(text_of(values, labels), encoding="utf-8")
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
