"""Which units train, which are held out, which are tested: whole units, ordered by their first line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .errors import DataError, LeakError, UnfitError
from .protocol import EvaluationProtocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNKNOWN, NORMAL, ANOMALY = -1, 0, 1


@dataclass(frozen=True)
class Split:
    """Disjoint unit indices, int64, each in order of first line.

    Attributes:
        train: units that train, without the held-out ones.
        held_out: training units set apart.
        test: all others.
        straddling: units whose lines lie on both sides of a chronological cut (they follow their first line).
    """

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    test: NDArray[np.int64]
    straddling: int
    digest: str


def split_units(units: pl.DataFrame, protocol: EvaluationProtocol) -> Split:
    """Split units by the protocol.

    Args:
        units: one row a unit in order of first line: `unit` (String), `label` (Int8, −1 unknown),
            `first_line` and `last_line` (Int64), and where the data set gives it `part` (String).

    Raises:
        DataError: no unit is left to train or to test.
        UnfitError: the protocol asks for labels or a given part that the data set lacks.
    """
    labels = units["label"].to_numpy()
    if protocol.content == "labelled" and not (labels != UNKNOWN).any():
        raise UnfitError("content = labelled needs labels, this data set has none")
    rng = np.random.default_rng(protocol.split_seed)
    chosen, straddling = _training(units, labels, protocol, rng)
    held = np.zeros(len(chosen), dtype=bool)
    held[rng.permutation(len(chosen))[: round(protocol.held_out * len(chosen))]] = True
    test_mask = np.ones(len(units), dtype=bool)
    test_mask[chosen] = False
    if protocol.train == "given":
        test_mask &= (units["part"] == "test").to_numpy()
    test = np.flatnonzero(test_mask)
    train, held_out = chosen[~held], chosen[held]
    if not len(train):
        raise DataError(f"the protocol leaves no unit to train: {len(units):,} units, train = {protocol.train}")
    if not len(test):
        raise DataError(
            f"the protocol leaves no unit to test: all {len(units):,} units train; lower protocol.train_units"
        )
    audit(units, train, held_out, test)
    return Split(train, held_out, test, straddling, _digest(units, train, held_out, test))


def _training(
    units: pl.DataFrame, labels: NDArray[np.int8], protocol: EvaluationProtocol, rng: np.random.Generator
) -> tuple[NDArray[np.int64], int]:
    kind, total = protocol.train, len(units)
    barred = {"normal": labels == ANOMALY, "labelled": labels == UNKNOWN, "mixed": np.zeros(total, dtype=bool)}
    eligible = np.flatnonzero(~barred[protocol.content])
    straddling = 0
    if kind == "given":
        if "part" not in units.columns:
            raise UnfitError("train = given needs a data set that names its training part; try train = first")
        chosen = np.flatnonzero((units["part"] == "train").to_numpy())
        chosen = np.intersect1d(chosen, eligible)
    elif kind == "first":
        chosen = eligible[: protocol.train_units]
    elif kind == "random":
        chosen = np.sort(rng.permutation(eligible)[: protocol.train_units])
    elif kind == "ratio":
        cut = round(protocol.train_ratio * total)
        chosen = eligible[eligible < cut]
        if 0 < cut < total:
            last, boundary = units["last_line"].to_numpy()[:cut], units["first_line"][cut]
            straddling = int((last >= boundary).sum())
    elif kind == "random_ratio":
        chosen = np.intersect1d(rng.permutation(total)[: round(protocol.train_ratio * total)], eligible)
    else:
        chosen = _per_class(labels, eligible, protocol.train_ratio)
    return chosen.astype(np.int64), straddling


def _per_class(labels: NDArray[np.int8], eligible: NDArray[np.int64], ratio: float) -> NDArray[np.int64]:
    """The first `ratio` of the anomalies and of all others, rounded down, as loglizer's `uniform` split."""
    parts = [np.flatnonzero(labels == ANOMALY), np.flatnonzero(labels != ANOMALY)]
    first = np.concatenate([part[: int(ratio * len(part))] for part in parts])
    return np.intersect1d(first, eligible)


def audit(
    units: pl.DataFrame, train: NDArray[np.int64], held_out: NDArray[np.int64], test: NDArray[np.int64]
) -> None:
    """No unit on two sides.

    Raises:
        LeakError: names the first unit that leaked.
    """
    sides = np.concatenate([train, held_out, test])
    found, counts = np.unique(sides, return_counts=True)
    if (counts > 1).any():
        raise LeakError(f"unit {units['unit'][int(found[counts > 1][0])]} is on two sides of the split")
    if units["unit"].n_unique() != len(units):
        name = units.filter(pl.col("unit").is_duplicated())["unit"][0]
        raise LeakError(f"unit {name} occurs twice in the data set, so it could train and be tested")


def _digest(units: pl.DataFrame, *parts: NDArray[np.int64]) -> str:
    names = hashlib.sha256()
    for part in parts:
        names.update("\n".join(units["unit"].gather(part)).encode())
        names.update(b"\0")
    return names.hexdigest()[:16]
