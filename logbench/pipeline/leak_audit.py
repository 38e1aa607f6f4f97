"""Check in every run that nothing of the test set reaches training. A leak ends the run.

`split.audit` checks that no unit occurs twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from ..api.record_split import AuditFacts
from ..api.traits import Supervision
from ..base.errors import LeakError
from ..data.distinct import blocks
from .grouping import GroupedLines
from .parsing import Vocabulary
from .split import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions

# Bits of the sides that a line is on.
TRAIN, HELD_OUT, TEST = 1, 2, 4
# Source of a threshold → what it is chosen on.
THRESHOLDS = {
    "validation": "held-out units",
    "labelled": "held-out units and their labels",
    "fixed": "the protocol or the model",
    "rule": "the model, which says yes or no",
    "oracle": "the labels of the test units",
}
# Events to check at once.
CHUNK = 1 << 22


class Handed(Protocol):
    """Units that a model is given, and the index of each among all."""

    @property
    def sessions(self) -> Sessions: ...
    @property
    def units(self) -> NDArray[np.int64]: ...


def audit(
    grouped: GroupedLines, split: Split, vocabulary: Vocabulary, chronological: bool, apart: bool
) -> AuditFacts:
    """Check lines, order and parser.

    Args:
        chronological: the protocol claims that training comes before the test.
        apart: no line may belong to units on two sides, as when units are windows.

    Returns:
        `units`: units on any side, none on two.
        `shared_lines`: lines of both training and test units, such as a line that names two blocks; None for key
        sequences.
        `lines_cut`: whether lines were split before units were made, so that none is shared.
        `chronological`: `lines` (all training lines come first), `first lines` (of units), or None if the
        protocol does not claim it.
        `parser_messages`: distinct messages that the parser was fitted on, all of training units.

    Raises:
        LeakError: the message names what leaked.
    """
    cut = "side" in grouped.units.columns
    _check_units(grouped, split)
    shared = _shared_lines(grouped, split, apart)
    if chronological:
        _check_order(grouped, split, cut)
    _check_parser(grouped, split, vocabulary)
    return {
        "units": sum(map(len, _parts(split).values())),
        "shared_lines": shared,
        "lines_cut": cut,
        "chronological": ("lines" if cut else "first lines") if chronological else None,
        "parser_messages": len(vocabulary.messages),
    }


def _parts(split: Split) -> dict[int, NDArray[np.int64]]:
    return {TRAIN: split.train, HELD_OUT: split.held_out, TEST: split.test}


def _check_units(grouped: GroupedLines, split: Split) -> None:
    """Check again that no unit is on two sides, because the other checks rely on it."""
    sides = np.bincount(np.concatenate(list(_parts(split).values())), minlength=len(grouped))
    if (twice := np.flatnonzero(sides > 1)).size:
        raise LeakError(f"unit {grouped.units['unit'][int(twice[0])]} is on two sides of the split")


def _shared_lines(grouped: GroupedLines, split: Split, apart: bool) -> int | None:
    """Count lines of both training (or held-out) and test units; with `apart` no two sides may share any."""
    if grouped.sequences:
        return None
    bits = np.zeros(len(grouped), dtype=np.uint8)
    for bit, units in _parts(split).items():
        bits[units] = bit
    sides = np.zeros(int(grouped.facts["lines"]), dtype=np.uint8)
    lengths = np.diff(grouped.offsets)
    for some, events in blocks(grouped.offsets, CHUNK):
        lines = grouped.lines[events]
        side = np.repeat(bits[some], lengths[some])
        for bit in _parts(split):
            sides[lines[side == bit]] |= bit
    if apart and (twice := np.flatnonzero(sides & (sides - np.uint8(1)))).size:
        raise LeakError(f"line {twice[0] + 1:,} is on two sides of the split: {_owners(grouped, int(twice[0]))}")
    return int(np.count_nonzero((sides & TEST > 0) & (sides & (TRAIN | HELD_OUT) > 0)))


def _owners(grouped: GroupedLines, line: int) -> str:
    events = np.flatnonzero(grouped.lines == line)
    units = np.searchsorted(grouped.offsets, events, side="right") - 1
    return "units " + ", ".join(grouped.units["unit"].gather(units))


def _check_order(grouped: GroupedLines, split: Split, cut: bool) -> None:
    """Check that training units precede test units, and if lines are cut, that they precede held-out ones."""
    units = grouped.units
    first, last = (units[name].to_numpy() for name in ("first_line", "last_line" if cut else "first_line"))
    parts = _parts(split)
    training = [split.train, split.held_out] if cut else [np.sort(np.concatenate([split.train, split.held_out]))]
    for before, after in zip(training, [*training[1:], parts[TEST]], strict=True):
        if len(before) and len(after):
            late, early = before[last[before].argmax()], after[first[after].argmin()]
            if last[late] >= first[early] and (cut or last[late] > first[early]):
                raise LeakError(
                    f"the split is not chronological: unit {units['unit'][int(late)]} with line "
                    f"{last[late] + 1:,} trains, but the later unit {units['unit'][int(early)]} begins with line "
                    f"{first[early] + 1:,}"
                )


def _check_parser(grouped: GroupedLines, split: Split, vocabulary: Vocabulary) -> None:
    """Check that the parser was fitted on training messages alone, and that matching did not change it."""
    trains = np.zeros(len(grouped), dtype=bool)
    trains[split.train] = True
    in_training = np.zeros(len(grouped.messages), dtype=bool)
    lengths = np.diff(grouped.offsets)
    for some, events in blocks(grouped.offsets, CHUNK):
        in_training[grouped.codes[events][np.repeat(trains[some], lengths[some])]] = True
    in_vocabulary = grouped.messages.is_in(vocabulary.messages.implode()).to_numpy()
    if (in_vocabulary & ~in_training).any():
        message = grouped.messages[int(np.flatnonzero(in_vocabulary & ~in_training)[0])]
        raise LeakError(f"the parser was fitted on a message that no training unit holds: {message[:80]}")
    if vocabulary.fingerprint() != vocabulary.fitted:
        raise LeakError("the parser learned from held-out and test messages: its state changed in match()")


def labels_given(
    train: Sessions, held_out: Sessions | None, scored: Sessions, supervised: bool
) -> Literal["none", "training units", "training and held-out units"]:
    """Say which labels the model was given.

    Args:
        scored: held-out and test units that the model was given to score.

    Raises:
        LeakError: the model was given more labels than its supervision allows.
    """
    given = {"training": train, "held-out": held_out, "scored": scored}
    labelled = [name for name, units in given.items() if units is not None and _labelled(units)]
    allowed = ("training", "held-out") if supervised else ()
    for name in labelled:
        if name not in allowed:
            raise LeakError(f"the model was given labels of {name} units")
    if "held-out" in labelled:
        return "training and held-out units"
    return "training units" if supervised else "none"


def _labelled(units: Sessions) -> bool:
    return units.labels is not None or units.line_labels is not None


def audit_budget(
    grouped: GroupedLines,
    split: Split,
    labels: NDArray[np.int8],
    handed: Iterable[Handed],
    supervision: Supervision,
) -> int:
    """Count the labels that were handed out: those that a supervised model gets, or that chose a model's units.

    Args:
        labels: of each unit, as they may be seen, int8 [units].
        handed: the units for training, and those held out.

    Raises:
        LeakError: a label beyond `label_budget`, or another one than may be seen, was handed out.
    """
    used = 0
    for part in handed:
        known = np.ones(len(part.units), dtype=bool) if supervision == "semi-supervised" else _known(part.sessions)
        units = part.units[known]
        if len(over := units[np.isin(units, split.hidden)]):
            name = grouped.units["unit"][int(over[0])]
            raise LeakError(f"the label of unit {name} was handed out, which protocol.label_budget hides")
        given = part.sessions.labels
        if given is not None and not np.array_equal(given, labels[part.units]):
            raise LeakError("the model was given other labels than the protocol lets it see")
        used += len(units)
    return used


def _known(units: Sessions) -> NDArray[np.bool_]:
    """Units that come with a label, bool [units]."""
    return np.zeros(len(units), dtype=bool) if units.labels is None else units.labels >= 0
