"""Warn users about the data: unparsed lines, missing labels, too few training units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from ..api.protocol import PARSE_ERRORS
from ..base.jsonable import part_of, several
from ..pipeline.split_facts import split_facts, split_notes
from .judgement import judgement

if TYPE_CHECKING:
    from .prepared import Prepared
    from .resolve import ResolvedPlan

# Fact of the data → warning: singular, plural, and the rest of the sentence.
WARNINGS = {
    "labels_without_unit": ("label names", "labels name", "no unit of this log"),
    "lines_back_in_time": ("line is", "lines are", "earlier than the line before; each is where its time is"),
    "lines_far_back_in_time": (
        "line is",
        "lines are",
        "a minute or more earlier than the line before: several clocks, or files that are not in order",
    ),
    "unmatched_lines": (
        "line is",
        "lines are",
        "not as declared; each is an event whose message is the whole line, or hidden where lines carry labels",
    ),
    "lines_with_unread_time": ("line has", "lines have", "no time that can be read"),
    "units_partly_labelled": (
        "unit counts",
        "units count",
        "as normal by some of its lines, others of which have no label",
    ),
    "lines_with_nul": ("line holds", "lines hold", "NUL bytes; they stay as they are"),
    "units_of_several_groups": (
        "unit has",
        "units have",
        "lines of several groups; each has the group of its first line",
    ),
    "grown_files": ("file grew", "files grew", "during the run; lines added after its start were not read"),
    "left_out_members": (
        "member of the archive is",
        "members of the archive are",
        "left out: links, devices, or names that lead out of it",
    ),
}
# `protocol.unstable` → what happened to events; texts are edited otherwise, and keys wrong.
CHANGES = {
    "remove": "removed", "repeat": "repeated", "swap": "moved", "shuffle": "moved", "delay": "delayed",
    "new": "followed by a new one",
}  # fmt: skip
# Fact of the data → words for a user of the scores: singular and plural.
UNREAD = {
    "lines_without_unit": ("line without unit", "lines without unit"),
    "unmatched_lines": ("unmatched line", "unmatched lines"),
    "lines_with_unread_time": ("line with unread time", "lines with unread time"),
    "undecodable_lines": ("undecodable line", "undecodable lines"),
    "grown_files": ("grown file", "grown files"),
    "late_lines": (
        "line after its session was closed (scored apart; a file has it within)",
        "lines after their session was closed (scored apart; a file has them within)",
    ),
    "left_out_members": ("member of the archive left out", "members of the archive left out"),
}


def note_data(resolved: ResolvedPlan, prepared: Prepared, note: Callable[[str], None]) -> None:
    """Warn of unparsed lines, missing labels, too few training units, and classes without test units."""
    protocol, split, facts = resolved.protocol, prepared.split, prepared.grouped.facts
    if 0 < facts["units_without_label"] < len(prepared.grouped):
        unlabelled = several(facts["units_without_label"], "unit has", "units have")
        note(f"{unlabelled} no label: such units may train as normal and are left out of the metrics")
    for text in warnings_of(facts, resolved.unit):
        note(text)
    _note_parser(resolved, prepared, note)
    for text in judgement(resolved, prepared):
        note(text)
    chosen = len(split.train) + len(split.held_out)
    if resolved.source is None and protocol.train in ("first", "random") and chosen < protocol.train_units:
        note(f"protocol.train_units={protocol.train_units:,}, but only {several(chosen, 'unit')} may train")
    for text in split_notes(split_facts(split, prepared.grouped.units), protocol.train):
        note(text)
    if (changed := prepared.unstable) is not None:
        kind = CHANGES.get(
            protocol.unstable, "with a wrong key" if protocol.unstable in PARSE_ERRORS else "edited"
        )
        note(
            f"unstable on purpose: {several(changed['events'], 'event')} of {several(changed['units'], 'unit')} "
            f"{kind} (protocol.unstable={protocol.unstable})"
        )
    if (passed := prepared.transfer) is not None and resolved.source is not None:
        note(
            f"trained on {resolved.source.dataset.name}: of {several(passed['messages'], 'distinct message')} "
            f"tested {passed['same']:,} are there word for word, {passed['parsed']:,} by the parser, "
            f"{passed['near']:,} by the embedding, {passed['unseen']:,} are unseen "
            f"({part_of(passed['events_unseen'], passed['events'], 'event', 'has', 'have')} such a key)"
        )
    labels = prepared.grouped.units["label"].gather(split.test)
    for label, kind in ((0, "normal"), (1, "anomalous")):
        if (labels >= 0).any() and not (labels == label).any():
            less = protocol.train in ("first", "random") and kind == "normal"
            note(
                f"no {kind} unit is left to test, so the metrics mean little"
                + ("; set protocol.train_units lower" if less else "")
            )


def warnings_of(facts: Mapping[str, int], unit: str) -> Iterator[str]:
    """Sentences about lines that are not as declared."""
    if number := facts.get("lines_without_unit"):
        yield f"{several(number, 'line belongs', 'lines belong')} to no {unit}"
    for name, (one, more, what) in WARNINGS.items():
        if number := facts.get(name):
            yield f"{several(number, one, more)} {what}"


def _note_parser(resolved: ResolvedPlan, prepared: Prepared, note: Callable[[str], None]) -> None:
    vocabulary = prepared.vocabulary
    if vocabulary.differs:
        unseen = (
            f" ({vocabulary.unmatched:,} of them get none, so they count as unseen)"
            if vocabulary.unmatched
            else ""
        )
        total = len(vocabulary.messages)
        note(
            f"{part_of(vocabulary.differs, total, 'training message', 'gets', 'get')} another key from match of "
            f"parser {resolved.parser.name} than from fit{unseen}; keys from match are used"
        )


def left_over(facts: Mapping[str, int]) -> str:
    """Describe lines that were not read as declared; empty if there are none."""
    return ", ".join(several(facts[name], one, more) for name, (one, more) in UNREAD.items() if facts.get(name))
