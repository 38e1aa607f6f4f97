"""What is checked in every run so that nothing of the test set reaches training; a violation ends the run.

That no unit occurs twice is checked where units are split (`split.audit`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import LeakError
from ..data.distinct import blocks
from .grouping import GroupedLines
from .parsing import Vocabulary
from .split import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions

# Bits of a line's sides.
TRAIN, HELD_OUT, TEST = 1, 2, 4
# What a threshold is chosen on, by its source.
THRESHOLDS = {
    "validation": "held-out units",
    "fixed": "the protocol or the model",
    "rule": "the model, which says yes or no",
    "oracle": "the labels of the test units",
}
# Events looked at together.
CHUNK = 1 << 22


def audit(
    grouped: GroupedLines, split: Split, vocabulary: Vocabulary, chronological: bool, apart: bool
) -> dict[str, Any]:
    """Check lines, order and parser.

    Args:
        chronological: the protocol says that training comes before the test.
        apart: no line may be of units of two sides, as where units are stretches of lines.

    Returns:
        `units`: units on the sides, none on two. `shared_lines`: lines of units on both sides, as where a line
        names two blocks; None for key sequences. `lines_cut`: lines were split before units, so there is none.
        `chronological`: `lines` (all training lines come first), `first lines` of units, or None where it is not
        claimed. `parser_messages`: distinct ones that it was fitted on, all of training units.

    Raises:
        LeakError: what leaked.
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
    """Once more where everything else is checked: what follows rests on it."""
    sides = np.bincount(np.concatenate(list(_parts(split).values())), minlength=len(grouped))
    if (twice := np.flatnonzero(sides > 1)).size:
        raise LeakError(f"unit {grouped.units['unit'][int(twice[0])]} is on two sides of the split")


def _shared_lines(grouped: GroupedLines, split: Split, apart: bool) -> int | None:
    """Lines of units that train or are held out and of tested ones; with `apart` no two sides may share any."""
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
    """What trains comes before what is held out where lines are cut, and both before what is tested."""
    units = grouped.units
    first, last = (units[name].to_numpy() for name in ("first_line", "last_line" if cut else "first_line"))
    parts = _parts(split)
    training = [split.train, split.held_out] if cut else [np.sort(np.concatenate([split.train, split.held_out]))]
    for before, after in zip(training, [*training[1:], parts[TEST]], strict=True):
        if len(before) and len(after):
            late, early = before[last[before].argmax()], after[first[after].argmin()]
            if last[late] >= first[early] and (cut or last[late] > first[early]):
                raise LeakError(
                    f"unit {units['unit'][int(late)]} with line {last[late] + 1:,} trains, unit "
                    f"{units['unit'][int(early)]} with line {first[early] + 1:,} comes later: not chronological"
                )


def _check_parser(grouped: GroupedLines, split: Split, vocabulary: Vocabulary) -> None:
    """Fitted on messages of training units alone, and not changed by those that it matched since."""
    trains = np.zeros(len(grouped), dtype=bool)
    trains[split.train] = True
    met = np.zeros(len(grouped.messages), dtype=bool)
    met[grouped.codes[np.repeat(trains, np.diff(grouped.offsets))]] = True
    known = grouped.messages.is_in(vocabulary.messages.implode()).to_numpy()
    if (known & ~met).any():
        message = grouped.messages[int(np.flatnonzero(known & ~met)[0])]
        raise LeakError(f"the parser was fitted on a message that no training unit holds: {message[:80]}")
    if vocabulary.fingerprint() != vocabulary.fitted:
        raise LeakError(
            "the parser went on learning from held-out and test messages: its state changed in match()"
        )


def labels_given(train: Sessions, others: Sequence[Sessions | None], supervised: bool) -> str:
    """Which labels the model was given, in words.

    Args:
        others: what it was given of held-out and test units.

    Raises:
        LeakError: more than its supervision allows.
    """
    for name, given in (("training", [] if supervised else [train]), ("held-out or test", others)):
        if any(one is not None and (one.labels is not None or one.line_labels is not None) for one in given):
            raise LeakError(f"the model was given labels of {name} units")
    return "training units" if supervised else "none"
