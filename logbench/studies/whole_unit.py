"""All lines of one unit, of a run or of what `score` or `detect` last looked at, with the event that decided."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from ..api.protocol import EvaluationProtocol
from ..api.record_sections import Record
from ..base.errors import DataError, LogbenchError
from ..base.progress import Progress
from ..components.configured import ConfiguredComponent, configured
from ..components.registry import Registry
from ..data.lines import KeySequences, Lines
from ..pipeline.coding import batches
from ..pipeline.line_split import Cuts, SplitWindower, cuts_lines
from ..pipeline.windower_input import WindowerInput
from ..reading.data_parts import open_data
from ..running import looks, records, run_names
from ..running.log_digest import digest_of
from ..running.looks import Look, Source, stamps_of
from ..running.resolve import stored_dataset
from ..running.stored import part, table

# Looks, which `show` takes in place of a run.
LOOKS = ("score", "detect")


@dataclass(frozen=True)
class WholeUnit:
    """A unit and its lines.

    Attributes:
        name: the unit's. of: run or command that it is of.
        facts: what is known of it, such as `score`, `verdict` and `why`; empty for a unit of the training.
        lines: of each line `number` (from 0), `file` and `line` (from 1), `text`, `raw`, and `mark`: `decided`,
            `telling` or nothing. Of key sequences `text` alone.
    """

    name: str
    of: str
    facts: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]

    @property
    def around(self) -> int | None:
        """The line that decided, or else the first one that tells; None where no line does."""
        for mark in ("decided", "telling"):
            if marked := [at for at, line in enumerate(self.lines) if line["mark"] == mark]:
                return marked[0]
        return None


def whole_unit(words: Sequence[str], folder: Path, registry: Registry, progress: Progress) -> WholeUnit:
    """The unit that a user names.

    Args:
        words: a run, or `score` or `detect`, and the unit; or the unit alone, of the newest of these that has it.
            The beginning of a name will do, if no other begins so.
        folder: of the records.

    Raises:
        DataError: there is no such unit, or its log is gone or has changed.
    """
    if len(words) > 1 and (look := _named(words[0], folder, registry)) is not None:
        return _of(look, " ".join(words[1:]), registry, progress)
    name, found = " ".join(words), list(_newest(folder, registry))
    known: list[str] = []
    for look in sorted(found, key=lambda look: name not in look.units):
        known += look.units
        if _begun(name, look.units):
            return _of(look, name, registry, progress)
    if not found:
        raise DataError(f"{name}: no run in {folder} is called so, and nothing was scored or detected lately")
    raise DataError(
        f"{name}: neither a run in {folder}, nor a unit of {', '.join(look.command for look in found)}"
        f"{_like(name, known)}; name the run: logbench show RUN UNIT"
    )


def _of(look: Look, asked: str, registry: Registry, progress: Progress) -> WholeUnit:
    for name in (asked, _begun(asked, look.units)):
        if name and (lines := _lines_of(look, name, registry, progress)):
            break
    else:
        raise DataError(f"{look.command}: no unit {asked}{_like(asked, look.units)}")
    facts = look.units.get(name, {})
    telling, decided = facts.get("telling") or (), facts.get("line") if facts.get("event", -1) >= 0 else None
    place = facts.get("event") if decided is None and facts.get("event", -1) >= 0 else None  # of a key sequence
    marked = [
        line
        | {
            "mark": "decided"
            if (line["number"] is not None and line["number"] == decided) or at == place
            else "telling"
            if line["number"] in telling
            else ""
        }
        for at, line in enumerate(lines)
    ]
    return WholeUnit(name, look.command, facts, marked)


def _lines_of(look: Look, unit: str, registry: Registry, progress: Progress) -> list[dict[str, Any]]:
    if look.source is None:
        return list(look.units.get(unit, {}).get("lines", ()))
    return _lines(look.source, unit, registry, progress)


def _begun(name: str, units: Iterable[str]) -> str:
    """The unit of this name, or the only one that begins so; empty where there is none."""
    name = name.removesuffix("…")
    begun = [unit for unit in units if unit.startswith(name)]
    return name if name in begun else begun[0] if len(begun) == 1 else ""


def _like(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _named(name: str, folder: Path, registry: Registry) -> Look | None:
    """The look or run of this name; None where there is none."""
    if name in LOOKS:
        return looks.last(name)
    try:
        record = run_names.find(name, folder)
    except DataError:
        return None
    return _of_run(record, folder, registry)


def _newest(folder: Path, registry: Registry) -> Iterable[Look]:
    """Looks and the last run, the newest first."""
    found = [look for name in LOOKS if (look := looks.last(name)) is not None]
    try:
        record = run_names.find("last", folder)
        found.append(_of_run(record, folder, registry))
    except DataError:
        pass
    return sorted(found, key=lambda look: -look.when)


def _of_run(record: Record, folder: Path, registry: Registry) -> Look:
    scores = records.scores(record, folder)
    names = dict(table(record, folder, "templates").select("key", "template").iter_rows())
    units = {
        row["unit"]: {
            **{name: row.get(name) for name in ("score", "verdict", "events", "line", "telling", "why")},
            "label": {0: "normal", 1: "anomaly"}.get(row["label"]),
            "event": -1 if row.get("decided_by") is None else row["decided_by"],
            "expected": [names.get(key) for key in row.get("expected") or []],
        }
        for row in scores.iter_rows(named=True)
    }
    windower, options = part(record, "components", "windower"), part(record, "config", "windower")
    entry = registry.get("windower", str(windower.get("file", windower["name"])))
    protocol = EvaluationProtocol.of(record["protocol"])
    config = configured(entry, options).config
    source = Source(
        record["dataset"]["name"],
        part(record, "config", "dataset"),
        entry.address,
        options,
        part(record, "dataset", "path"),
        part(record, "dataset", "digest"),
        protocol=record["protocol"] if cuts_lines(entry.item.traits, config, protocol) else None,
    )
    return Look(record["run_id"], source, units, datetime.fromisoformat(record["started"]).timestamp())


def _lines(source: Source, unit: str, registry: Registry, progress: Progress) -> list[dict[str, Any]]:
    """The lines of a unit as they stand in the log."""
    path = Path(source.path)
    dataset = configured(stored_dataset(source.dataset, source.config, registry), source.config)
    windower = configured(registry.get("windower", source.windower), source.options)
    try:
        opened = open_data(dataset.build(), dataset.name, path)
        _check(source, opened, path)
    except (LogbenchError, OSError) as error:
        raise DataError(f"unit {unit}: its log cannot be read again: {error}") from error
    if isinstance(opened, KeySequences):
        keys = opened.frame.filter(pl.col("unit") == unit)["keys"].to_list()
        nowhere = {"number": None, "file": None, "line": None, "raw": None}
        return [{**nowhere, "text": f"key {key}"} for key in (keys[0] if keys else [])]
    numbers = _numbers(opened, windower, source, unit, progress)
    found = opened.located().filter(pl.col("number").is_in(numbers)).collect(engine="streaming")
    return list(found.sort("number").iter_rows(named=True))


def _check(source: Source, opened: Lines | KeySequences, path: Path) -> None:
    if source.digest:
        same = (opened.digest or digest_of(opened.files, path)) == source.digest
    else:
        same = stamps_of(opened.files) == [list(stamp) for stamp in source.stamps]
    if not same:
        raise DataError(f"{path} has changed since")


def _numbers(
    opened: Lines, windower: ConfiguredComponent[Any], source: Source, unit: str, progress: Progress
) -> list[int]:
    """Numbers of a unit's lines, by the windower that made it."""
    built = windower.build()
    if source.protocol is not None:
        built = SplitWindower(built, Cuts.of(opened, EvaluationProtocol.of(source.protocol)))
    given = WindowerInput(opened, pl.lit("").cast(pl.Categorical(pl.Categories.random())))
    found = [batch.filter(pl.col("unit") == unit)["line"] for batch in batches(given, built, progress, False)]
    return [number for lines in found for number in lines.to_list()]
