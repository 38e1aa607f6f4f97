"""Logs of one's own: a TOML file says where they lie and how they are read, and is a data set from then on.

Keys are those of `OwnLog` (`logbench datasets add --example` prints them all with comments): where the files are,
every option of `LineFormat`, where labels come from, and what a unit is. Only `files` must be given. A definition
is used as `--dataset ./my.toml`, or by name once it was added to the user's folder (`LOGBENCH_CONFIG`, or the
platform's own place for configuration).
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from ..api.components import Card, DatasetComponent
from ..base.errors import ConfigError, DataError
from ..base.options import make, option, suggest, toml_values
from ..data.line_format import LineFormat

if TYPE_CHECKING:
    import polars as pl

    from ..data.lines import Lines

Windower = Literal["", "session", "node", "file", "time", "count"]
# Labels of a labels file that mean normal where the definition does not say, in any case of letters.
NORMAL = ("normal", "0", "-", "false", "no")

# Keys that the data set's card takes; what a user may say instead are the options of a run.
CARD = ("title", "windower", "window", "parser", "protocol")


@dataclass(frozen=True)
class OwnLog(LineFormat):
    """A definition: the fields of `LineFormat`, and these."""

    title: str = option("", "one line for people")
    folder: str = option("", "folder that files are looked up in; empty: the one of the TOML file")
    files: tuple[str, ...] = option((), "names or globs of the log files, ** for any folders, in this order")
    labels: str = option("", "CSV file with labels by session, a header in its first line")
    labels_unit: str = option("unit", "its column with the session's id")
    labels_label: str = option("label", "its column with the label, see normal and anomalous")
    windower: Windower = option(
        "",
        "what a unit is: session, node, file, time or count; empty: session where there is an id, else time "
        "where there is one, else count",
    )
    window: str = option("", "size of a window, such as 10m for time or 100 for count")
    parser: str = option("drain", "parser of the messages")
    protocol: str = option("chronological", "preset with the protocol")

    @property
    def line_format(self) -> LineFormat:
        """How lines are read."""
        return LineFormat(**{f.name: getattr(self, f.name) for f in dataclasses.fields(LineFormat)})

    @property
    def grouped_by(self) -> str:
        """The windower's name."""
        return self.windower or ("session" if self.id else "time" if self.time else "count")


def folder() -> Path:
    """Where added definitions lie."""
    import platformdirs

    given = os.environ.get("LOGBENCH_CONFIG")
    return (Path(given) if given else Path(platformdirs.user_config_dir("logbench"))) / "datasets"


def load(path: Path) -> OwnLog:
    """The definition in a TOML file, checked as far as it can be without data; `folder` is absolute.

    Raises:
        ConfigError: one line that names the file and the key.
    """
    values = toml_values(path, str(path), "utf-8-sig")
    known = [field.name for field in dataclasses.fields(OwnLog)]
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"{path}: {key}: no such key{suggest(key, known)}")
        if key in ("time", "time_format", "normal", "anomalous", "files") and isinstance(value, str):
            values[key] = (value,)
    own: OwnLog = make(OwnLog, values, str(path))
    with _said_of(path):
        _check(own)
    return dataclasses.replace(own, folder=str((path.parent / own.folder).resolve()))


class _said_of:  # noqa: N801 (reads as a word where it is used)
    """Puts the file's name before what a `ConfigError` says."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ConfigError):
            raise ConfigError(f"{self.path}: {error}") from None


def _check(own: OwnLog) -> None:
    by, has = own.grouped_by, {"session": own.id, "node": own.node, "time": own.time}
    if not own.files:
        raise ConfigError('files: say where the logs are, such as files = ["*.log"]')
    if not has.get(by, True):
        key = "id" if by == "session" else by
        raise ConfigError(f"windower: {by} needs the key {key}, the field that holds it")
    if own.window and by not in ("time", "count"):
        raise ConfigError(f'window: a {by} has no size; set windower = "time" or "count"')
    if own.labels and own.label:
        raise ConfigError("labels: labels come from a file or from a field of the line (label), not both")
    if own.labels and by in ("time", "count"):
        raise ConfigError(f"labels: a file labels sessions, and units are windows by {by}; name the id")


def component(path: Path, name: str) -> DatasetComponent[Any]:
    """The data set that a TOML file defines. Keys that say how lines are read are options of it, too (`--set`).

    Raises:
        ConfigError: see `load`.
    """
    return defined(load(path), name)


def stored(config: Mapping[str, Any], name: str) -> DatasetComponent[Any] | None:
    """The data set that a record or bundle holds in its configuration; None where it is no own log.

    So a bundle scores logs also where the definition was never added, or has changed since.
    """
    if not {"folder", "files", "format"} <= config.keys():
        return None
    return defined(make(OwnLog, config, name), name)


def defined(own: OwnLog, name: str) -> DatasetComponent[Any]:
    """The data set of a definition."""
    hints = get_type_hints(OwnLog)
    fields: list[Any] = [
        (f.name, hints[f.name], option(getattr(own, f.name), f.metadata["help"], **f.metadata["bounds"]))
        for f in dataclasses.fields(OwnLog)
        if f.name not in CARD
    ]
    config = dataclasses.make_dataclass("OwnLogConfig", fields, frozen=True)
    sizes = {own.grouped_by: {"size": own.window}} if own.window else {}
    card = Card(
        title=own.title or f"your logs: {', '.join(own.files)}",
        label=_labelled(own),
        layout=f"a log file, or a folder with {', '.join(own.files)}",
        parser=own.parser,
        windower=own.grouped_by,
        protocol=own.protocol,
        unit="window" if own.grouped_by in ("time", "count") else own.grouped_by,
        settings=sizes,
    )
    return DatasetComponent(name, OwnLogs, config, card.title, card=card)


def _labelled(own: OwnLog) -> str:
    if own.labels:
        return f"by session, from {own.labels}"
    return (
        f"by line, from the field {own.label}" if own.label else "there are none: runs rank, and measure nothing"
    )


def added() -> Iterator[tuple[str, Callable[[], DatasetComponent[Any]]]]:
    """Names of added definitions, and how each is had."""
    for path in sorted(folder().glob("*.toml")):
        yield path.stem, partial(component, path, path.stem)


class OwnLogs:
    """Reads logs by a definition."""

    def __init__(self, config: Any) -> None:
        self.config = OwnLog(**dataclasses.asdict(config))

    @property
    def home(self) -> Path:
        """Where the files are unless the user says otherwise."""
        return Path(self.config.folder)

    def read(self, path: Path) -> Lines:
        """Lines as the definition says; the labels file is looked for when labels are asked for.

        See `Dataset.read`.
        """
        from ..reading.byte_streams import readable
        from ..reading.line_reader import open_lines

        own, file = self.config, self.home / self.config.labels
        if not own.labels:
            return open_lines(path, own.files, own.line_format)
        with readable(str(file)[:200]):
            also = [file] if file.is_file() else []
        return open_lines(path, own.files, own.line_format, lambda units: read_labels(file, own), also)


def read_labels(path: Path, own: OwnLog) -> pl.DataFrame:
    """Columns `unit` and `label` of a labels file; equal rows count once.

    Raises:
        DataError: no CSV, a column is missing, a unit has both labels, or a label means neither.
    """
    import polars as pl

    if not path.is_file():
        raise DataError(f"{path}: no such file, and the definition takes labels from it")
    try:
        frame = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: no CSV file: {str(error).splitlines()[0]}") from None
    for name in (own.labels_unit, own.labels_label):
        if name not in frame.columns:
            raise DataError(f"{path}: has no column {name!r}{suggest(name, frame.columns)}")
    said = pl.col(own.labels_label).str.strip_chars()
    if own.normal or own.anomalous:
        normal, anomalous = said.is_in(list(own.normal)), said.is_in(list(own.anomalous))
    else:
        normal, anomalous = said.str.to_lowercase().is_in(list(NORMAL)), pl.lit(False)
    other = None if own.normal and own.anomalous else 0 if own.anomalous else 1
    label = pl.when(anomalous).then(1).when(normal).then(0).otherwise(other)
    table = frame.select(unit=own.labels_unit, label=label.cast(pl.Int8)).unique(maintain_order=True)
    if len(neither := table.filter(pl.col("label").is_null() | pl.col("unit").is_null())):
        raise DataError(f"{path}: the label of {neither['unit'][0]} is in neither normal nor anomalous")
    if twice := table.filter(pl.col("unit").is_duplicated())["unit"].to_list():
        raise DataError(f"{path}: gives {twice[0]} both labels; remove one")
    return table


def add(path: Path, name: str, taken: Mapping[str, Any]) -> Path:
    """Copy a definition to the user's folder, with the place of its files written in; the copy's path.

    Raises:
        ConfigError: it is wrong, or its name is another data set's or no word.
    """
    from ..base.files import written
    from ..reading.line_fields import checked

    own, target = load(path), folder() / f"{name}.toml"
    with _said_of(path):
        checked(own.line_format)
    if not re.fullmatch(r"[\w.-]+", name):
        raise ConfigError(f"{name!r} is no name; letters, digits, _, - and . only (--name)")
    if name in taken and not target.exists():
        raise ConfigError(f"{name!r} is another data set's name; choose one with --name")
    text = re.sub(r"(?m)^\s*folder\s*=.*\n?", "", path.read_text(encoding="utf-8-sig"))
    temporary = target.with_suffix(".new")
    with written(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(f"folder = {json.dumps(own.folder, ensure_ascii=False)}\n{text}", encoding="utf-8")
        temporary.rename(target)
    return target


def remove(name: str) -> Path:
    """Delete an added definition; the logs stay.

    Raises:
        ConfigError: there is none of that name.
    """
    target = folder() / f"{name}.toml"
    if not target.is_file():
        raise ConfigError(f"{name!r} was not added{suggest(name, [name for name, _ in added()])}")
    target.unlink()
    return target


def example() -> str:
    """A definition with every key and what it means; what is commented out has its default."""
    given = {
        "files": '["logs/*.log", "old/*.log.gz"]',
        "pattern": "'<Date> <Time> <Pid> <Level> <Component>: <Content>'",
        "time": '["Date", "Time"]',
        "time_format": '["%Y-%m-%d %H:%M:%S,%f"]',
        "level": '"Level"',
        "component": '"Component"',
        "id": '"message"',
        "id_pattern": "'session=([0-9a-f]+)'",
    }
    lines = ["# How logbench reads a log: logbench datasets check my.toml, then logbench datasets add my.toml", ""]
    own = [f.name for f in dataclasses.fields(LineFormat)]
    known = {f.name: f for f in dataclasses.fields(OwnLog)}
    for key in ("title", "files", *own, *(key for key in known if key not in ("title", "files", *own))):
        lines.append(f"# {known[key].metadata['help']}")
        lines.append(f"{key} = {given[key]}" if key in given else f"# {key} = {_toml(known[key].default)}")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f"'{value}'" if isinstance(value, str) else str(value)
