"""A record as trackers have runs: parameters, metrics, tags, curves and files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from logbench import DataError, LogbenchError

if TYPE_CHECKING:
    from logbench import RunRecord

# Stored tables that are handed over, if the run has them.
TABLES = ("scores", "templates", "events", "shown")
COSTS = ("wall_s", "cpu_s", "peak_rss_mb", "peak_gpu_mb", "items_per_s")


@dataclass(frozen=True)
class Facts:
    """What a tracker gets of a run.

    Attributes:
        params: options as resolved and the protocol, by names such as `protocol.short`.
        metrics: figures, intervals, costs; of a run that failed none.
        curves: losses of the training, a value a pass.
        tags: how the run ended, and what tells it from others.
    """

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    curves: Mapping[str, list[float]]
    tags: Mapping[str, str]


def facts_of(record: RunRecord, out: Path | None) -> Facts:
    """What a tracker gets of a run.

    Args:
        out: folder of the records; None where nothing is kept, so that there are no intervals.
    """
    data = record.as_dict()
    return Facts(
        record.run_id, dict(_params(data)), _finite(dict(_metrics(data, out))), _curves(data), _tags(data)
    )


def _params(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "model", record["model"]
    yield "seed", record["seed"]
    for name in ("name", "digest", "unit", "simulated"):
        if name in record["dataset"]:
            yield f"data.{name}", record["dataset"][name]
    yield from ((f"protocol.{name}", value) for name, value in record["protocol"].items())
    yield "preset", record["preset"]
    for kind, facts in record["components"].items():
        if kind != "evaluators":
            yield kind, facts["name"]
    yield from _flat(record["config"], "")
    for name in ("train", "held_out", "test"):
        if name in record["split"]:
            yield f"split.{name}", record["split"][name]


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _metrics(record: Mapping[str, Any], out: Path | None) -> Iterator[tuple[str, float | None]]:
    from logbench import figures

    headline = figures(record)
    yield from headline.items()
    yield from _intervals(record, out, headline)
    for key, sections in record["metrics"].items():
        for section, values in sections.items():
            yield from ((f"{section}/{key}.{name}", value) for name, value in (values or {}).items())
    for rule, of in record["trivial"].items():
        for key, sections in of.items():
            yield f"rule/{rule}/{key}.f1", (sections["all"] or {}).get("f1")
    yield "bound/f1", record["bound"].get("f1")
    yield "threshold", record["threshold"].get("value")
    for stage, values in record["stages"].items():
        yield from ((f"cost/{stage}.{name}", values.get(name)) for name in COSTS)


def _intervals(
    record: Mapping[str, Any], out: Path | None, headline: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    if out is None or not headline:
        return
    from logbench import StoredRuns

    runs = StoredRuns(out)
    for name in headline:
        try:
            found = runs.interval(record, name)
        except LogbenchError:
            return
        if found is not None:
            yield f"{name}_low", found[0]
            yield f"{name}_high", found[1]


def _finite(values: Mapping[str, float | None]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def _curves(record: Mapping[str, Any]) -> dict[str, list[float]]:
    found = {name: record["training"].get(name) for name in ("loss_by_pass", "validation_by_pass")}
    return {name: values for name, values in found.items() if isinstance(values, list) and values}


def _tags(record: Mapping[str, Any]) -> dict[str, str]:
    error, source = record["error"] or {}, record["source"]
    found = {
        "run_id": record["run_id"],
        "status": record["status"],
        "error": error.get("message"),
        "dataset": record["dataset"].get("name"),
        "protocol": record["protocol"].get("hash"),
        "split": record["split"].get("digest"),
        "baseline": record["baseline"],
        "threshold": record["threshold"].get("source"),
        "command": record["command"],
        "logbench": source.get("version"),
        "revision": source.get("revision"),
        "device": record["environment"].get("device"),
        "notes": "\n".join(record["notes"]),
    }
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


@contextmanager
def files_of(record: RunRecord, out: Path | None) -> Iterator[list[Path]]:
    """The record as a file of JSON, and the stored tables of the run as they are."""
    with TemporaryDirectory(prefix="logbench-track-") as folder:
        text = Path(folder) / "record.json"
        text.write_text(json.dumps(record.as_dict(), indent=2, ensure_ascii=False), encoding="utf-8")
        yield [text, *_tables(record, out)]


def _tables(record: RunRecord, out: Path | None) -> Iterator[Path]:
    for name in TABLES:
        if out is not None and name in record.artifacts:
            try:
                from logbench import StoredRuns

                yield StoredRuns(out).artifact(record, name)
            except DataError:  # gone or changed since: not what the record says
                continue
