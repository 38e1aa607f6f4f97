"""What was met on the way to sessions, in words: lines that are not as declared, missing labels, too few units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .splitfacts import split_facts, split_notes

if TYPE_CHECKING:
    from .plan import Job
    from .prepare import Prepared

MET = {
    "unmatched_lines": "lines are not as declared; each is an event whose message is the whole line, or hidden "
    "where lines carry labels",
    "lines_with_unread_time": "lines have no time that can be read",
    "units_partly_labelled": "units count as normal by some of their lines, others of which have no label",
    "lines_with_nul": "lines hold NUL bytes; they stay as they are",
    "units_of_several_groups": "units have lines of several groups; each is of the group of its first line",
    "grown_files": "files grew during the run; they were read to where they ended at its start",
}
"""What a reader may meet, and what was done with it."""
TOLD = ("lines_without_unit", "unmatched_lines", "lines_with_unread_time", "undecodable_lines", "grown_files")
"""What the reader met that a user of the scores should know."""


def note_data(job: Job, prepared: Prepared, note: Callable[[str], None]) -> None:
    """Say where labels are missing, fewer units train than were asked for, or a class is not tested."""
    protocol, split, facts = job.protocol, prepared.split, prepared.grouped.facts
    if 0 < facts["units_without_label"] < len(prepared.grouped):
        note(f"{facts['units_without_label']:,} units have no label: presumed normal to train, not in the metrics")
    if facts.get("lines_back_in_time"):
        note(f"{facts['lines_back_in_time']:,} lines are earlier than the line before; each is where its time is")
    if facts.get("lines_without_unit"):
        note(f"{facts['lines_without_unit']:,} lines belong to no {job.unit}")
    for name, what in MET.items():
        if number := facts.get(name):
            note(f"{number:,} {what}")
    if facts.get("labels_without_unit"):
        note(f"{facts['labels_without_unit']:,} labels name no unit of this log")
    _note_parser(job, prepared, note)
    chosen = len(split.train) + len(split.held_out)
    if protocol.train in ("first", "random") and chosen < protocol.train_units:
        note(f"protocol.train_units={protocol.train_units:,}, but only {chosen:,} units may train")
    for text in split_notes(split_facts(split, prepared.grouped.units), protocol.train):
        note(text)
    labels = prepared.grouped.units["label"].gather(split.test)
    for label, kind in ((0, "normal"), (1, "anomalous")):
        if (labels >= 0).any() and not (labels == label).any():
            note(f"no {kind} unit is left to test, so the metrics mean little")


def _note_parser(job: Job, prepared: Prepared, note: Callable[[str], None]) -> None:
    known = prepared.vocabulary
    if known.differs:
        unseen = f", {known.unmatched:,} of them none, so they are unseen" if known.unmatched else ""
        note(
            f"{known.differs:,} of {len(known.messages):,} training messages have another key by match of parser "
            f"{job.parser.name} than by fit{unseen}; every line has its key by match"
        )


def left_over(facts: Mapping[str, int]) -> str:
    """What was not read as it should be, in words; empty where there is nothing."""
    return ", ".join(f"{facts[name]:,} {name.replace('_', ' ')}" for name in TOLD if facts.get(name))
