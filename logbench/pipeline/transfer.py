"""Train on one log, test on another: units of both in one, split so that no tested unit trains."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol
from ..api.record_split import TransferFacts
from ..base.errors import DataError, IncompatibleError
from ..base.jsonable import several
from ..data.per_unit import events_of_units
from .grouping import GroupedLines
from .label_noise import flipped_tested
from .parsing import Vocabulary
from .split import Split, audit, digest_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What the names of the source's units begin with, since both logs may use one name.
SOURCE = "source "


def joined(target: GroupedLines, source: GroupedLines) -> GroupedLines:
    """Units of the target, then those of the source: equal masked messages are one, whichever log they are of.

    Line numbers of the target stay, those of the source follow. Times are known where both logs have them, and
    labels of lines where either has; messages as they stand in the log are not.

    Raises:
        IncompatibleError: one log has lines and the other key sequences.
    """
    if target.sequences != source.sequences:
        raise IncompatibleError("one data set has lines, the other key sequences: no text of them can be matched")
    messages = pl.concat([target.messages, source.messages.rename(target.messages.name)])
    distinct = messages.unique(maintain_order=True)
    code = pl.DataFrame({"text": messages}).join(
        pl.DataFrame({"text": distinct}).with_row_index("code"), on="text", how="left", maintain_order="left"
    )["code"].to_numpy().astype(np.int32)  # fmt: skip
    later = int(target.facts["lines"]) if not target.sequences else len(target.codes)
    units = ["unit", "label", "first_line", "last_line"]
    moved = source.units.select(
        (SOURCE + pl.col("unit")).alias("unit"), "label", pl.col("first_line") + later, pl.col("last_line") + later
    )
    wide = np.int64 if target.sequences else np.uint32
    lines = np.concatenate([target.lines.astype(wide), (source.lines.astype(np.int64) + later).astype(wide)])
    both_times = target.times is not None and source.times is not None
    return replace(
        target,
        units=pl.concat([target.units.select(units), moved]),
        offsets=np.concatenate([target.offsets, source.offsets[1:] + target.offsets[-1]]),
        codes=np.concatenate([code[target.codes], code[source.codes + len(target.messages)]]),
        lines=lines,
        messages=distinct,
        times=np.concatenate([target.times, source.times]) if both_times else None,
        line_labels=_line_labels(target, source),
        facts={**target.facts, "lines": target.facts["lines"] + source.facts["lines"],
               "events": len(target.codes) + len(source.codes)},
        raw=None,
    )  # fmt: skip


def _line_labels(target: GroupedLines, source: GroupedLines) -> NDArray[np.int8] | None:
    if target.line_labels is None and source.line_labels is None:
        return None
    return np.concatenate([
        np.full(len(one.codes), -1, dtype=np.int8) if one.line_labels is None else one.line_labels
        for one in (target, source)
    ])  # fmt: skip


def transfer_split(both: GroupedLines, target: GroupedLines, source: Split, protocol: EvaluationProtocol) -> Split:
    """Train and hold out as the source is split; test the target but for its first units.

    Of `target_units` the split's seed draws half, rounded down, to train without their labels beside the source's
    training units. The other half replaces the source's held-out units, so that the threshold is the target's
    own. With fewer than two units there is none to hold out, and the threshold is the source's.

    Args:
        both: see `joined`. source: split of the source alone.

    Raises:
        DataError: no unit is left to test.
    """
    targets, apart = len(target), max(protocol.target_units, protocol.target_reserve)
    if apart >= targets:
        raise DataError(
            f"the target has {several(targets, 'unit')}, and {apart:,} of them would train or be reserved: lower "
            "--target-units"
        )
    draw = np.random.default_rng([protocol.split_seed, 12])
    first = _first_units(target, draw)
    own = draw.permutation(first[: protocol.target_units])
    train, held_out = (np.sort(part) for part in np.split(own, [len(own) // 2]))
    if protocol.target_units < 2:
        train, held_out = np.concatenate([train, held_out]), source.held_out + targets
    if not protocol.target_alone:
        train = np.concatenate([train, source.train + targets])
    test = np.sort(first[apart:])
    audit(both.units, train, held_out, test)
    flipped, hidden = ((part + targets)[np.isin(part + targets, np.concatenate([train, held_out]))]
                       for part in (source.flipped, source.hidden))  # fmt: skip
    return replace(
        source,
        train=train,
        held_out=held_out,
        test=test,
        straddling=None,
        reserved=apart - protocol.target_units,
        flipped=flipped,
        flipped_test=flipped_tested(both.units["label"].to_numpy(), test, protocol),
        hidden=np.concatenate([own, hidden]),
        digest=digest_of(both.units, train, held_out, test),
        test_digest=digest_of(both.units, test),
        held_out_digest=digest_of(both.units, held_out),
    )


def same_units(both: GroupedLines, targets: int, split: Split) -> int:
    """Tested units of which the source trains one of the same name and the same messages.

    Args:
        targets: units of the target.
    """
    learns, names = np.concatenate([split.train, split.held_out]), both.units["unit"]
    learns = learns[learns >= targets]
    trained = pl.DataFrame({"unit": names.gather(learns).str.strip_prefix(SOURCE), "trained": learns})
    pairs = pl.DataFrame({"unit": names.gather(split.test), "tested": split.test}).join(trained, on="unit")
    tested, like = pairs["tested"].to_numpy(), pairs["trained"].to_numpy()
    lengths = np.diff(both.offsets)
    may = (lengths[tested] == lengths[like]) & (lengths[tested] > 0)
    if not may.any():
        return 0
    (mine, begins), (its, _) = (events_of_units(both.offsets, units[may]) for units in (tested, like))
    return int(np.logical_and.reduceat(both.codes[mine] == both.codes[its], begins[:-1]).sum())


def _first_units(target: GroupedLines, draw: np.random.Generator) -> NDArray[np.int64]:
    """Units of the target in the order in which they would train, int64 [units].

    First in time, where it is known. Else drawn, because the order of files could tell labels; first come those
    that the data set gives for training.
    """
    if target.times is not None:
        return np.argsort(target.times[target.offsets[:-1]], kind="stable")
    drawn = draw.permutation(len(target))
    if "part" not in target.units.columns:
        return drawn
    given = (target.units["part"] == "train").fill_null(False).to_numpy()[drawn]
    return np.concatenate([drawn[given], drawn[~given]])


def transfer_facts(
    both: GroupedLines, targets: int, split: Split, vocabulary: Vocabulary, keys: NDArray[np.int32]
) -> TransferFacts:
    """How much of what the tested units say is known from training.

    Args:
        targets: units of the target. keys: int32 [messages], of each distinct message, as events have them.
    """
    events = both.codes[events_of_units(both.offsets, split.test)[0]]
    tested = np.unique(events)
    same = both.messages.gather(tested).is_in(vocabulary.messages.implode()).to_numpy()
    known, parsed = keys[tested] < vocabulary.size, vocabulary.lookup(both.messages)[tested] < vocabulary.size
    parts = {name: getattr(split, name) >= targets for name in ("train", "held_out")}
    return {
        "source_train": int(parts["train"].sum()),
        "target_train": int((~parts["train"]).sum()),
        "source_held_out": int(parts["held_out"].sum()),
        "target_held_out": int((~parts["held_out"]).sum()),
        "messages": len(tested),
        "same": int((same & parsed).sum()),
        "parsed": int((~same & parsed).sum()),
        "near": int((known & ~parsed).sum()),
        "unseen": int((~known).sum()),
        "events": len(events),
        "events_unseen": int((keys[events] >= vocabulary.size).sum()),
    }
