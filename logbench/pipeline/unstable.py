"""Make a log unstable on purpose, as software that changes does: templates edited, events moved, lost or doubled.

After LogRobust (Zhang et al., ESEC/FSE 2019, section 4.3), which injects such changes into a share of the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol
from ..api.record_split import UnstableFacts
from ..data.per_unit import events_of_units
from .edited_texts import Editor
from .grouping import GroupedLines
from .parsing import Vocabulary
from .split import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Most events of a unit of so many that each kind leaves alone.
SPARED = {"templates": 0, "repeat": 0, "remove": 1, "swap": 1, "shuffle": 0}


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
    units = _units(split, protocol)
    if protocol.unstable == "none" or not len(units):
        return grouped, None
    rng = np.random.default_rng([protocol.split_seed, 7])
    priority = rng.random(len(grouped.codes))
    lengths = np.diff(grouped.offsets)[units] - SPARED[protocol.unstable]
    units, lengths = units[lengths > 0], lengths[lengths > 0]
    if protocol.unstable == "shuffle":
        return _moved(grouped, units, *_shuffled(grouped, units, priority))
    share = np.maximum(1, np.rint(protocol.unstable_events * lengths)).astype(np.int64)
    events = _drawn(grouped, units, share, priority, last=protocol.unstable != "swap")
    if protocol.unstable == "templates":
        return _edited(grouped, units, events, Editor(learned(), grouped.messages, _seed_of(protocol)))
    if protocol.unstable == "swap":
        first = _apart(events)
        return _moved(grouped, units, np.sort(np.concatenate([first, first + 1])), _exchanged(first))
    times = np.ones(len(grouped.codes), dtype=np.int64)
    times[events] = 2 if protocol.unstable == "repeat" else 0
    source = np.repeat(np.arange(len(times)), times)
    ends = np.concatenate([[0], np.cumsum(times)])[grouped.offsets]
    made = _taken(grouped, source)
    made = replace(made, offsets=ends, times=None if grouped.times is None else grouped.times[source])
    return made, {"units": len(units), "events": len(events), "templates": None}


def _units(split: Split, protocol: EvaluationProtocol) -> NDArray[np.int64]:
    """Units to change, int64, ascending: those of the test first, so that they are the same in both places."""
    rng = np.random.default_rng([protocol.split_seed, 6])
    parts = [split.test] if protocol.unstable_in == "test" else [split.test, split.train, split.held_out]
    return np.sort(
        np.concatenate([rng.permutation(part)[: round(protocol.unstable_dose * len(part))] for part in parts])
    )


def _seed_of(protocol: EvaluationProtocol) -> Callable[[str], np.random.Generator]:
    """A generator for each template, whatever else is edited."""

    def seeded(template: str) -> np.random.Generator:
        text = f"{protocol.split_seed} {template}".encode("utf-8", "surrogatepass")
        return np.random.default_rng(list(hashlib.sha256(text).digest()))

    return seeded


def _drawn(
    grouped: GroupedLines,
    units: NDArray[np.int64],
    share: NDArray[np.int64],
    priority: NDArray[np.float64],
    last: bool,
) -> NDArray[np.int64]:
    """So many events of each unit, by priority, int64 [events], ascending; `last`: its last one may be drawn."""
    events, offsets = events_of_units(grouped.offsets, units)
    level = priority[events]
    if not last:
        level[offsets[1:] - 1] = np.inf
    sizes = np.diff(offsets)
    order = np.lexsort((level, np.repeat(np.arange(len(units)), sizes)))
    rank = np.arange(len(events)) - np.repeat(offsets[:-1], sizes)
    return np.sort(events[order[rank < np.repeat(share, sizes)]])


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
    grouped: GroupedLines, units: NDArray[np.int64], priority: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All events of the units, and where each comes from."""
    events, offsets = events_of_units(grouped.offsets, units)
    order = np.lexsort((priority[events], np.repeat(np.arange(len(units)), np.diff(offsets))))
    return events, events[order]


def _moved(
    grouped: GroupedLines, units: NDArray[np.int64], places: NDArray[np.int64], source: NDArray[np.int64]
) -> tuple[GroupedLines, UnstableFacts]:
    """Events at `places` replaced by those from `source`, without their times."""
    order = np.arange(len(grouped.codes))
    order[places] = source
    return _taken(grouped, order), {"units": len(units), "events": len(places), "templates": None}


def _taken(grouped: GroupedLines, source: NDArray[np.int64]) -> GroupedLines:
    labels = None if grouped.line_labels is None else grouped.line_labels[source]
    return replace(grouped, codes=grouped.codes[source], lines=grouped.lines[source], line_labels=labels)


def _edited(
    grouped: GroupedLines, units: NDArray[np.int64], events: NDArray[np.int64], editor: Editor
) -> tuple[GroupedLines, UnstableFacts]:
    """The events say something near to what they said; equal events of a template are edited alike."""
    asked, inverse = np.unique(grouped.codes[events], return_inverse=True)
    texts = pl.Series("message", [editor.edited(int(code)) for code in asked], dtype=pl.String)
    new = texts.unique(maintain_order=True)
    number = {text: len(grouped.messages) + place for place, text in enumerate(new)}
    codes = grouped.codes.copy()
    codes[events] = np.array([number[text] for text in texts], dtype=np.int32)[inverse]
    messages = pl.concat([grouped.messages, new.rename(grouped.messages.name)])
    facts: UnstableFacts = {"units": len(units), "events": len(events), "templates": editor.templates}
    return replace(grouped, codes=codes, messages=messages), facts
