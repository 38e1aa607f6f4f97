"""Rules for reporters: special characters in names break no table."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable

from .outcome import InapplicableError, expect
from .records import records
from .reporter import report, with_metrics
from .rule import Subject, rule

# A name that a plugin may give its model. Comma, space, `=` and `/` are not allowed in names.
NAME = 'a|b_c&d<e>%f"g#h'
# A possible message of an error.
WORDS = 'off | by & 5% of_a <b>"row", and #1'


@rule("reporter", "escapes", "names and reasons with special characters of its format break no rows or cells")
def escapes(subject: Subject) -> None:
    (good, *_), (bad, *_) = with_metrics(records()), (one for one in records() if one["status"] == "error")
    plain = report(subject, [good, bad])
    form = next((form for form, holds in FORMS.items() if holds(plain)), None)
    if form is None:
        raise InapplicableError("its text is no table that is known: Markdown, LaTeX, CSV, HTML or JSON")
    good |= {"model": NAME}
    good["dataset"] = {**good["dataset"], "name": NAME}
    bad |= {"model": f"{NAME}!"}
    bad["dataset"] = good["dataset"]
    bad["error"] = {**bad["error"], "message": WORDS}
    CHECKS[form](report(subject, [good, bad]))


RULE_OF_MARKDOWN = re.compile(r"\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)+\|?")
FORMS: dict[str, Callable[[str], bool]] = {
    "json": lambda text: text.lstrip()[:1] in ("[", "{"),
    "html": lambda text: "<td" in text.lower(),
    "latex": lambda text: "\\begin{tabular" in text,
    "markdown": lambda text: any(RULE_OF_MARKDOWN.fullmatch(line.strip()) for line in text.splitlines()),
    "csv": lambda text: len({line.count(",") for line in text.splitlines()}) == 1 and text.count(",") > 3,
}


def _json(text: str) -> None:
    found = json.dumps(json.loads(text), ensure_ascii=False)
    expect(json.dumps(NAME, ensure_ascii=False) in found, "the name as a text", "another")


def _html(text: str) -> None:
    wrong = [mark for mark in ("<e>", "<b>") if mark in text]
    expect(not wrong, "&lt;e&gt; and the like in HTML", ", ".join(wrong))


def _latex(text: str) -> None:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("%")]
    begin = next(n for n, line in enumerate(lines) if "\\begin{tabular" in line)
    end = next(n for n, line in enumerate(lines) if "\\end{tabular" in line)
    rows = [line for line in lines[begin + 1 : end] if line.rstrip().endswith("\\\\")]
    cells = [len(re.findall(r"(?<!\\)&", row)) for row in rows if "multicolumn" not in row]
    expect(len(set(cells)) <= 1, "as many & in each row of LaTeX", " ".join(map(str, cells)))
    bare = [row for row in rows if re.search(r"(?<!\\)[%#_]", row)]
    expect(not bare, "\\%, \\# and \\_ in LaTeX", "".join(bare[:1])[:80])


def _markdown(text: str) -> None:
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines):
        if RULE_OF_MARKDOWN.fullmatch(line):
            wanted = _pipes(line)
            rows = [lines[number - 1]]
            for row in lines[number + 1 :]:
                if "|" not in row or not row:
                    break
                rows.append(row)
            wrong = [row for row in rows if _pipes(row) != wanted]
            expect(not wrong, f"{wanted} bars in each row of Markdown, others as \\|", "".join(wrong[:1]))


def _pipes(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line))


def _csv(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text)))
    widths = {len(row) for row in rows}
    expect(len(widths) == 1, "as many cells in each row of CSV", " ".join(map(str, sorted(widths))))
    expect(any(NAME in row for row in rows), "the name in a cell of its own", "it is cut, or changed")


CHECKS: dict[str, Callable[[str], None]] = {
    "json": _json,
    "html": _html,
    "latex": _latex,
    "markdown": _markdown,
    "csv": _csv,
}
