"""Rules for reporters: a column shows the metric in its heading, and different runs are not merged."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping

from .outcome import InapplicableError, expect
from .reporter import report
from .reporter_rows import FIGURES, cells_of, objects_of, run_of, shows
from .rule import Subject, rule

HEADED = {"precision": 0.137, "recall": 0.462, "mcc": 0.791, "auroc": 0.624, "auprc": 0.283}


@rule("reporter", "columns", "a column with a metric as heading shows that metric")
def columns(subject: Subject) -> None:
    run = run_of("alpha", 0.9)
    (units,) = run["metrics"].values()
    units["all"] |= HEADED
    rows = [
        row
        for row in _table(report(subject, [copy.deepcopy(run)]))
        if any("alpha" in str(cell) for cell in row.values())
    ]
    headed = [(name, str(row[name])) for row in rows for name in row if name.strip().lower() in HEADED]
    if not headed:
        raise InapplicableError("it has no row of a table (JSON, CSV, Markdown) with a metric over a column")
    for name, cell in headed:
        value = HEADED[name.strip().lower()]
        expect(shows([cell], value), f"{name} {value} below its heading", cell)


def _table(text: str) -> list[Mapping[str, str]]:
    return [*(objects_of(text) or cells_of(text) or _bars(text))]


def _bars(text: str) -> list[Mapping[str, str]]:
    """Rows of tables in Markdown, by the headings of their table; of equal headings the first counts."""
    found: list[Mapping[str, str]] = []
    heads: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if not line.startswith("|"):
            heads = []  # of the next table
        elif not heads:
            heads = _split(line)
        else:
            found.append(dict(reversed(list(zip(heads, _split(line), strict=False)))))
    return found


def _split(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


@rule("reporter", "apart", "runs of a model on other data or under another protocol keep their own figures")
def apart(subject: Subject) -> None:
    first, last = FIGURES["alpha"], FIGURES["gamma"]
    if not all(shows([report(subject, [run_of("alpha", f1)])], f1) for f1 in (first, last)):
        raise InapplicableError("it shows no F1")
    for what in ("dataset", "protocol"):
        runs = [run_of("alpha", first), run_of("alpha", last)]
        more = {"name": "another"} if what == "dataset" else {"unseen": "ignore", "hash": "another"}
        runs[1] |= {"run_id": "another", what: {**runs[1][what], **more}}
        for some in (runs, runs[::-1]):
            text = report(subject, copy.deepcopy(some))
            lost = [f1 for f1 in (first, last) if not shows([text], f1)]
            expect(not lost, f"the figure of each of two runs that differ in their {what}", f"no {lost[:1]} in it")
