"""Rules for data sets: they give lines or key sequences, the same on every reading, and a correct card."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..api.components import Kind
from ..api.contracts import Generator
from ..base.errors import ConfigError, DataError
from ..base.progress import silent
from ..components.configured import configured
from ..data.lines import KeySequences, Lines
from ..pipeline.coding import read_lines
from ..pipeline.grouping import GroupedLines, group_lines
from ..pipeline.label_ids import label_ids
from ..running.locate import locate
from ..running.log_digest import digest_of
from .outcome import InapplicableError, ViolationError, expect
from .rule import Subject, rule
from .side_effects import watched

# Most rows to check, because a data set may be larger than memory.
SOME = 100_000


def path_of(subject: Subject) -> Path:
    """Path of the data set's data: generated, given or fetched."""

    def find() -> Path:
        if subject.data is None and isinstance(dataset := subject.build(), Generator):
            folder = subject.fresh("generated")
            dataset.generate(folder, silent)
            return folder
        try:
            located = locate(subject.part, subject.data, subject.registry, silent, may_fetch=False)
        except DataError as error:
            raise InapplicableError(str(error)) from None
        if located is None:
            raise InapplicableError("it is not fetched yet: give --data, or logbench datasets fetch")
        return located.path

    return subject.cached("path", find)


def opened_of(subject: Subject) -> Any:
    """The opened data set, shared by rules."""
    return subject.cached("opened", lambda: subject.build().read(path_of(subject)))


def some_of(opened: Lines | KeySequences) -> pl.DataFrame:
    """The first `SOME` rows."""
    return opened.frame.lazy().head(SOME).collect()


@rule("dataset", "card", "the card names things that exist")
def card(subject: Subject) -> None:
    found = subject.part.entry.item.card
    subject.registry.get("parser", found.parser)
    subject.registry.get("windower", found.windower)
    subject.registry.preset(found.protocol)
    for name in ("title", "label", "unit", "layout"):
        text = getattr(found, name)
        expect(bool(text) and "\n" not in text, f"card.{name} in one line", repr(text))
    if found.url:
        expect(found.size > 0, "card.size in bytes beside card.url", str(found.size))
        digests = (("md5", 32, found.md5), ("sha256", 64, found.sha256))
        known = [(name, digits, given) for name, digits, given in digests if given]
        expect(bool(known), "card.md5 or card.sha256 beside card.url", "neither")
        for name, digits, given in known:
            whole = re.fullmatch(f"[0-9a-f]{{{digits}}}", given) is not None
            expect(whole, f"card.{name} of {digits} digits", repr(given))


@rule("dataset", "wrong-path", "a path without the data of the card raises a DataError of one line")
def wrong_path(subject: Subject) -> None:
    empty = subject.fresh("nothing")
    for path in (empty, empty / "gone"):
        try:
            some_of(subject.build().read(path))
        except (DataError, ConfigError) as error:
            expect("\n" not in str(error), "an error in one line", repr(str(error)))
        else:
            raise ViolationError(
                f"a DataError for {'a missing' if path != empty else 'an empty'} folder", "no error"
            )


@rule("dataset", "generate", "a generator writes the same bytes each time, and only into its folder")
def generate(subject: Subject) -> None:
    if not isinstance(subject.build(), Generator):
        raise InapplicableError("it has no generate(folder, progress)")
    first, second = subject.fresh("first"), subject.fresh("second")
    with watched(subject.fresh("watched"), first, second) as watch:
        for folder in (first, second):
            subject.build().generate(folder, silent)
    contents = [
        {p.relative_to(f): p.read_bytes() for p in sorted(f.rglob("*")) if p.is_file()} for f in (first, second)
    ]
    expect(bool(contents[0]), "some file", "none")
    unlike = [str(name) for name in contents[0] if contents[1].get(name) != contents[0][name]]
    expect(
        contents[0].keys() == contents[1].keys() and not unlike,
        "the same files twice",
        ", ".join(unlike) or "others",
    )
    expect(not watch.faults, "nothing written elsewhere, random states left alone", watch.faults)


@rule("dataset", "runs", "it opens as Lines or KeySequences and is not empty")
def runs(subject: Subject) -> None:
    opened = opened_of(subject)
    expect(isinstance(opened, Lines | KeySequences), "Lines or KeySequences", type(opened).__name__)
    expect(len(some_of(opened)) > 0, "rows", "none")


@rule("dataset", "numbered", "line numbers count from 0; sequences have a name of their own")
def numbered(subject: Subject) -> None:
    opened = opened_of(subject)
    some = some_of(opened)
    if isinstance(opened, KeySequences):
        twice = some.filter(pl.col("unit").is_duplicated() | pl.col("unit").is_null())
        expect(
            not len(twice), "a name of its own for each sequence", f"{twice['unit'][:1].to_list()} twice or null"
        )
        return
    right = np.array_equal(some["line"].to_numpy(), np.arange(len(some)))
    expect(right, "lines 0, 1, 2 …", f"{some['line'].head(5).to_list()} …")


@rule("dataset", "again", "every reading gives the same rows, and files with the same digest")
def again(subject: Subject) -> None:
    opened, other = opened_of(subject), subject.build().read(path_of(subject))
    expect(some_of(opened).equals(some_of(opened)), "the same rows when it is read twice", "others")
    expect(some_of(opened).equals(some_of(other)), "the same rows when it is opened twice", "others")
    expect(bool(opened.files), "the files that were read, for the digest", "none")
    gone = [str(file) for file in opened.files if not Path(file).is_file()]
    expect(not gone, "files that are there", ", ".join(gone[:2]))
    digests = [digest_of(one.files, path_of(subject)) for one in (opened, other)]
    expect(digests[0] == digests[1], "the same files in the same order", "others")


@rule("dataset", "labels", "labels are 0, 1 or -1 (unknown), one a unit")
def labels(subject: Subject) -> None:
    opened = opened_of(subject)
    some = some_of(opened)
    if isinstance(opened, Lines) and opened.labels:
        frame = opened.labels()
        wanted = {"unit": pl.String(), "label": pl.Int8()}
        got = {name: frame.schema.get(name) for name in wanted}
        expect(got == wanted, "labels with columns unit (String) and label (Int8)", str(dict(frame.schema)))
        expect(not frame["unit"].is_duplicated().any(), "one label a unit", "a unit with several")
        some = frame
    elif "label" not in some.columns:
        raise InapplicableError("it has no labels")
    strange = some.filter(~pl.col("label").is_in([-1, 0, 1]).fill_null(value=True))["label"].unique().to_list()
    expect(not strange, "labels 0, 1 or -1", str(strange[:3]))


@rule("dataset", "groups", "the card's windower and parser make units of it")
def groups(subject: Subject) -> None:
    grouped = grouped_of(subject)
    expect(len(grouped) > 1, f"several {subject.part.entry.item.card.unit}s", str(len(grouped)))


def grouped_of(subject: Subject) -> GroupedLines:
    """Group the first lines by the card's windower and parser, without labels of units.

    Raises:
        InapplicableError: the data set has key sequences instead of lines.
    """
    opened = opened_of(subject)
    if isinstance(opened, KeySequences):
        raise InapplicableError("it comes as key sequences")

    def make() -> GroupedLines:
        windower, parser = parts_of(subject)
        few = replace(opened, frame=opened.frame.head(SOME), labels=None)
        return group_lines(read_lines(few, windower, parser, silent, times=True), parser)

    return subject.cached("grouped", make)


def labelled_units(subject: Subject) -> pl.DataFrame:
    """The id under which the label of each unit stands, column `unit` (String)."""
    windower, _ = parts_of(subject)
    return pl.DataFrame(label_ids(windower, grouped_of(subject).units["unit"]))


def parts_of(subject: Subject) -> tuple[Any, Any]:
    """Build the card's windower and parser with the options that the card sets."""
    card = subject.part.entry.item.card
    names: tuple[tuple[Kind, str], ...] = (("windower", card.windower), ("parser", card.parser))
    entries = [(kind, subject.registry.get(kind, name)) for kind, name in names]
    windower, parser = (
        configured(entry, {**card.settings.get(kind, {}), **card.settings.get(entry.item.name, {})}).build()
        for kind, entry in entries
    )
    return windower, parser
