"""Guess a definition from log files: their format, what a unit is, and what makes a key, each with the reason."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import logbench
from logbench import ConfigError, DataError

from .definition import OwnLog, load_values
from .id_guess import Id, find_id
from .sniff import Fit, begins_document, best, read_sample, sample_of

if TYPE_CHECKING:
    import polars as pl

# Units that a log is cut into at least, so that 200 train, and lines that a window holds on average at least.
UNITS, LINES = 280, 5
# Units below which windows of time are too few.
FEWEST = 100
WINDOWS = (
    "1s",
    "2s",
    "5s",
    "10s",
    "15s",
    "30s",
    "1m",
    "2m",
    "5m",
    "10m",
    "15m",
    "30m",
    "1h",
    "2h",
    "6h",
    "12h",
    "1d",
)
# Lines by which keys and ids are guessed.
LOOKED_AT = 6000
# Most keys that a message of fields may make.
KEYS = 80
# Files that are no logs, by the ends of their names.
OTHERS = (
    ".toml",
    ".py",
    ".sh",
    ".md",
    ".json.gz.md5",
    ".pdf",
    ".png",
    ".parquet",
    ".pyc",
    ".html",
    ".yaml",
    ".yml",
)


@dataclasses.dataclass
class Guess:
    """A guessed definition.

    Attributes:
        values: keys of the definition, each with the reason for it, or nothing.
    """

    values: dict[str, tuple[Any, str]] = dataclasses.field(default_factory=dict)

    def say(self, key: str, value: Any, why: str = "") -> None:
        """Set a key."""
        self.values[key] = value, why

    @property
    def keys(self) -> dict[str, Any]:
        """The keys alone."""
        return {key: value for key, (value, _) in self.values.items()}

    @property
    def text(self) -> str:
        """The definition as TOML, the reasons as comments."""
        lines = ["# Guessed by logbench; look at it with: logbench datasets check FILE", ""]
        for key, (value, why) in self.values.items():
            lines += [*([f"# {why}"] if why else []), f"{key} = {_toml(value)}"]
        return "\n".join(lines) + "\n"

    @property
    def said(self) -> list[str]:
        """What was assumed, in words."""
        return [why for _, why in self.values.values() if why]


def guess(paths: Sequence[Path]) -> Guess:
    """The definition that fits log files best.

    Args:
        paths: files, or folders whose files are one log.

    Raises:
        DataError: there is no file, or none that holds a line.
    """
    found = Guess()
    folder, files = _files(paths)
    found.say("folder", str(folder))
    found.say("files", files)
    if encoding := _encoding(folder, files):
        found.say("encoding", encoding, f"the files begin with the mark of {encoding}")
    lines = sample_of(folder, files, encoding or "utf-8")
    if not any(line.strip() for line in lines):
        raise DataError(f"{', '.join(map(str, paths))}: holds no line; is the file empty?")
    fits = best(lines)
    if fits is None:
        found.say("pattern", "<Content>", "no named format fits: each line is a message, without a time")
    else:
        about = f"format {fits.format.name}: {fits.share:.0%} of the first lines fit ({fits.format.title})"
        found.say("format", fits.format.name, about)
    own = load_values(folder / "guessed.toml", found.keys)
    for key in ("year", "date"):
        if value := getattr(own, key):
            found.say(
                key, value, f"times have no {'year' if key == 'year' else 'day'}: {value}, by the file's age"
            )
    few = lines if begins_document(lines[0]) else lines[:LOOKED_AT]
    own = _keys(found, own, fits, few)
    found_id = find_id(_events(own, few), own, few)
    if found_id is not None:
        _session(found, found_id)
    else:
        _windows(found, own)
    return found


def _files(paths: Sequence[Path]) -> tuple[Path, list[str]]:
    """A folder, and names of files in it."""
    chosen: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        if path.is_dir():
            inside = [one for one in sorted(path.rglob("*")) if one.is_file() and not _other(one, path)]
            logs = [one for one in inside if re.search(r"\.log(\W|$)", one.name)]
            chosen += logs or inside
        else:
            chosen.append(path)
    if not chosen:
        raise DataError(f"{', '.join(map(str, paths))}: holds no log file")
    absolute = [one.resolve() for one in chosen]
    if len(absolute) == 1:
        return absolute[0].parent, [_escaped(absolute[0].name)]
    common = Path(_common([one.parent for one in absolute]))
    return common, [_escaped(one.relative_to(common).as_posix()) for one in absolute]


def _common(folders: Sequence[Path]) -> str:
    import os

    return os.path.commonpath(folders)


def _other(path: Path, below: Path) -> bool:
    return path.name.endswith(OTHERS) or any(part.startswith(".") for part in path.relative_to(below).parts)


def _escaped(name: str) -> str:
    """A pattern of a file's name; a sign that TOML or a terminal cannot show is any sign."""
    return re.sub(r"[^ -\[\]-~\w]", "?", re.sub(r"([\[*?])", r"[\1]", name))


def _encoding(folder: Path, files: Sequence[str]) -> str:
    """The encoding that the first file's mark tells; nothing where it has none."""
    first = next(iter(folder.glob(files[0])), None)
    if first is None:
        return ""
    with first.open("rb") as file:
        head = file.read(4)
    return "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else ""


def _keys(found: Guess, own: OwnLog, fits: Fit | None, lines: Sequence[str]) -> OwnLog:
    """Let the fields enter the key that may show something."""
    if fits is None:
        return own
    for message in fits.format.finer:
        finer = dataclasses.replace(own, message=message)
        try:
            count = _events(finer, lines)["message"].n_unique()
        except (DataError, ConfigError):
            continue
        if count <= KEYS:
            found.say("message", message, f"keys are made of these fields, {count} of them in the first lines")
            return finer
    level = own.level or next((layer.level for layer in own.line_format.layers if layer.level), "")
    if not level or own.key or "{" in own.message:
        return own
    levels = _events(own, lines)["level"].drop_nulls().n_unique()
    if not 2 <= levels <= 9:
        return own
    keyed = dataclasses.replace(own, key=(level, "message"))
    found.say(
        "key", [level, "message"], f"keys are made of the level, of which there are {levels}, and the template"
    )
    return keyed


def _events(own: OwnLog, lines: Sequence[str]) -> pl.DataFrame:
    return read_sample(lines, dataclasses.asdict(own))[0]


def _session(found: Guess, best: Id) -> None:
    found.say("id", best.field, best.why)
    if best.pattern:
        found.say("id_pattern", best.pattern)


def _windows(found: Guess, own: OwnLog) -> None:
    """Windows of time that give enough units, else of lines."""

    frame = logbench.open_lines(Path(own.folder), own.files, own.line_format).frame
    timed = "time" in frame.collect_schema()
    times = frame.select("time" if timed else "line").collect().to_series()
    known = times.drop_nulls() if timed else times.head(0)
    counts = {
        name: known.dt.truncate(name).n_unique() if len(known) else 0 for name in reversed(WINDOWS) if len(known)
    }
    name = next(
        (name for name, units in counts.items() if units >= UNITS), max(counts, key=counts.__getitem__, default="")
    )
    if (units := counts.get(name, 0)) >= min(UNITS, FEWEST, len(times) // LINES):
        few = f", fewer than the {UNITS} from which on 200 train" if units < UNITS else ""
        found.say(
            "windower", "time", f"no id that sessions are told by: windows of {name}, {units:,} of them{few}"
        )
        found.say("window", name)
        return
    size = min(100, max(LINES, len(times) // UNITS))
    why = "its times make few windows" if timed else "no time"
    number = -(-len(times) // size)
    found.say("windower", "count", f"no id and {why}: windows of {size} lines, {number:,} of them")
    found.say("window", str(size))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str) and "'" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=not str(value).isprintable())
