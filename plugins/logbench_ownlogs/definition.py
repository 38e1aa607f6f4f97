"""Logs of one's own: a TOML file says where they lie and how they are read, and is a data set from then on.

Keys are those of `OwnLog` (`logbench datasets add --example` prints them all with comments): where the files are,
every option of `LineFormat`, where labels come from, and what a unit is. Only `files` must be given. A definition
is used as `--dataset ./my.toml`, or by name once it was added to the user's folder (`LOGBENCH_CONFIG`, or the
platform's own place for configuration).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from logbench import ConfigError, LineFormat, make_options, meant, option, suggest, toml_values

from .completion import PLAIN, completed
from .named import names

# Keys that may be one text in place of a list.
LISTS = ("time", "time_format", "normal", "anomalous", "files", "key", "more", "inner", "columns")
# How times of Parquet are written in JSON.
ISO = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%#z"]
Windower = Literal["", "session", "node", "file", "time", "count"]


@dataclass(frozen=True)
class OwnLog(LineFormat):
    """A definition: the fields of `LineFormat`, and these."""

    format: str = dataclasses.field(
        default="pattern",
        metadata={
            **option(
                "",
                "what a line is: pattern, regex, json, logfmt, csv, tsv, parquet, a name, lnav:FILE, or auto",
            ).metadata,
            "pattern": f"^({'|'.join((*PLAIN, *names()))}|auto|parquet|lnav:.+)$",
        },
    )
    title: str = option("", "one line for people")
    folder: str = option("", "folder that files are looked up in; empty: the one of the TOML file")
    files: tuple[str, ...] = option((), "names or globs of the log files, ** for any folders, in this order")
    events: str = option(
        "", "field with the events of a unit, in a table of a row a unit: a list, or a text such as [E5,E22]"
    )
    labels: str = option("", "CSV file with labels by session, a header in its first line")
    labels_unit: str = option("unit", "its column with the session's id")
    labels_label: str = option("label", "its column with the label, see normal and anomalous")
    windower: Windower = option(
        "",
        "what a unit is: session, node, file, time or count; empty: session where there is an id, else time "
        "where there is one, else count",
    )
    window: str = option("", "size of a window, such as 10m for time or 100 for count")
    gap: str = option("", "session: silence after which an id begins another session, such as 10m")
    parser: str = option("drain", "parser of the messages")
    protocol: str = option("chronological", "preset with the protocol")

    @property
    def line_format(self) -> LineFormat:
        """How lines are read."""
        return LineFormat(**{f.name: getattr(self, f.name) for f in dataclasses.fields(LineFormat)})

    @property
    def grouped_by(self) -> str:
        """The windower's name."""
        return self.windower or ("session" if self.id or self.events else "time" if self.time else "count")


def load(path: Path) -> OwnLog:
    """The definition in a TOML file, checked as far as it can be without data; `folder` is absolute.

    Raises:
        ConfigError: one line that names the file and the key.
    """
    return load_values(path, toml_values(path, str(path), "utf-8-sig"))


def load_values(path: Path, given: Mapping[str, Any]) -> OwnLog:
    """The definition of these keys, as if they stood in the file `path`; see `load`."""
    given = {**given, **_meant(given)}
    if given.get("format") == "parquet":  # its rows are read as JSON
        given = {**({"time_format": ISO} if given.get("time") else {}), **given, "format": "json"}
    if given.get("events"):
        given = {"message": given["events"], "parser": "none", **given}
    _check_types(path, given)
    values = completed(path, given)
    for key, value in values.items():
        if key in LISTS and isinstance(value, str):
            values[key] = (value,)
    own: OwnLog = make_options(OwnLog, values, str(path))
    with naming(path):
        _check(own)
    return dataclasses.replace(own, folder=str((path.parent / own.folder).resolve()))


def _meant(given: Mapping[str, Any]) -> dict[str, str]:
    """The names of a format and a windower as they are known, where a user wrote them in another case."""
    known = {"format": (*PLAIN, *names(), "auto", "parquet"), "windower": get_args(Windower)}
    return {key: meant(given[key], some) for key, some in known.items() if isinstance(given.get(key), str)}


def _check_types(path: Path, values: Mapping[str, Any]) -> None:
    """Refuse keys that there are not, and values of another type, before anything is found out from them."""
    known = [field.name for field in dataclasses.fields(OwnLog)]
    plain = {}
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"{path}: {key}: no such key{suggest(key, known)}")
        if "\0" in str(value):
            raise ConfigError(f"{path}: {key}: holds a NUL")
        if key == "format" and not isinstance(value, str):
            raise ConfigError(f"{path}: format: must be a text, such as pattern")
        if key == "inner" and not all(isinstance(one, str | dict) for one in _listed(value)):
            raise ConfigError(f"{path}: inner: must be names of formats, or tables")
        if key not in ("format", "inner"):
            plain[key] = (value,) if key in LISTS and isinstance(value, str) else value
    make_options(OwnLog, plain, str(path))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class naming:  # noqa: N801 (used like a function)
    """Puts the file's name before what a `ConfigError` says."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ConfigError):
            raise ConfigError(f"{self.path}: {error}") from None


def _check(own: OwnLog) -> None:
    by, has = own.grouped_by, {"session": own.id or own.events, "node": own.node, "time": own.time}
    if own.events and by != "session":
        raise ConfigError(f"events: a row is a session; windower = {by} has no rows of units")
    if not own.files:
        raise ConfigError('files: say where the logs are, such as files = ["*.log"]')
    if not has.get(by, True):
        key = "id" if by == "session" else by
        raise ConfigError(f"windower: {by} needs the key {key}, the field that holds it")
    if own.window and by not in ("time", "count"):
        raise ConfigError(f'window: a {by} has no size; set windower = "time" or "count"')
    if own.gap and (by != "session" or not own.time):
        raise ConfigError("gap: a session ends by silence; it needs the keys id and time")
    if own.labels and own.label:
        raise ConfigError("labels: labels come from a file or from a field of the line (label), not both")
    if own.labels and by in ("time", "count"):
        raise ConfigError(f"labels: a file labels sessions, and units are windows by {by}; name the id")
