"""Rules for reporters: a row shows the figures of its own run, and a failed run has none."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .outcome import InapplicableError, ViolationError, expect
from .records import records
from .reporter import report, with_metrics
from .rule import Subject, rule

Record = dict[str, Any]
FIGURES = {"alpha": 0.137, "beta": 0.462, "gamma": 0.791}
# Half of the last digit of a figure with two digits.
CLOSE = 0.0051
NUMBER = re.compile(r"(?<![\w.])\d*\.?\d+(?![\w.]*\w)")
ZERO = re.compile(r"(?<![\w./±-])(0|0?\.0+)(?![\w./])")


def run_of(model: str, f1: float, other: float = 0.95) -> Record:
    """Make the record of a model with this F1, and F1 `other` over distinct units."""
    (record,) = with_metrics(records())[:1]
    record |= {"model": model, "run_id": f"{record['run_id']}-{model}"}
    (units,) = record["metrics"].values()
    units["all"]["f1"], units["distinct"]["f1"] = f1, other
    return record


def _failed(model: str, status: str) -> Record:
    """Make the record of a run without result."""
    error = {"stage": "fit", "type": "ValueError", "message": "the matrix is singular"}
    return run_of(model, 0.0) | {"status": status, "metrics": {}, "trivial": {}, "error": error}


def rows_of(text: str, model: str, others: Sequence[str]) -> list[str]:
    """Rows of a model in a text: its JSON objects, or each line that names it with the lines that follow."""
    with_rows = objects_of(text)
    if with_rows is not None:
        return [json.dumps(one) for one in with_rows if model in map(str, one.values())]
    rows, inside = list[str](), False
    for line in text.splitlines():
        if model in line:
            rows.append(line)
            inside = True
        elif not line.strip() or any(other in line for other in others):
            inside = False
        elif inside:
            rows[-1] += f"\n{line}"
    return rows


def objects_of(text: str) -> list[Mapping[str, Any]] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else None


def shows(rows: Sequence[str], figure: float) -> bool:
    numbers = [float(number) for row in rows for number in NUMBER.findall(row)]
    return any(min(abs(one - figure), abs(one / 100 - figure)) <= CLOSE for one in numbers)


@rule("reporter", "rows", "the row of a run shows its own figures, whatever other runs there are")
def rows(subject: Subject) -> None:
    runs = [run_of(model, f1) for model, f1 in FIGURES.items()]
    for some in (runs, runs[::-1], [runs[1], runs[2], runs[0]]):
        text = report(subject, copy.deepcopy(some))
        for model, f1 in FIGURES.items():
            alone = rows_of(report(subject, [run_of(model, f1)]), model, [])
            if not shows([row.splitlines()[0] for row in alone], f1):
                raise InapplicableError("the line that names a model does not show its F1")
            others = [other for other in FIGURES if other != model]
            found = [row.splitlines()[0] for row in rows_of(text, model, others)]
            expect(bool(found), f"a row for {model}", "none")
            expect(shows(found, f1), f"F1 {f1} in the row of {model}, as where it is alone", found[0])
            wrong = [FIGURES[other] for other in others if shows(found, FIGURES[other])]
            expect(not wrong, f"no figure of another run in the row of {model}", f"{wrong[:1]}: {found[0]}")


@rule("reporter", "headline", "if a protocol judges distinct units, their figures are shown", advises=True)
def headline(subject: Subject) -> None:
    record = run_of("alpha", FIGURES["alpha"], FIGURES["gamma"])
    record["protocol"] = {**record["protocol"], "duplicates": "unique"}
    rows = rows_of(report(subject, [record]), "alpha", [])
    both = [figure for figure in (FIGURES["alpha"], FIGURES["gamma"]) if shows(rows, figure)]
    expect(
        both != [FIGURES["alpha"]], "F1 of distinct units where protocol.duplicates is unique", "that of all units"
    )


@rule("reporter", "failures", "a failed run is named with its status and has no figures, not even 0")
def failures(subject: Subject) -> None:
    for status, words in (("error", ("error", "fail")), ("skipped", ("skip",))):
        failed = _failed("omega", status)
        for company in ([], [run_of("alpha", FIGURES["alpha"])]):
            text = report(subject, copy.deepcopy([*company, failed]))
            rows = rows_of(text, "omega", list(FIGURES))
            expect(bool(rows), f"the model of a run of status {status}", "it is not named")
            shows_status = any(word in text.lower() for word in (*words, "singular"))
            expect(shows_status, f"the status {status}, or its reason", text[:80])
            _no_figure(text, rows, status)


def _no_figure(text: str, rows: Sequence[str], status: str) -> None:
    for name, value in _named(text):
        if name.lower().strip() in ("f1", "precision", "recall", "mcc"):
            expect(not _is_number(value), f"no {name} of a run of status {status}", value)
    if objects_of(text) is None and not list(_named(text)):
        for row in rows:
            if zero := ZERO.search(row.splitlines()[0]):
                raise ViolationError(
                    f"no figure for a run of status {status}", f"{zero[0]} in {row.splitlines()[0]!r}"
                )


def _named(text: str) -> list[tuple[str, str]]:
    """Cells of the failed run by heading, if the text is JSON or CSV."""
    table = objects_of(text) or cells_of(text)
    return [(str(k), str(v)) for one in table if "omega" in map(str, one.values()) for k, v in one.items()]


def cells_of(text: str) -> list[Mapping[str, Any]]:
    lines = text.splitlines()
    if not lines or lines[0].count(",") < 3 or " " in lines[0].strip():
        return []
    return list(csv.DictReader(io.StringIO(text)))


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
