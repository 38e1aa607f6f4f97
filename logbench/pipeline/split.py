"""Split units, in order of their first lines, into training, held-out and test units."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import SIZES, EvaluationProtocol
from ..base.errors import DataError, IncompatibleError, LeakError
from ..base.jsonable import several
from .contamination import contaminating, reserve
from .label_budget import hidden_units
from .label_noise import flipped, flipped_tested
from .shares import (
    ANOMALY,
    HELD_OUT,
    NORMAL,
    RESERVED,
    TEST,
    TRAIN,
    UNKNOWN,
    barred,
    reserved_share,
    training_share,
)
from .straddling import straddling

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ANOMALY",
    "HELD_OUT",
    "NORMAL",
    "RESERVED",
    "TEST",
    "TRAIN",
    "UNKNOWN",
    "Split",
    "audit",
    "digest_of",
    "split_units",
]

# Names of units hashed at once.
NAMES = 1 << 18


@dataclass(frozen=True)
class Split:
    """Training, held-out and test units as disjoint indices, int64, each in order of first line.

    Attributes:
        train: units that train, without held-out units.
        held_out: training units set apart for stopping and thresholds.
        test: all units outside the training share, or with `test_reserve` outside the largest one.
        straddling: number of training units with lines on both sides of a chronological cut; None if it is
            unknown or the split is not chronological.
        left_out: number of units of the training share that do not train, such as anomalies under
            `content = normal`. They are not tested either, so that the test set does not depend on `content`.
        reserved: number of units that neither train nor are tested because of `test_reserve`.
        contaminating: number of anomalies that `contamination` adds to `train` and `held_out`.
        flipped: units of `train` and `held_out` whose label `label_noise` flips.
        flipped_test: units of `test` whose label `test_label_noise` flips.
        hidden: units of `train` and `held_out` whose label nobody may see, by `label_budget`.
        digest: over all three sides.
        test_digest, held_out_digest: over one side.
    """

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    test: NDArray[np.int64]
    straddling: int | None
    left_out: int
    reserved: int
    contaminating: int
    flipped: NDArray[np.int64]
    flipped_test: NDArray[np.int64]
    hidden: NDArray[np.int64]
    digest: str
    test_digest: str
    held_out_digest: str


def split_units(units: pl.DataFrame, protocol: EvaluationProtocol, sequences: bool = False) -> Split:
    """Split units by the protocol.

    Args:
        units: one row a unit in order of first line: `unit` (String), `label` (Int8, −1 unknown), `first_line` and
            `last_line` (Int64). Optional: `part` and `group` (String) from the data set, and `side` (Int8: 0
            training, 1 held out, 2 test, 3 reserved) if lines were split first, which then decides alone.
        sequences: the units are key sequences without known lines.

    Raises:
        DataError: no unit is left to train or to test, or too few anomalies for the contamination.
        IncompatibleError: the protocol needs labels, a given part or groups that the data set lacks.
    """
    labels = units["label"].to_numpy()
    if protocol.content == "labelled" and not (labels != UNKNOWN).any():
        raise IncompatibleError("content = labelled needs labels, but this data set has none")
    rng = np.random.default_rng(protocol.split_seed)
    share = training_share(units, labels, protocol, rng)
    kept = reserved_share(units, labels, share, protocol)
    chosen = np.flatnonzero(share & ~_without(labels, protocol))
    held = _held(units, chosen, protocol, rng)
    train, held_out = chosen[~held], chosen[held]
    added, within = 0, chosen
    if protocol.contamination is not None:
        others = reserve(labels, kept, protocol)
        more = contaminating(units, share, others, len(chosen), protocol)
        train, held_out = (np.sort(np.concatenate(pair)) for pair in zip((train, held_out), more, strict=True))
        added = sum(map(len, more))
        within = np.concatenate([train, held_out])
        within = np.sort(within[share[within]])
        share, kept = share | others, kept | others
    test = np.flatnonzero(~kept)
    if protocol.train == "given":
        test = np.intersect1d(test, np.flatnonzero((units["part"] == "test").fill_null(False).to_numpy()))
    _check(units, train, test, protocol)
    audit(units, train, held_out, test)
    return Split(
        train=train,
        held_out=held_out,
        test=test,
        straddling=straddling(units, within, test, protocol, sequences),
        left_out=int(share.sum()) - len(train) - len(held_out),
        reserved=int((kept & ~share).sum()),
        contaminating=added,
        flipped=flipped(labels, (train, held_out), protocol),
        flipped_test=flipped_tested(labels, test, protocol),
        hidden=hidden_units(train, held_out, protocol),
        digest=digest_of(units, train, held_out, test),
        test_digest=digest_of(units, test),
        held_out_digest=digest_of(units, held_out),
    )


def _without(labels: NDArray[np.int8], protocol: EvaluationProtocol) -> NDArray[np.bool_]:
    """Units of the share that do not train, bool [units]; with contamination all anomalies, as it adds its own."""
    without = barred(labels, protocol)
    return without if protocol.contamination is None else without | (labels == ANOMALY)


def _held(
    units: pl.DataFrame, chosen: NDArray[np.int64], protocol: EvaluationProtocol, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose the held-out units among training units, bool [chosen]."""
    if "side" in units.columns:
        apart: NDArray[np.bool_] = units["side"].to_numpy()[chosen] == HELD_OUT
        return apart
    held = np.zeros(len(chosen), dtype=bool)
    held[rng.permutation(len(chosen))[: round(protocol.held_out * len(chosen))]] = True
    return held


def _check(
    units: pl.DataFrame, train: NDArray[np.int64], test: NDArray[np.int64], protocol: EvaluationProtocol
) -> None:
    if not len(train):
        found = several(len(units), "unit")
        raise DataError(f"the protocol leaves no unit to train: {found}, train = {protocol.train}")
    if not len(test):
        size = "test_reserve" if protocol.test_reserve is not None else SIZES[protocol.train]
        everything = "its one unit trains or is" if len(units) == 1 else f"all {len(units):,} units train or are"
        advice = f"lower protocol.{size}" if size else "the data set names none for the test"
        if len(units) == 1:
            advice = "give a longer log, or another windower"
        raise DataError(f"the protocol leaves no unit to test: {everything} set apart; {advice}")


def audit(
    units: pl.DataFrame, train: NDArray[np.int64], held_out: NDArray[np.int64], test: NDArray[np.int64]
) -> None:
    """Check that no unit is on two sides.

    Raises:
        LeakError: the message names the first unit that is.
    """
    sides = np.zeros(len(units), dtype=np.uint8)
    for part in (train, held_out, test):
        np.add.at(sides, part, 1)
    if (sides > 1).any():
        raise LeakError(f"unit {units['unit'][int(np.argmax(sides > 1))]} is on two sides of the split")
    if units["unit"].n_unique() != len(units):
        name = units.filter(pl.col("unit").is_duplicated())["unit"][0]
        raise LeakError(f"unit {name} occurs twice in the data set, so it could train and be tested")


def digest_of(units: pl.DataFrame, *parts: NDArray[np.int64]) -> str:
    """Digest over names and labels of units; labels count, because data with other labels are other data.

    Args:
        units: `unit` (String) and `label` (Int8). parts: indices, each part apart.
    """
    hasher = hashlib.sha256()
    for part in parts:
        for begin in range(0, len(part), NAMES):
            names: str = units["unit"].gather(part[begin : begin + NAMES]).str.join("\n").item()
            hasher.update(("\n" * (begin > 0) + names).encode())
        hasher.update(b"\0" + units["label"].gather(part).cast(pl.Int8).to_numpy().tobytes())
    return hasher.hexdigest()[:16]
