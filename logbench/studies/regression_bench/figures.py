"""What of a run is kept to be compared with: its metrics, times, and the identity of what it measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...api.record_sections import Record
from ...base.errors import ConfigError
from ...base.jsonable import to_jsonable
from ...evaluation.metrics import direction, figure, shown_metrics
from ...evaluation.metrics import figures as named_figures
from ...running.identity import digest, material
from .cells import Cell
from .figures_file import FORMAT, Row
from .suite import Suite

HARDWARE = ("processor", "cores", "memory_mb")


def figures(cell: Cell, record: Record, suite: Suite) -> Row:
    """What of a run is kept to be compared with.

    Raises:
        ConfigError: a gate's metric is not in the record, is undefined, or has no direction.
    """
    row = cell.id.as_dict()
    if (error := record["error"]) is not None:
        return {**row, "status": record["status"], "error": error["message"]}
    known = named_figures(record)
    kept = {name: known.get(name) for name in shown_metrics(record)}
    kept |= {name: _gating(record, name, suite) for name in suite.gates}
    stages = record["stages"]
    return {
        **row,
        "status": "ok",
        "identity": identity(record, cell),
        "metrics": {name: round(value, 4) for name, value in kept.items() if value is not None},
        "fit_s": stages["fit"]["wall_s"],
        "score_s": stages["score"]["wall_s"],
        "peak_rss_mb": stages["score"]["peak_rss_mb"],
    }


def _gating(record: Record, name: str, suite: Suite) -> float:
    """The metric of a gate."""
    try:
        value = figure(record, name)
        direction(record, name)
    except ConfigError as error:
        raise ConfigError(f"{suite.name}: gates.{name}: {error}") from None
    if value is None:
        raise ConfigError(f"{suite.name}: gates.{name}: it is undefined in {record['run_id']}")
    return value


def identity(record: Record, cell: Cell) -> Row:
    """What must be the same for two figures to be compared, each in 12 hexadecimal digits.

    Code is not among it: what edited code does to a figure is what a gate is for. Edits that change the data
    themselves show in the digests of raw files and of names and labels of the units on each side.
    """
    resolved = cell.resolved
    parts: dict[str, Any] = {"data": material(record), "split": record["split"]["digest"]}
    parts["protocol"] = record["protocol"]["hash"]
    parts |= {f"{kind} options": [part.name, part.as_dict()] for kind, part in resolved.single.items()}
    parts["evaluators"] = [[part.name, part.as_dict()] for part in resolved.evaluators]
    named = {name: digest(to_jsonable(value))[:12] for name, value in parts.items()}
    return {**named, "benchmark_version": cell.version}


def header(suite: Suite, records: Sequence[Record]) -> Row:
    """The first line of a file of figures: what they were made with, and what they are gated by."""
    first = records[0]
    versions = {plugin["distribution"]: plugin["version"] for r in records for plugin in r["plugins"].values()}
    return {
        "bench_format": FORMAT,
        "suite": suite.name,
        "gates": dict(suite.gates),
        "directions": {
            name: direction(record, name) for name in suite.gates for record in records if record["status"] == "ok"
        },
        "versions": dict(sorted(versions.items())),
        "revision": first["source"].get("revision"),
        "hardware": {name: first["environment"].get(name) for name in HARDWARE},
        "contended": any(record["environment"].get("contended") for record in records),
    }
