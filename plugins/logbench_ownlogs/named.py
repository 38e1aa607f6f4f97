"""Formats by name: a TOML file each in the folder `formats`, and lnav's format files."""

from __future__ import annotations

import functools
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import logbench
from logbench import ConfigError, suggest

FOLDER = Path(__file__).with_name("formats")
# Keys of a format's file that are no keys of a definition.
ABOUT = ("title", "example", "within", "last", "finer", "requires")


@dataclass(frozen=True)
class Named:
    """A format of a name.

    Attributes:
        title: for people.
        example: a line, below the header where there is one.
        values: keys of a definition.
        within: applications write it, so that it may stand in the line of another format.
        last: fits much, so that others go before it.
        finer: messages of more fields, for logs in which these have few values; the best first.
        requires: texts that a line must hold.
    """

    name: str
    title: str
    example: str
    values: Mapping[str, Any]
    within: bool = False
    last: bool = False
    finer: tuple[str, ...] = ()
    requires: tuple[str, ...] = field(default=())


@functools.cache
def names() -> tuple[str, ...]:
    """The names of all formats."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@functools.cache
def named(name: str) -> Named:
    """The format of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in names():
        known = [*names(), "auto", "lnav:FILE", "pattern", "regex", "json", "logfmt", "csv", "tsv"]
        raise ConfigError(f"format={name}: no such format{suggest(name, known)}")
    table = tomllib.loads(logbench.named_file(FOLDER, name, ".toml").read_text(encoding="utf-8"))
    about = {key: table.pop(key) for key in ABOUT if key in table}
    for key in ("finer", "requires"):
        about[key] = tuple(about.get(key, ()))
    return Named(name=name, values=table, **about)


# Directives of lnav's `timestamp-format`, which has more directives than strptime.
_LNAV_TIMES = {
    "%L": "%3f",
    "%N": "%9f",
    "%f": "%6f",
    "%i": "epoch_ms",
    "%6": "epoch_us",
    "%9": "epoch_ns",
    "%s": "epoch",
}
_USUAL_TIMES = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S,%f",
    "%b %e %H:%M:%S",
    "%d/%b/%Y:%H:%M:%S %z",
    "%Y/%m/%d %H:%M:%S%.f",
    "%a %b %e %H:%M:%S %Y",
)


def lnav(path: Path) -> dict[str, Any]:
    """The keys of a definition for the first format in one of lnav's JSON files (docs.lnav.org, *Log Formats*).

    Raises:
        ConfigError: the file is missing, or no format of lnav.
    """
    try:
        formats = json.loads(re.sub(r"(?m)^\s*//.*$", "", path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise ConfigError(f"format=lnav:{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"format=lnav:{path}: not JSON: {error}") from None
    found = [one for key, one in formats.items() if not key.startswith("$") and isinstance(one, dict)]
    if not found:
        raise ConfigError(f"format=lnav:{path}: defines no format")
    one = found[0]
    given = {
        "message": one.get("body-field", "body"),
        "time": [one.get("timestamp-field", "timestamp")],
        "level": one.get("level-field", "" if one.get("json") else "level"),
        "component": one.get("module-field", ""),
        "node": one.get("hostname-field", ""),
        "multiline": bool(one.get("multiline", True)),
    }
    times = tuple(map(_lnav_time, one.get("timestamp-format", ()))) or _USUAL_TIMES
    if divisor := one.get("timestamp-divisor"):
        times = ({1: "epoch", 1000: "epoch_ms", 1_000_000: "epoch_us"}.get(int(divisor), "epoch_ns"),)
    given["time_format"] = list(dict.fromkeys(times))
    if "opid-field" in one:
        given["id"] = one["opid-field"]
    if one.get("json") or one.get("file-type") == "json":
        return {"format": "json", **given}
    regexes = [
        _rust(table["pattern"]) for table in one.get("regex", {}).values() if not table.get("module-format")
    ]
    if not regexes:
        raise ConfigError(f"format=lnav:{path}: has no regular expression")
    groups = [set(re.findall(r"\(\?P?<(\w+)>", regex)) for regex in regexes]
    known = set().union(*groups)
    for key in ("level", "component", "node", "id"):
        if given.get(key) and given[key] not in known:
            given.pop(key)
    if given["message"] not in known:
        given["message"] = sorted(known - {given["time"][0]})[-1]
    return {"format": "regex", "pattern": regexes[0], "more": regexes[1:], **given}


def _rust(pattern: str) -> str:
    """A regular expression of PCRE as Rust has it: possessive and atomic groups are plain ones there."""
    plain = re.sub(r"\(\?>", "(?:", pattern)
    plain = re.sub(r"((?:[*+?]|\{\d+(?:,\d*)?\}))\+", r"\1", plain)
    return re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", plain)


def _lnav_time(how: str) -> str:
    if how in ("%i", "%6", "%9", "%s"):
        return _LNAV_TIMES[how]
    how = re.sub(r"([.])%(?:L|f|N)", r"%.f", how)
    return re.sub(r"([^\w%])%(?:L|N)", r"\1%f", how).replace("%z", "%#z")
