"""`bench compare --format github`: annotations of cells, and the summary of a job of GitHub Actions.

Sources: the pages "Workflow commands for GitHub Actions" and "Adding a job summary" of GitHub's documentation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from ..base.escapes import escaped, printable
from ..base.jsonable import several
from .bench_rows import FAILING, WITHOUT, Row, name_of
from .shared_options import note
from .shown import document

# Annotations of a level that GitHub shows of one step; more are dropped without a word.
MOST = 10
# Rows of the summary, which GitHub refuses above 1 MiB.
MOST_ROWS = 500


def show(
    rows: Sequence[Row],
    table: Sequence[Row],
    notes: Sequence[str],
    baseline: Path,
    old: Sequence[Row],
) -> None:
    """Print annotations; append the summary to $GITHUB_STEP_SUMMARY, or print it where that is not set.

    Args:
        rows: of `gate.compare`. table: their rows of a table. notes: of the whole comparison.
        baseline: its file, which annotations point to. old: its rows in order.
    """
    text = summary(rows, table, notes)
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file or not _appended(text, Path(file)):
        print(text)
    for line in marks(rows, baseline, old):
        print(line)


def _appended(text: str, file: Path) -> bool:
    """Whether the summary was written; a file that cannot be is a note, since the verdict does not hang on it."""
    try:
        with file.open("a", encoding="utf-8") as out:
            out.write(text + "\n")
    except OSError as error:
        note(f"warning: GITHUB_STEP_SUMMARY: {file}: {error.strerror}")
        return False
    return True


def summary(rows: Sequence[Row], table: Sequence[Row], notes: Sequence[str]) -> str:
    """The comparison as Markdown: a verdict, the table with what needs a look first, the notes."""
    order = sorted(range(len(rows)), key=lambda at: _weight(rows[at]))
    shown = [table[at] for at in order[:MOST_ROWS]]
    lines = [f"### logbench bench: {_verdict(rows)}", "", *([document(shown, "markdown")] if shown else [])]
    if len(rows) > MOST_ROWS:
        lines += ["", f"{len(rows) - MOST_ROWS:,} more cells are not shown."]
    lines += ["", *(f"- {escaped(text, 'markdown')}" for text in notes[:MOST_ROWS])]
    return "\n".join(lines)


def _weight(row: Row) -> int:
    return 0 if row["state"] in FAILING else 1 if row["state"] in WITHOUT else 2


def _verdict(rows: Sequence[Row]) -> str:
    cells = several(len(rows), "cell")
    if failing := sum(row["state"] in FAILING for row in rows):
        return f"{failing} of {cells} worse or failed"
    if without := sum(row["state"] in WITHOUT for row in rows):
        return f"nothing is worse, {without} of {cells} could not be compared"
    return f"{cells} within the gates"


def marks(rows: Sequence[Row], baseline: Path, old: Sequence[Row]) -> Iterator[str]:
    """A workflow command a cell: an error where it is worse or failed, a warning where it was not compared.

    They point to the cell's line of the baseline, where the file lies in the repository.
    """
    lines = {id(row): number for number, row in enumerate(old, 2)}  # the header is line 1
    place = _in_repository(baseline)
    levels: tuple[tuple[Literal["error", "warning"], Sequence[str]], ...] = (
        ("error", FAILING),
        ("warning", WITHOUT),
    )
    for level, states in levels:
        of_level = [row for row in rows if row["state"] in states]
        most = MOST if len(of_level) <= MOST else MOST - 1
        for row in of_level[:most]:
            where: dict[str, Any] = {"file": place} if place else {}
            if place and row.get("old") is not None:
                where["line"] = lines.get(id(row["old"]), 1)
            yield workflow_command(level, f"{name_of(row)}: {row['why']}", title=f"bench: {row['state']}", **where)
        if len(of_level) > most:
            yield workflow_command(level, f"and {len(of_level) - most:,} more: see the summary", title="bench")


def _in_repository(file: Path) -> str | None:
    """The path as GitHub names it, from the root of the checkout; None where it lies elsewhere."""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or ".").resolve()
    path = file.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None


def workflow_command(level: Literal["error", "warning"], message: str, **properties: Any) -> str:
    """A line that the runner takes as an annotation; nothing in it ends the line or begins a second command.

    Examples:
        >>> workflow_command("error", "50% less\\nthan before", title="a: b, c")
        '::error title=a%3A b%2C c::50%25 less%0Athan before'
    """
    said = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {said}::{_data(message)}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
