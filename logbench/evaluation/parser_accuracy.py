"""How well a parser finds labelled templates: grouping and template accuracy.

Sources: grouping and parsing accuracy as in Zhu et al., ICSE-SEIP 2019, and Dai et al., TSE 2020; their F1 over
templates as in Jiang et al., ISSTA 2024 (Loghub-2.0), section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..api.contracts import Parser
from ..base.errors import DataError
from ..data.masks import apply_masks

PATTERN = "*_structured.csv"
COLUMNS = ("Content", "EventId", "EventTemplate")
WILDCARD = "<*>"
# What two templates may differ in: names of variables, wildcards in a row, and white space.
NORMAL = (
    (r"<[A-Za-z_*]+>", WILDCARD),
    (r"<\*>(?:[.:,/_-]?<\*>)+", WILDCARD),
    (r"\s+", " "),
)


@dataclass(frozen=True)
class Labelled:
    """Messages with their true templates: columns `message`, `event`, `template`, all String, in file order."""

    name: str
    frame: pl.DataFrame


@dataclass(frozen=True)
class Accuracy:
    """All from 0 to 1.

    Attributes:
        grouping: share of messages whose group is exactly a true one (GA).
        grouping_f1: F1 of found groups that are exactly true ones (FGA).
        template_f1: F1 of found templates, each right where all its messages have that true template (FTA).
        parsing: share of messages whose template reads like the true one (PA).
        found, true: number of templates.
    """

    grouping: float
    grouping_f1: float
    template_f1: float
    parsing: float
    found: int
    true: int


def labelled(folder: Path) -> list[Labelled]:
    """The systems below a folder in Loghub's layout, files `NAME_2k.log_structured.csv` or `NAME_full.log_…`.

    Raises:
        DataError: there is none, or one lacks a column.
    """
    files = [folder] if folder.is_file() else sorted(file for file in folder.rglob(PATTERN) if file.is_file())
    if not files:
        raise DataError(f"{folder}: no file {PATTERN} below it; give a folder in the layout of loghub_2k")
    return [Labelled(file.name.partition("_")[0], _read(file)) for file in files]


def _read(file: Path) -> pl.DataFrame:
    try:
        frame = pl.read_csv(file, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{file}: is no CSV file: {str(error).splitlines()[0]}") from None
    if missing := [name for name in COLUMNS if name not in frame.columns]:
        raise DataError(f"{file}: has no column {missing[0]}; needed are {', '.join(COLUMNS)}")
    chosen = frame.select(message="Content", event="EventId", template="EventTemplate")
    return chosen.with_columns(pl.col("message", "template").fill_null(""))


def parsed(parser: Parser, messages: pl.Series) -> pl.DataFrame:
    """A fresh parser fitted on all messages, as the published figures are made: `key` (Int32), `template`."""
    masked = pl.DataFrame({"message": messages}).select(apply_masks(pl.col("message"), parser.masks))
    distinct = masked["message"].unique(maintain_order=True)
    keys = parser.fit(distinct)
    known = pl.DataFrame({"message": distinct, "key": keys})
    found = masked.join(known, on="message", how="left", maintain_order="left")
    names = pl.DataFrame(
        {"key": np.arange(len(parser.templates), dtype=np.int32), "template": list(parser.templates)}
    )
    return found.join(names, on="key", how="left", maintain_order="left").select("key", "template")


def accuracy(truth: pl.DataFrame, found: pl.DataFrame) -> Accuracy:
    """Compare line by line.

    Args:
        truth: `event`, `template`. found: `key`, `template`; of as many rows.
    """
    both = pl.DataFrame(
        {"event": truth["event"], "true": truth["template"], "key": found["key"], "said": found["template"]}
    ).with_columns(apply_masks(pl.col(name), NORMAL).str.strip_chars() for name in ("true", "said"))
    groups = both.group_by("key").agg(
        size=pl.len(), events=pl.col("event").n_unique(), event=pl.col("event").first(),
    )  # fmt: skip
    sizes = both.group_by("event").agg(whole=pl.len())
    groups = groups.join(sizes, on="event", nulls_equal=True).with_columns(
        exact=(pl.col("events") == 1) & (pl.col("size") == pl.col("whole"))
    )
    exact = groups.filter("exact")
    right = both.group_by("said").agg(alike=pl.col("true").eq_missing(pl.col("said")).all())
    return Accuracy(
        grouping=int(exact["size"].sum()) / len(both),
        grouping_f1=2 * len(exact) / (len(groups) + both["event"].n_unique()),
        template_f1=2 * int(right["alike"].sum()) / (len(right) + both["true"].n_unique()),
        parsing=int((both["true"] == both["said"]).sum()) / len(both),
        found=len(groups),
        true=both["event"].n_unique(),
    )


def mean(rows: list[dict[str, Any]]) -> dict[str, float]:
    """The mean of each figure over systems."""
    names = ("grouping", "grouping_f1", "template_f1", "parsing")
    return {name: sum(row[name] for row in rows) / len(rows) for name in names}
