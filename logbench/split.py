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
TRAIN, HELD_OUT, TEST = 0, 1, 2
"""Sides of units whose lines were split before: column `side`."""

RESERVE = 0.5
"""Share of the anomalies kept from the test set for `contamination` where the split itself takes none from it."""


@dataclass(frozen=True)
class Split:
    """Disjoint unit indices, int64, each in order of first line.

    Attributes:
        train: units that train, without the held-out ones.
        held_out: training units set apart.
        test: all units outside the training share.
        straddling: units whose lines lie on both sides of a chronological cut (they follow their first line).
        left_out: units of the training share that do not train, such as anomalies where `content = normal`: they
            are not tested either, so that the test set does not depend on what trains.
        contaminating: anomalies among `train` and `held_out` by `contamination`.
    """

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    test: NDArray[np.int64]
    straddling: int
    left_out: int
    contaminating: int
    digest: str


def split_units(units: pl.DataFrame, protocol: EvaluationProtocol) -> Split:
    """Split units by the protocol.

    Args:
        units: one row a unit in order of first line: `unit` (String), `label` (Int8, −1 unknown),
            `first_line` and `last_line` (Int64), where the data set gives it `part` (String), and where the
            lines were split before them `side` (Int8: 0 training, 1 held out, 2 test), which decides alone.

    Raises:
        DataError: no unit is left to train or to test, or too few anomalies for the contamination.
        UnfitError: the protocol asks for labels or a given part that the data set lacks.
    """
    labels = units["label"].to_numpy()
    if protocol.content == "labelled" and not (labels != UNKNOWN).any():
        raise UnfitError("content = labelled needs labels, this data set has none")
    rng = np.random.default_rng(protocol.split_seed)
    share = _share(units, labels, protocol, rng)
    chosen = np.flatnonzero(share & ~_barred(labels, protocol))
    if "side" in units.columns:
        held = units["side"].to_numpy()[chosen] == HELD_OUT
    else:
        held = np.zeros(len(chosen), dtype=bool)
        held[rng.permutation(len(chosen))[: round(protocol.held_out * len(chosen))]] = True
    train, held_out = chosen[~held], chosen[held]
    added = 0
    if protocol.contamination is not None:
        share |= _reserve(labels, share, protocol)
        more = _contaminating(units, share, len(chosen), protocol)
        train, held_out = (np.sort(np.concatenate(pair)) for pair in zip((train, held_out), more, strict=True))
        added = sum(map(len, more))
    test = np.flatnonzero(~share)
    if protocol.train == "given":
        test = np.intersect1d(test, np.flatnonzero((units["part"] == "test").to_numpy()))
    _check(units, train, test, protocol)
    audit(units, train, held_out, test)
    left_out = int(share.sum()) - len(train) - len(held_out)
    digest = _digest(units, train, held_out, test)
    return Split(train, held_out, test, _straddling(units, protocol), left_out, added, digest)


def _check(
    units: pl.DataFrame, train: NDArray[np.int64], test: NDArray[np.int64], protocol: EvaluationProtocol
) -> None:
    if not len(train):
        raise DataError(f"the protocol leaves no unit to train: {len(units):,} units, train = {protocol.train}")
    if not len(test):
        raise DataError(
            f"the protocol leaves no unit to test: all {len(units):,} units train; lower protocol.train_units"
        )


def _barred(labels: NDArray[np.int8], protocol: EvaluationProtocol) -> NDArray[np.bool_]:
    """Which units may not train, whatever the split: bool [units]."""
    if protocol.content == "mixed":
        return np.zeros(len(labels), dtype=bool)
    barred: NDArray[np.bool_] = labels == (ANOMALY if protocol.content == "normal" else UNKNOWN)
    return barred


def _share(
    units: pl.DataFrame, labels: NDArray[np.int8], protocol: EvaluationProtocol, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """The training share, bool [units]: all outside it are tested; what is barred in it is neither."""
    kind, total = protocol.train, len(units)
    eligible = np.flatnonzero(~_barred(labels, protocol))
    if kind == "given":
        if "part" not in units.columns:
            raise UnfitError("train = given needs a data set that names its training part; try train = first")
        given: NDArray[np.bool_] = (units["part"] == "train").fill_null(False).to_numpy()
        return given
    if kind == "first":
        chosen = eligible[: protocol.train_units]
    elif kind == "random":
        chosen = rng.permutation(eligible)[: protocol.train_units]
    elif kind == "ratio" and "side" in units.columns:
        chosen = np.flatnonzero((units["side"] != TEST).to_numpy())
    elif kind == "ratio":
        chosen = np.arange(_cut(total, protocol))
    elif kind == "random_ratio":
        chosen = rng.permutation(total)[: _cut(total, protocol)]
    else:
        chosen = _per_class(labels, protocol.train_ratio)
    share = np.zeros(total, dtype=bool)
    share[chosen] = True
    return share


def _cut(total: int, protocol: EvaluationProtocol) -> int:
    return round(protocol.train_ratio * total)


def _per_class(labels: NDArray[np.int8], ratio: float) -> NDArray[np.int64]:
    """The first `ratio` of the anomalies and of all others, rounded down, as loglizer's `uniform` split."""
    parts = [np.flatnonzero(labels == ANOMALY), np.flatnonzero(labels != ANOMALY)]
    return np.concatenate([part[: int(ratio * len(part))] for part in parts])


def _straddling(units: pl.DataFrame, protocol: EvaluationProtocol) -> int:
    cut = _cut(len(units), protocol)
    if "side" in units.columns or protocol.train != "ratio" or not 0 < cut < len(units):
        return 0
    return int((units["last_line"].to_numpy()[:cut] >= units["first_line"][cut]).sum())


def _reserve(
    labels: NDArray[np.int8], share: NDArray[np.bool_], protocol: EvaluationProtocol
) -> NDArray[np.bool_]:
    """Anomalies kept from the test set, bool [units]: those of the training share, or a drawn part of all."""
    anomalies: NDArray[np.bool_] = labels == ANOMALY
    if protocol.train not in ("first", "random"):
        anomalies &= share
        return anomalies
    drawn = np.random.default_rng([protocol.split_seed, 1]).permutation(np.flatnonzero(anomalies))
    reserve = np.zeros(len(labels), dtype=bool)
    reserve[drawn[: int(RESERVE * len(drawn))]] = True
    return reserve


def _contaminating(
    units: pl.DataFrame, share: NDArray[np.bool_], normals: int, protocol: EvaluationProtocol
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Anomalies that train and those held out, int64 each; a larger contamination adds to a smaller one's."""
    assert protocol.contamination is not None
    rng = np.random.default_rng([protocol.split_seed, 2])
    pool = rng.permutation(np.flatnonzero(share & (units["label"] == ANOMALY).to_numpy()))
    if "side" in units.columns:
        held = units["side"].to_numpy()[pool] == HELD_OUT
    else:
        held = rng.random(len(pool)) < protocol.held_out
    wanted = round(protocol.contamination / (1 - protocol.contamination) * normals)
    if wanted > len(pool):
        most = len(pool) / (len(pool) + normals) if normals else 0
        raise DataError(
            f"protocol.contamination={protocol.contamination:g} of {normals:,} normal units needs {wanted:,} "
            f"anomalies, {len(pool):,} may train; give at most {int(most * 1000) / 1000:g}, or lower train_units"
        )
    added, held = pool[:wanted], held[:wanted]
    return added[~held], added[held]


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
