"""What a definition leaves to be found out: named formats, formats within the message, pieces, the year."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from logbench import ConfigError, DataError, suggest

from .lnav import lnav_format
from .named import named, names
from .sniff import TRIED, best, concrete, read_sample, sample_of

# Formats that the core reads by itself.
PLAIN = ("pattern", "regex", "json", "logfmt", "csv", "tsv")
# By which names the fields of these are looked for where a definition names no message.
USUAL = {"json": "json-lines", "logfmt": "logfmt"}
# What says where the message stands.
SHAPE = (
    "format", "pattern", "more", "message", "inner", "pieces", "stream", "records", "quote", "columns", "header",
    "separator", "multiline",
)  # fmt: skip
# What an inner format tells, beside its own form.
INNER = ("format", "pattern", "more", "message", "level", "component", "node", "time", "time_format", "multiline",
         "quote", "columns", "separator")  # fmt: skip
YEARLESS = re.compile(r"%[-_0]?[YyGgCsFDxc+v]|^epoch")
DAYLESS = re.compile(r"%[-_0]?[YyGgCsFDxc+vdejbBhm]|^epoch")


def completed(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a definition, with what it leaves open filled in from its files.

    Args:
        path: the definition's own. Where its files are not here, what only they tell is left out.

    Raises:
        ConfigError: a format is not known.
    """
    values = dict(given)
    name = values.get("format", "pattern")
    folder = path.parent / str(values.get("folder", ""))
    if not isinstance(name, str):
        return values
    lines: list[str] | None = None

    def sample() -> list[str]:
        nonlocal lines
        if lines is None:
            files = values.get("files", ())
            files = (files,) if isinstance(files, str) else files
            encoding = values.get("encoding", "utf-8")
            right = isinstance(files, list | tuple) and all(isinstance(one, str) for one in files)
            lines = sample_of(folder, files, encoding, TRIED) if right and isinstance(encoding, str) else []
        return lines

    try:
        if name in USUAL and "message" not in values:
            name = USUAL[name]
        if name not in PLAIN or (name in USUAL.values() and "message" not in values):
            values = {**_named(name, path.parent, folder, sample), **_without(given, "format")}
            values = concrete(values, sample())
            values = _dated(values, folder, sample)
        values = _with_inner(values, sample)
        return _enveloped(values, sample)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _without(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}


def _named(name: str, *rest: Any) -> dict[str, Any]:
    beside, folder, sample = rest
    if name.startswith("lnav:"):
        return lnav_format(name.removeprefix("lnav:"), (beside, folder), sample)
    if name == "auto":
        found = best(sample())
        if found is None:
            raise ConfigError("format=auto: no format fits the files; say how a line is read, see pattern")
        return dict(found.format.values)
    if name not in names():
        raise ConfigError(f"format={name}: no such format{suggest(name, [*names(), *PLAIN, 'auto', 'lnav:FILE'])}")
    return dict(named(name).values)


def _dated(values: dict[str, Any], folder: Path, sample: Callable[[], list[str]]) -> dict[str, Any]:
    """The year, or day, of the first line where times have none: by the age of the first file."""
    formats = values.get("time_format", ())
    formats = (formats,) if isinstance(formats, str) else formats
    if any(not DAYLESS.search(how) for how in formats):
        values.setdefault("date", _written(values, folder).date().isoformat())
    elif any(not YEARLESS.search(how) for how in formats):
        values.setdefault("year", _year(values, sample(), _written(values, folder)))
    return values


def _year(values: Mapping[str, Any], lines: Sequence[str], written: dt.datetime) -> int:
    """The latest year in which no line of a sample is younger than its file; of clocks a day is forgiven."""
    from polars.exceptions import ColumnNotFoundError

    try:
        frame, _ = read_sample(lines, {**values, "year": written.year, "inner": ()})
        first = frame["time"].drop_nulls().first()
    except (DataError, ConfigError, TypeError, ValueError, ColumnNotFoundError):
        return written.year
    late = isinstance(first, dt.datetime) and first.replace(tzinfo=dt.UTC) > written + dt.timedelta(days=1)
    return written.year - late


def _written(values: Mapping[str, Any], folder: Path) -> dt.datetime:
    """When the first of the files was last written, now where there is none."""
    files = values.get("files", ())
    for pattern in (files,) if isinstance(files, str) else files:
        try:
            for file in sorted(folder.glob(pattern)) if not Path(pattern).is_absolute() else [Path(pattern)]:
                return dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
        except (OSError, ValueError, NotImplementedError):
            continue
    return dt.datetime.now(dt.UTC)


def _with_inner(values: dict[str, Any], sample: Any) -> dict[str, Any]:
    """The formats within the message as tables in JSON."""
    inner = values.get("inner", ())
    chain = [inner] if isinstance(inner, str | dict) else list(inner)
    if not chain:
        return values
    tables: list[str] = []
    for one in chain:
        if isinstance(one, dict):
            tables.append(json.dumps(one))
            continue
        if one.lstrip().startswith("{"):
            tables.append(one)
            continue
        texts = _texts({**values, "inner": tables}, sample())
        if one == "auto":
            found = best(texts, within=True)
            if found is None:
                continue
            table = dict(found.format.values)
        else:
            table = dict(named(USUAL.get(one, one)).values)
        table = concrete(table, texts)
        tables.append(json.dumps({key: table[key] for key in INNER if key in table}))
        values = _dated(
            {**values, "time_format": values.get("time_format", table.get("time_format", ()))}, Path(), sample
        )
    return {**values, "inner": tables}


def _texts(values: Mapping[str, Any], lines: Sequence[str]) -> list[str]:
    """The messages of a sample, read so far; none where it cannot be read."""
    if not lines:
        return []
    plain = {key: values[key] for key in SHAPE if key in values}
    try:
        frame, _ = read_sample(lines, plain)
    except (DataError, ConfigError, TypeError, ValueError):
        return []
    return [line for text in frame["message"].fill_null("").to_list() for line in text.split("\n")]


def _enveloped(values: dict[str, Any], sample: Any) -> dict[str, Any]:
    """What a runtime's envelope is known to do, where a definition by its own patterns says nothing of it.

    Kubernetes tags pieces P, Docker leaves their line end out, and stack traces come line by line.
    """
    told = ("pieces", "inner", "traces", "multiline", "stream", "records")
    if values.get("format", "pattern") not in ("pattern", "regex", "json") or any(key in values for key in told):
        return values
    if values.get("format") == "json":
        if values.get("message") != "log" or not any('"stream":' in line for line in sample()[:3]):
            return values
        found = {"stream": "stream", "pieces": "newline", "traces": True}
    else:
        found = _tagged(values, sample)
        if not found:
            return values
    return _with_inner({**values, **found, "inner": ["auto"]}, sample)


def _tagged(values: Mapping[str, Any], sample: Any) -> dict[str, Any]:
    """The fields of a pattern that hold a stream's name and the tag P or F of Kubernetes in every line."""
    pattern = str(values.get("pattern", ""))
    fields = re.findall(r"<([A-Za-z_]\w*)>", pattern)
    if len(fields) < 4 or not any(" stdout " in line or " stderr " in line for line in sample()[:3]):
        return {}
    texts: dict[str, set[str]] = {}
    for name in fields:
        try:
            frame, _ = read_sample(sample(), {**_only(values, "format", "pattern"), "message": name})
        except (DataError, ConfigError):
            return {}
        texts[name] = set(frame["message"].to_list()[:TRIED])
    stream = next((name for name, seen in texts.items() if seen <= {"stdout", "stderr"}), None)
    tag = next((name for name, seen in texts.items() if seen <= {"P", "F"}), None)
    return {"stream": stream, "pieces": f"{tag}=P", "traces": True} if stream and tag else {}


def _only(values: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: values[key] for key in keys if key in values}
