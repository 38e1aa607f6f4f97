"""A whole unit as text: its lines, the deciding one marked, long ones folded around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..base.cells import columns_of, padded
from ..base.jsonable import four_digits, several, shorten
from .shared_options import first_line, placed

if TYPE_CHECKING:
    from ..studies.whole_unit import WholeUnit

MARKS = {"decided": ">", "telling": "*", "": " "}
# Lines of a folded unit that are shown on each side of the one that decided, and at its ends.
AROUND, ENDS = 8, 2
# Letters of a line that are shown.
LONGEST = 500


def unit_text(unit: WholeUnit, everything: bool) -> Iterator[str]:
    """The lines to print."""
    facts = unit.facts
    head = [facts["label"]] if facts.get("label") else []
    if facts.get("score") is not None:
        head += ["alarm" if facts.get("verdict") else "no alarm"] if "verdict" in facts else []
        head.append(f"score {four_digits(facts['score'])}")
    yield f"{unit.name}  {', '.join([*head, several(len(unit.lines), 'line')])}  ({unit.of})"
    for at, why in enumerate((facts.get("why") or "").splitlines()):
        yield f"{'' if at else 'why':<9} {shorten(why, 160)}"
    for rank, template in enumerate(facts.get("expected") or [], 1):
        yield f"{'expected' if rank == 1 else '':<9} {rank}. {shorten(template, 140)}"
    yield ""
    places = [placed(line["file"], line["line"]) for line in unit.lines]
    width, number = max(map(columns_of, places)), len(str(len(places)))
    before = -1
    for at in _shown(unit, everything):
        if at > before + 1:
            yield f"  … {several(at - before - 1, 'line')} …"
        line, before = unit.lines[at], at
        text = shorten(first_line(line["text"]), LONGEST)
        yield f"{MARKS[line['mark']]} {at + 1:>{number}}  {padded(places[at], width)}  {text}".rstrip()
    marks = {line["mark"] for line in unit.lines}
    said = [text for mark, text in (("decided", "> decided"), ("telling", "* shows why")) if mark in marks]
    if said:
        yield ""
        yield ", ".join(said)


def _shown(unit: WholeUnit, everything: bool) -> list[int]:
    """Places of the lines to show."""
    last = len(unit.lines)
    if everything or last <= 2 * AROUND + 2 * ENDS + 3:
        return list(range(last))
    middle = unit.around
    around = range(ENDS, 2 * AROUND + ENDS) if middle is None else range(middle - AROUND, middle + AROUND + 1)
    marked = (at for at, line in enumerate(unit.lines) if line["mark"])
    shown = {*range(ENDS), *range(last - ENDS, last), *around, *marked}
    return sorted(at for at in shown if 0 <= at < last)
