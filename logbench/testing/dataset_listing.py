"""Rules for data sets: rows do not depend on the order of files in a folder, and every line has a row."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

import polars as pl

from ..data.lines import KeySequences, Lines
from .dataset import SOME, opened_of, path_of, some_of
from .dataset_facts import log_of, says
from .outcome import InapplicableError, expect
from .rule import Subject, rule


@rule("dataset", "listing", "rows do not depend on the order in which a folder lists its files")
def listing(subject: Subject) -> None:
    found = []
    for backwards in (False, True):
        with _listed(backwards):
            opened = subject.build().read(path_of(subject))
            labels = opened.labels if isinstance(opened, Lines) else None
            found.append((some_of(opened), labels().sort("unit") if labels else pl.DataFrame()))
    for what, first, second in zip(("rows", "labels"), *found, strict=True):
        same = f"the same {what} where folders list their files backwards: sort them by name"
        expect(first.equals(second), same, "others")


@contextlib.contextmanager
def _listed(backwards: bool) -> Iterator[None]:
    """Make Python list folders by name, forwards or backwards."""
    scan, names = os.scandir, os.listdir

    def scandir(*path: Any) -> Any:
        with scan(*path) as entries:
            return _Entries(sorted(entries, key=lambda entry: entry.name, reverse=backwards))

    def listdir(*path: Any) -> list[Any]:
        return sorted(names(*path), reverse=backwards)

    with mock.patch("os.scandir", scandir), mock.patch("os.listdir", listdir):
        yield


class _Entries(contextlib.AbstractContextManager["_Entries"]):
    """Stands in for the result of `os.scandir`."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def close(self) -> None:
        """Do nothing, because nothing is open."""

    def __exit__(self, *error: object) -> None: ...


@rule("dataset", "every-line", "each line of a log file is in a row", advises=True)
def every_line(subject: Subject) -> None:
    opened = opened_of(subject)
    if isinstance(opened, KeySequences):
        raise InapplicableError("it comes as key sequences")
    some = some_of(opened)
    column = "raw" if "raw" in some.columns else "message"
    rows = [text.partition("\n")[0] for text in some[column].fill_null("").to_list()]
    log, _ = log_of(opened, rows)
    lost, at, begun = list[int](), 0, False
    with log.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines):
            if at == len(rows) or number >= SOME:
                break
            if not rows[at].strip() or says(line, rows[at]):
                at, begun = at + 1, True
            elif begun and line.strip():
                lost.append(number + 1)
    actual = f"{len(lost)} are in none, first line {lost[0] if lost else ''} of {log.name}"
    expect(not lost, "a row for each line of the log that is not blank", actual)
