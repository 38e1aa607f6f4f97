"""Find what tells sessions: a field, or a word with a number, that few lines in a row share and others do not."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logbench import ConfigError, DataError

from .sniff import fields_of, read_sample

if TYPE_CHECKING:
    import polars as pl

    from .definition import OwnLog

# Least share of lines that name an id, fewest ids, and lines of an id in the middle.
COVERED, IDS, LINES = 0.6, 20, (2.0, 2000.0)
# Longest stretch of the log that the lines of an id cover in the middle, as a share of what they would by chance.
SPAN = 0.75
# Names of fields that hold ids.
NAMES = re.compile(
    r"(?i)(?:^|[._-]|\b)(?:(?:trace|request|req|correlation|session|transaction|txn|tx|job|order|task|flow|span|run|"
    r"build|message|msg|call|process|batch|container|block|conn|connection|user)[._-]?id|traceid|uid|uuid|session|"
    r"request|job|order|txn|transaction|correlation)$"
)
# Words that may be ids: a prefix and digits, a name and a value, a UUID, and a long run of hexadecimal digits.
TOKENS = (
    r"\b[A-Za-z][A-Za-z]{0,19}[-_#:/]?-?[0-9]{2,}\b",
    r"\b[A-Za-z_]{2,20}[ =:#]{1,2}[0-9]{2,}\b",
    r"\b[A-Za-z_]{2,20}[=:] ?[\"']?[0-9A-Za-z_-]*[0-9][0-9A-Za-z_-]*\b",
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    r"\b[0-9a-f]{12,40}\b",
)


# What ids are that need no name to tell them, and lines by which a field is seen to hold such.
UNMISTAKABLE = r"^(?:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-f]{16,40})$"
TRIED = 400


@dataclass(frozen=True)
class Id:
    """What tells a session.

    Attributes:
        rank: what chooses among several.
    """

    field: str
    pattern: str
    why: str
    rank: float


def find_id(frame: pl.DataFrame, own: OwnLog, lines: Sequence[str]) -> Id | None:
    """What tells sessions best; None where nothing does.

    Args:
        frame: the first events, with `message` and `raw`, of these `lines`.
    """
    found = [*_of_fields(own, frame, lines), *_of_messages(frame)]
    return max(found, key=lambda one: one.rank, default=None)


def _of_fields(own: OwnLog, frame: pl.DataFrame, lines: Sequence[str]) -> Iterator[Id]:
    names: list[str] = []
    for layer in own.line_format.layers:
        names += re.findall(r"\(\?P?<(\w+)>", " ".join((layer.pattern, *layer.more)))
        names += re.findall(r"(?<!\\)<(\w+)>", layer.pattern) if layer.format == "pattern" else []
    names += _named_in_lines(own, frame, lines)
    for name in dict.fromkeys(names):
        try:
            if not NAMES.search(name) and not _unmistakable(_ids(own, name, lines[:TRIED])):
                continue
            ids = _ids(own, name, lines)
        except (DataError, ConfigError):
            continue
        if (made := _judged(ids)) is not None:
            share, count, rank = made
            yield Id(
                name,
                "",
                f"sessions by the field {name}: {count:,} in the first lines, {share:.0%} of which name one",
                rank + 0.2,
            )


def _ids(own: OwnLog, name: str, lines: Sequence[str]) -> pl.Series:
    """The values of a field."""
    return read_sample(lines, {**dataclasses.asdict(own), "id": name, "id_pattern": ""})[0]["id"]


def _unmistakable(values: pl.Series) -> bool:
    """Whether a field holds what can be nothing but ids, whatever its name."""
    known = values.drop_nulls()
    return bool(len(known)) and int(known.str.contains(UNMISTAKABLE).sum()) >= 0.9 * len(known)


def _named_in_lines(own: OwnLog, frame: pl.DataFrame, lines: Sequence[str]) -> list[str]:
    """Names of the fields of JSON, logfmt and tables, with ids in their names."""
    innermost = own.line_format.layers[-1]
    if innermost.format not in ("json", "logfmt") and not innermost.between:
        return []
    if innermost.between:
        head = next((line for line in lines if line.startswith(innermost.header)), "")
        return re.split(re.escape(innermost.between), head.replace('"', ""))
    if len(own.line_format.layers) > 1 or own.records:
        found = re.findall(r'\\*"([\w.-]+)\\*"\s*:', " ".join(frame["raw"].head(50)))
        paths = [path for raw in frame["raw"].head(50) for path in _paths(raw)]
        return list(dict.fromkeys([*(path for path in paths if NAMES.search(path)), *found]))
    rows = list(fields_of({"format": innermost.format}, lines[:200]))
    return list(dict.fromkeys(name for row in rows for name in row))


def _paths(text: str) -> Iterator[str]:
    """Dotted names of the values in a line's object, each also from every object within it, texts among them."""
    begin = text.find("{")
    try:
        value = json.loads(text[begin:]) if begin >= 0 else None
    except ValueError:
        return
    yield from _within(value) if isinstance(value, dict) else ()


def _within(value: dict[str, Any]) -> Iterator[str]:
    for key, inner in value.items():
        yield key
        if isinstance(inner, str) and inner.lstrip().startswith("{"):
            yield from (path for inside in _paths(inner) for path in (inside, f"{key}.{inside}"))
        elif isinstance(inner, dict):
            yield from (f"{key}.{inside}" for inside in _within(inner))


def _of_messages(frame: pl.DataFrame) -> Iterator[Id]:
    import polars as pl

    messages = frame.select("message").with_row_index("line")
    for number, token in enumerate(TOKENS):
        found = messages.select("line", token=pl.col("message").str.extract_all(token)).explode(
            "token", empty_as_null=True
        )
        found = found.drop_nulls().with_columns(
            kind=pl.col("token").str.replace(r"[\"']?-?[0-9A-Za-z]*[0-9][0-9A-Za-z_-]*$", "")
            if number in (2,) else pl.col("token").str.replace(r"-?[0-9]+$", "") if number < 2 else pl.lit("")
        ).unique(["line", "token"], maintain_order=True)  # fmt: skip
        counted = found.group_by("kind").agg(
            pl.col("line").n_unique().alias("lines"), pl.col("token").n_unique().alias("ids")
        )
        likely = counted.filter((pl.col("lines") >= COVERED * len(messages)) & (pl.col("ids") >= IDS))
        for kind in likely["kind"].sort():
            of_kind = found.filter(pl.col("kind") == kind).unique("line", maintain_order=True)
            ids = messages.select("line").join(of_kind, on="line", how="left", maintain_order="left")["token"]
            if (made := _judged(ids)) is None:
                continue
            share, count, rank = made
            pattern = token if not kind else _pattern(kind, number)
            shown = f"{kind}…" if kind else "UUIDs" if number == 3 else "hexadecimal numbers"
            why = (
                f"sessions by {shown} in the message: {count:,} in the first lines, {share:.0%} of which name one"
            )
            yield Id("message", pattern, why, rank)


def _pattern(kind: str, number: int) -> str:
    digits = "-?[0-9]+" if number < 2 else "[\"']?([0-9A-Za-z_-]+)"
    return rf"\b{re.escape(kind)}{digits}"


def _judged(ids: pl.Series) -> tuple[float, int, float] | None:
    """Share of the lines with an id, number of ids, and a rank; None where they are no ids of sessions."""
    import polars as pl

    known = pl.DataFrame({"id": ids}).with_row_index("line").drop_nulls()
    known = known.filter(pl.col("id").str.len_chars() > 0, ~pl.col("id").is_in(["-", "null", "None", "0"]))
    share = len(known) / max(1, len(ids))
    if share < COVERED:
        return None
    per = known.group_by("id").agg(pl.len().alias("lines"), span=pl.col("line").max() - pl.col("line").min())
    middle, span = float(per["lines"].median() or 0), float(per["span"].median() or 0) / len(ids)  # type: ignore[arg-type]
    largest = int(per["lines"].max() or 0) / len(known)  # type: ignore[arg-type]
    if len(per) < IDS or not LINES[0] <= middle <= LINES[1] or largest > 0.3:
        return None
    if span > SPAN * (middle - 1) / (middle + 1):
        return None
    return share, len(per), share - 0.5 * span + min(middle, 20) / 200
