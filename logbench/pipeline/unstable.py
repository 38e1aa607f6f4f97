"""Make a log unstable on purpose, as software that changes does: templates edited, events moved, lost or doubled.

After LogRobust (Zhang et al., ESEC/FSE 2019, section 4.3), which injects such changes into a share of the log.
What a parser gets wrong is in `misparsed`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import EDITS, MOVES, EvaluationProtocol
from ..api.record_split import UnstableFacts
from ..data.per_unit import events_of_units
from .drawn_events import drawn_events, drawn_units
from .edited_texts import Editor
from .grouping import GroupedLines
from .parsing import Vocabulary
from .split import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A delayed event comes after up to so many more.
LATEST = 5


def make_unstable(
    grouped: GroupedLines, split: Split, protocol: EvaluationProtocol, learned: Callable[[], Vocabulary]
) -> tuple[GroupedLines, UnstableFacts | None]:
    """Change events of a share of the units, by the split's seed; labels stay.

    A larger dose changes the same units in the same way, and more of them. Events keep their line, message and
    label wherever they go; times stay in order: a moved event has the time of its new place.

    Args:
        learned: gives a parser fitted on the training units as they are; edits follow its templates.

    Returns:
        The log, and what was changed; the same log and None where nothing is.
    """
    kind, units = protocol.unstable, drawn_units(split, protocol)
    if kind not in (*EDITS, *MOVES) or not len(units):
        return grouped, None
    if kind == "shuffle":
        places, source = _shuffled(grouped, units, protocol)
        return _moved(grouped, places, source), _facts(units, places)
    units, events = _chosen(grouped, units, protocol)
    if kind in EDITS:
        return _edited(grouped, units, events, Editor(learned(), grouped.messages, _seed_of(protocol), kind))
    if kind == "swap":
        first = _apart(events)
        events = np.sort(np.concatenate([first, first + 1]))
        made = _moved(grouped, events, _exchanged(first))
    elif kind == "delay":
        made = _moved(grouped, *_delayed(grouped, units, events, protocol))
    else:
        made = _times(grouped, events, 2 if kind == "repeat" else 0)
    return made, _facts(units, events)


def _facts(units: NDArray[np.int64], events: NDArray[np.int64], templates: int | None = None) -> UnstableFacts:
    return {"units": len(units), "events": len(events), "templates": templates}


def _chosen(
    grouped: GroupedLines, units: NDArray[np.int64], protocol: EvaluationProtocol
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Units that can be changed, and their events to change: see `drawn_events`."""
    may = np.ones(len(grouped.codes), dtype=bool)
    if protocol.unstable in ("swap", "delay"):
        may[grouped.offsets[1:] - 1] = False  # nothing comes after it
    return drawn_events(grouped.offsets, units, may, protocol, spared=int(protocol.unstable == "remove"))


def _times(grouped: GroupedLines, events: NDArray[np.int64], number: int) -> GroupedLines:
    """The log with these events so many times each."""
    times = np.ones(len(grouped.codes), dtype=np.int64)
    times[events] = number
    source = np.repeat(np.arange(len(times)), times)
    ends = np.concatenate([[0], np.cumsum(times)])[grouped.offsets]
    made = _taken(grouped, source)
    return replace(made, offsets=ends, times=None if grouped.times is None else grouped.times[source])


def _seed_of(protocol: EvaluationProtocol) -> Callable[[str], np.random.Generator]:
    """A generator for each template, whatever else is edited."""

    def seeded(template: str) -> np.random.Generator:
        text = f"{protocol.split_seed} {template}".encode("utf-8", "surrogatepass")
        return np.random.default_rng(list(hashlib.sha256(text).digest()))

    return seeded


def _apart(events: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every second of events that follow each other, so that no event is exchanged twice."""
    begins = np.concatenate([[True], np.diff(events) > 1])
    place = np.arange(len(events)) - np.maximum.accumulate(np.where(begins, np.arange(len(events)), 0))
    second = place % 2 == 1
    return np.delete(events, np.flatnonzero(second))


def _exchanged(first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the events at `first` and after each come from."""
    return np.stack([first + 1, first], axis=1).ravel()


def _shuffled(
    grouped: GroupedLines, units: NDArray[np.int64], protocol: EvaluationProtocol
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All events of the units, and where each comes from."""
    priority = np.random.default_rng([protocol.split_seed, 7]).random(len(grouped.codes))
    events, offsets = events_of_units(grouped.offsets, units)
    order = np.lexsort((priority[events], np.repeat(np.arange(len(units)), np.diff(offsets))))
    return events, events[order]


def _delayed(
    grouped: GroupedLines, units: NDArray[np.int64], late: NDArray[np.int64], protocol: EvaluationProtocol
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All events of the units, and where each comes from where some come after 1 to `LATEST` later ones."""
    by = np.random.default_rng([protocol.split_seed, 9]).integers(1, LATEST + 1, len(grouped.codes))
    events, offsets = events_of_units(grouped.offsets, units)
    place = np.arange(len(grouped.codes), dtype=np.float64)
    place[late] += by[late] + 0.5
    order = np.lexsort((place[events], np.repeat(np.arange(len(units)), np.diff(offsets))))
    return events, events[order]


def _moved(grouped: GroupedLines, places: NDArray[np.int64], source: NDArray[np.int64]) -> GroupedLines:
    """The log with events at `places` replaced by those from `source`, without their times."""
    order = np.arange(len(grouped.codes))
    order[places] = source
    return _taken(grouped, order)


def _taken(grouped: GroupedLines, source: NDArray[np.int64]) -> GroupedLines:
    labels = None if grouped.line_labels is None else grouped.line_labels[source]
    return replace(grouped, codes=grouped.codes[source], lines=grouped.lines[source], line_labels=labels)


def _edited(
    grouped: GroupedLines, units: NDArray[np.int64], events: NDArray[np.int64], editor: Editor
) -> tuple[GroupedLines, UnstableFacts]:
    """The events say something near to what they said, or are followed by one that says something new.

    Equal events of a template are edited alike.
    """
    asked, inverse = np.unique(grouped.codes[events], return_inverse=True)
    texts = pl.Series("message", [editor.edited(int(code)) for code in asked], dtype=pl.String)
    new = texts.unique(maintain_order=True)
    number = {text: len(grouped.messages) + place for place, text in enumerate(new)}
    facts = _facts(units, events, editor.templates)
    if editor.kind == "new":
        grouped, events = _times(grouped, events, 2), events + np.arange(1, len(events) + 1)
    codes = grouped.codes.copy()
    codes[events] = np.array([number[text] for text in texts], dtype=np.int32)[inverse]
    messages = pl.concat([grouped.messages, new.rename(grouped.messages.name)])
    return replace(grouped, codes=codes, messages=messages), facts
