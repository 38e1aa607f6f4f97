"""Rules for data sets: times increase, no line is lost, and the card is true."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..api.contracts import Generator
from ..base.progress import silent
from ..data.lines import KeySequences, Lines
from .dataset import SOME, grouped_of, labelled_units, opened_of, some_of
from .fresh import in_fresh_process
from .outcome import InapplicableError, ViolationError, expect
from .rule import Subject, rule

# Largest share of lines without a time, or with an earlier time than the line before.
STRANGE = 0.1
YEARS = (1980, 2100)
NO_LOG = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".zip", ".gz", ".tar", ".xz", ".bz2", ".tgz")


@rule("dataset", "simulated", "generated data are marked as simulated on the card")
def simulated(subject: Subject) -> None:
    if not isinstance(subject.build(), Generator):
        raise InapplicableError("it has no generate(folder, progress)")
    declared = bool(subject.part.entry.item.card.simulated)
    expect(declared, "card.simulated=True, so that no one sets it against published figures", "False")


@rule("dataset", "times", "lines have times, in order, of this age")
def times(subject: Subject) -> None:
    some = some_of(opened_of(subject))
    if "time" not in some.columns:
        raise InapplicableError("its lines have no times")
    time = some["time"]
    empty = time.null_count() / len(time)
    expect(empty <= STRANGE, f"a time for {1 - STRANGE:.0%} of the lines", f"{empty:.0%} without one")
    back = _back(time)
    expect(back <= STRANGE, "times that go on", f"{back:.0%} of the lines are earlier than the line before")
    years = time.dt.year().drop_nulls()
    low, high = int(years.min()), int(years.max())  # type: ignore[arg-type]
    expect(YEARS[0] <= low and high < YEARS[1], f"years from {YEARS[0]} to {YEARS[1]}", f"{low} to {high}")


def _back(time: pl.Series) -> float:
    steps = time.drop_nulls().dt.epoch("us").diff().drop_nulls()
    return float((steps < 0).sum()) / max(len(steps), 1)


@rule("dataset", "first-line", "the first line of a log file is its first row")
def first_line(subject: Subject) -> None:
    opened = opened_of(subject)
    rows = _texts(opened)
    log, lines = log_of(opened, rows)
    at = next((n for n in range(len(lines)) if says(lines[n], rows[0])), None)
    if at is None or not all(says(line, row) for line, row in zip(lines[at:], rows, strict=False)):
        raise InapplicableError("its rows are not the lines of a text file, one by one")
    lost = [line for line in lines[:at] if not _heading(line, lines[at:])]
    expect(not lost, f"the first line of {log.name} as the first row", f"{lost[0][:60] if lost else ''!r} is lost")


def _texts(opened: Lines | KeySequences) -> list[str]:
    """Texts of the first rows."""
    if isinstance(opened, KeySequences):
        return [" ".join(map(str, keys)) for keys in opened.frame["keys"].head(3).to_list()]
    some = opened.frame.head(3).collect()
    return some["message"].fill_null("").to_list()


def log_of(opened: Lines | KeySequences, rows: list[str]) -> tuple[Path, list[str]]:
    """Find the text file of the first rows, and read its first lines."""
    for file in map(Path, opened.files):
        if file.suffix.lower() in NO_LOG or not file.is_file():
            continue
        with file.open("rb") as stream:
            head = [line.decode("utf-8", "replace").rstrip("\r\n") for line in stream.readlines(1 << 16)[:50]]
        if any(says(line, rows[0]) for line in head):
            return file, head
    raise InapplicableError("its first row is in no text file")


def says(line: str, row: str) -> bool:
    return bool(row.strip()) and row.strip() in line


def _heading(line: str, others: list[str]) -> bool:
    """Whether a line is a comment, blank, or a header: it has no digit, but all other lines have some."""
    if not line.strip() or line.lstrip().startswith("#"):
        return True
    return not any(map(str.isdigit, line)) and all(any(map(str.isdigit, other)) for other in others if other)


@rule("dataset", "published", "the counts on the card are those of the data")
def published(subject: Subject) -> None:
    card, opened = subject.part.entry.item.card, opened_of(subject)
    if not card.published:
        raise InapplicableError("its card states no counts")
    if subject.data is not None:
        raise InapplicableError("the data given may be a part of what the card describes")
    if len(some_of(opened)) >= SOME:
        raise InapplicableError(f"it has {SOME:,} lines or more")
    counts = _counts(subject)
    for name, count in card.published.items():
        if name in counts and counts[name] != count:
            raise ViolationError(f"card.published[{name!r}] = {count:,}", f"{counts[name]:,} in the data")


def _counts(subject: Subject) -> dict[str, int]:
    opened = opened_of(subject)
    some = some_of(opened)
    if isinstance(opened, KeySequences):
        anomalies = {"anomalies": int((some["label"] == 1).sum())} if "label" in some.columns else {}
        return {"sessions": len(some), **anomalies}
    units = grouped_of(subject).units
    counts = {"lines": len(some), "sessions": len(units)}
    if opened.labels:
        labelled = labelled_units(subject).join(opened.labels(), on="unit")
        counts["anomalies"] = int((labelled["label"] == 1).sum())
    elif "label" in some.columns:
        counts |= {
            "anomalous_lines": int((some["label"] == 1).sum()),
            "anomalies": int((units["label"] == 1).sum()),
        }
    return counts


@rule("dataset", "process", "another process, which hashes texts differently, generates the same bytes")
def process(subject: Subject) -> None:
    if not isinstance(subject.build(), Generator):
        raise InapplicableError("it has no generate(folder, progress)")
    here, there = (set(map(str, files["files"])) for files in (
        in_process(subject, {}), in_fresh_process(subject, "dataset_facts:in_process")))  # fmt: skip
    unlike = sorted(name.partition(" ")[2] for name in here - there)
    what = "the same files in a process of its own, under another PYTHONHASHSEED"
    expect(here == there, what, f"others: {', '.join(unlike[:2])}")


def in_process(subject: Subject, given: Mapping[str, Any]) -> dict[str, Any]:
    """Task of the fresh process: digest and name of each generated file."""
    folder = subject.fresh("process")
    subject.build().generate(folder, silent)
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    digests = [f"{hashlib.sha256(file.read_bytes()).hexdigest()} {file.relative_to(folder)}" for file in files]
    return {"files": np.array(digests, dtype=str)}
