"""Formats of lnav: its JSON files say how a line is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from logbench import ConfigError, meant, suggest

from .named import Named
from .sniff import TRIED, fit

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


def lnav_format(given: str, folders: Sequence[Path], sample: Callable[[], Sequence[str]]) -> dict[str, Any]:
    """The keys of a definition for `FILE#name`, or for the format in `FILE` that fits the log best.

    Args:
        folders: where the file may be. sample: gives lines of the log.

    Raises:
        ConfigError: there is no such file, or it has no such format.
    """
    whole = next((one / given for one in folders if (one / given).is_file()), None)
    file, _, chosen = (given, "", "") if whole else given.partition("#")
    there = whole or next((one / file for one in folders if (one / file).is_file()), None)
    if there is None:
        raise ConfigError(f"format=lnav:{given}: no such file beside the definition or in its folder")
    formats = formats_of(there)
    if chosen:
        if (found := meant(chosen, formats)) not in formats:
            raise ConfigError(f"format=lnav:{given}: it has no such format{suggest(chosen, formats)}")
        return formats[found]
    if len(formats) > 1:
        tried = [(fit(sample()[:TRIED], Named(name, "", "", one)), one) for name, one in formats.items()]
        fits = [(found.rank, one) for found, one in tried if found is not None]
        if fits:
            return max(fits, key=lambda one: one[0])[1]
    return next(iter(formats.values()))


def formats_of(path: Path) -> dict[str, dict[str, Any]]:
    """The keys of a definition for each format in one of lnav's JSON files (docs.lnav.org, *Log Formats*).

    Formats without a regular expression, such as those of a converter, are left out.

    Raises:
        ConfigError: the file is missing, or no format of lnav.
    """
    where = f"format=lnav:{path}"
    try:
        given = json.loads(re.sub(r"(?m)^\s*//.*$", "", path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise ConfigError(f"{where}: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"{where}: not JSON: {error}") from None
    try:
        there = {name: one for name, one in given.items() if not name.startswith("$") and isinstance(one, dict)}
        found = {name: values for name, one in there.items() if (values := _values(one)) is not None}
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError):
        raise ConfigError(f"{where}: no format file of lnav") from None
    if not found:
        raise ConfigError(f"{where}: {'has no regular expression' if there else 'defines no format'}")
    return found


def _values(one: Mapping[str, Any]) -> dict[str, Any] | None:
    """The keys of a definition for one format; None where it has no regular expression."""
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
        return None
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
