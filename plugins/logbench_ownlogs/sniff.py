"""Which format a log has: each is tried on a sample, and the one that fits most of its lines wins."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import logbench
from logbench import ConfigError, DataError, LineFormat, make_options

from .named import Named, named, names

if TYPE_CHECKING:
    import polars as pl

FIELDS = {one.name for one in dataclasses.fields(LineFormat)}
TABLES = {"csv": ",", "tsv": "\t"}
# Lines of a sample, and those by which a format is chosen.
SAMPLE, TRIED = 20_000, 400
# Least share of the lines that a format must fit.
ENOUGH = 0.6
# Characters of events beyond which one may be cut.
LONG = 1 << 18
# Lines that may belong to the event before.
GOES_ON = re.compile(r"\s|$|Caused by|Traceback|\.\.\. \d+ more|[\w.$]*(?:Exception|Error)(?::|$)|--- End|#")


@dataclass(frozen=True)
class Fit:
    """How well a format fits a sample.

    Attributes:
        share: of the lines that begin an event, those that match and whose time can be read.
        rank: what chooses among formats.
    """

    format: Named
    share: float
    rank: float


def sample_of(folder: Path, files: Sequence[str], encoding: str = "utf-8", most: int = SAMPLE) -> list[str]:
    """The first lines of a log, a JSON document cut and closed; none where the files are not here."""
    try:
        opened = logbench.open_lines(folder, list(files), LineFormat(encoding=encoding))
        lines = opened.frame.select("raw").head(most).collect()["raw"].to_list()
        return document(lines) if lines and begins_document(lines[0]) else lines
    except (DataError, ConfigError, OSError):
        return []


def read_sample(lines: Iterable[str], values: Mapping[str, Any]) -> tuple[pl.DataFrame, Mapping[str, int]]:
    """Events of a sample by the keys of a definition, with its columns, and what was counted."""
    kept = {key: value for key, value in values.items() if key in FIELDS and key != "encoding"}
    form: LineFormat = make_options(LineFormat, kept, "format")
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "sample").write_bytes(("\n".join(lines) + "\n").encode("utf-8", "replace"))
        opened = logbench.open_lines(Path(place), ["sample"], form)
        frame = opened.frame.collect()
        return frame, opened.counted() if opened.counted else {}


def fit(lines: Sequence[str], format: Named) -> Fit | None:
    """How well a format fits a sample; None where it does not at all."""
    if format.requires and not all(text in line for line in lines[:1] for text in format.requires):
        return None
    values = dict(format.values)
    for key in ("inner", "pieces", "traces"):
        values.pop(key, None)
    values["time"] = list(values.get("time", ()))
    values |= {"year": 2000, "date": "2000-01-01" if format.name == "logback" else ""}
    try:
        frame, _ = read_sample(lines, values)
    except (DataError, ConfigError):
        return None
    import polars as pl

    good = pl.col("matched") & (pl.col("time").is_not_null() if values["time"] else pl.lit(True))
    row = frame.select(
        good=good.sum(),
        level=(pl.col("matched") & pl.col("level").is_not_null()).sum() if "level" in frame.columns else pl.lit(0),
        component=(pl.col("matched") & pl.col("component").is_not_null()).sum()
        if "component" in frame.columns
        else pl.lit(0),
        matched=pl.col("matched").sum(),
    ).row(0)
    tables = values["format"] in ("csv", "tsv", "json") or values.get("records")
    begins = len(frame) if tables else sum(not GOES_ON.match(line) for line in lines)
    if not row[3] or not begins:
        return None
    share, matched = min(1.0, row[0] / begins), min(1.0, row[3] / begins)
    rich = 0.02 * row[1] / row[3] + 0.02 * row[2] / row[3]
    if share < ENOUGH and values["format"] in ("json", "logfmt", "csv", "tsv"):  # times may be left out
        share, rich = matched, rich - 0.1
    if format.timeless:
        share = matched
    return Fit(format, share, share + rich - 0.05 * format.last + 0.1 * bool(format.requires))


def best(lines: Sequence[str], within: bool = False) -> Fit | None:
    """The format that fits a sample best; None where none fits enough of it.

    Args:
        within: only formats that applications write.
    """
    if not lines:
        return None
    return _best(tuple(document(lines) if begins_document(lines[0]) else lines[:TRIED]), within)


@lru_cache(maxsize=4)
def _best(few: Sequence[str], within: bool) -> Fit | None:
    """The same of these lines; a definition asks twice for the format within another."""
    tried = [one for one in map(named, names()) if one.within or one.last or not within]
    if within:
        tried = [one for one in tried if one.name != "timed-epoch"]
    may_fit = matching(few)
    likely = [one for one in tried if may_fit(one)]
    fits = [found for one in likely if (found := fit(few, one)) is not None and found.share >= ENOUGH]
    return max(fits, key=lambda one: one.rank, default=None)


def matching(lines: Sequence[str]) -> Callable[[Named], bool]:
    """Tells of a format whether enough lines may fit: to look for its patterns alone costs little."""
    import polars as pl

    text = ("\n".join(lines) + "\n").encode("utf-8", "replace").decode().replace("\r\n", "\n")
    frame, begins = pl.DataFrame({"line": text.split("\n")[:-1]}), sum(not GOES_ON.match(line) for line in lines)
    # The first event may begin with any line, and so may one after a very long one.
    more = 1 + text.count("\x1b") + len(text) // LONG

    def may_fit(format: Named) -> bool:
        values = format.values
        if values["format"] not in ("pattern", "regex"):
            return True
        form = LineFormat(format=values["format"], pattern=values["pattern"], more=tuple(values.get("more", ())))
        found = pl.any_horizontal(pl.col("line").str.contains(f"(?s){one}") for one in form.regexes)
        return int(frame.select(found.sum()).item()) + more >= ENOUGH * begins

    return may_fit


def begins_document(line: str) -> bool:
    """Whether a JSON value of many lines begins here."""
    return line.strip() in ("{", "[")


def document(lines: Sequence[str]) -> list[str]:
    """A JSON document of many lines that ends with the sample, its last lists and objects closed."""
    text = "\n".join(lines)
    for cut in (len(text), *(found.end() for found in reversed(list(re.finditer(r"\n\s*\}(?=,\n)", text))[-3:]))):
        for end in ("", "]}", "]", "]}]}", "]}]}]}"):
            try:
                json.loads(text[:cut] + end)
            except ValueError:
                continue
            return [*text[:cut].split("\n"), *([end] if end else [])]
    return list(lines[:TRIED])


def concrete(values: Mapping[str, Any], lines: Sequence[str]) -> dict[str, Any]:
    """The keys of a definition of JSON or logfmt with those alternatives that the sample has."""
    result = dict(values)
    there = list(fields_of(values, lines))
    if not there:
        return result
    for key in ("message", "level", "component", "node"):
        if "|" in str(result.get(key, "")) and "{" not in result[key]:
            result[key] = _chosen(result[key], there)
    result["time"] = [chosen for one in result.get("time", []) if (chosen := _chosen(one, there))]
    if "{" in result.get("message", "") and "|" in result["message"]:
        places = [_chosen(place, there) for place in re.findall(r"\{([^{}]+)\}", result["message"])]
        result["message"] = " ".join(f"{{{place}}}" for place in places if place)
    return result


def _chosen(names: str, there: Sequence[Mapping[str, Any]]) -> str:
    """The alternatives that a sample has, the most frequent alone if it stands in nearly all lines."""
    counts = {name: sum(row.get(name) is not None for row in there) for name in names.split("|")}
    some = [name for name in counts if counts[name]]
    whole = [name for name in some if counts[name] >= 0.9 * len(there)]
    return whole[0] if whole else "|".join(some)


def fields_of(values: Mapping[str, Any], lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Fields by dotted names of the lines of a sample."""
    if values.get("format") == "json":
        for line in lines[:TRIED]:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and not values.get("records"):
                yield flat(row)
    elif values.get("format") in TABLES and not values.get("header"):
        yield from csv.DictReader(lines[:TRIED], delimiter=TABLES[values["format"]])
    elif values.get("format") == "logfmt":
        for line in lines[:TRIED]:
            yield dict(re.findall(r"(?:^|\s)([\w.@/-]+)=(\"(?:[^\"\\]|\\.)*\"|\S*)", line))


def flat(row: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """The values of an object by dotted names."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        found[before + key] = value
        if isinstance(value, dict):
            found |= flat(value, f"{before}{key}.")
    return found
