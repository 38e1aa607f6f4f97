"""Choose the training share of the units, by each kind of split. A larger share contains a smaller one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol
from ..base.errors import IncompatibleError
from .groups import group_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Values of column `label`.
UNKNOWN, NORMAL, ANOMALY = -1, 0, 1
# Values of column `side`, which units have if lines were split first. Reserved units neither train nor are tested.
TRAIN, HELD_OUT, TEST, RESERVED = 0, 1, 2, 3


def barred(labels: NDArray[np.int8], protocol: EvaluationProtocol) -> NDArray[np.bool_]:
    """Units that may not train by `protocol.content`, bool [units]."""
    if protocol.content == "mixed":
        return np.zeros(len(labels), dtype=bool)
    excluded: NDArray[np.bool_] = labels == (ANOMALY if protocol.content == "normal" else UNKNOWN)
    return excluded


def training_share(
    units: pl.DataFrame, labels: NDArray[np.int8], protocol: EvaluationProtocol, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """The training share, bool [units].

    Units outside it are tested; barred units inside it neither train nor are tested.

    Args:
        units: see `split.split_units`.
        rng: generator in the same state for every size of the share.

    Raises:
        IncompatibleError: the protocol needs a given training part or groups, and the data set has none.
    """
    share = np.zeros(len(units), dtype=bool)
    share[_chosen(units, labels, protocol, rng)] = True
    return share


def _chosen(
    units: pl.DataFrame, labels: NDArray[np.int8], protocol: EvaluationProtocol, rng: np.random.Generator
) -> NDArray[np.int64]:
    eligible, total = np.flatnonzero(~barred(labels, protocol)), len(units)
    match protocol.train:
        case "given":
            chosen = _given(units)
        case "first":
            chosen = eligible[: protocol.train_units]
        case "random":
            chosen = rng.permutation(eligible)[: protocol.train_units]
        case "ratio" if "side" in units.columns:
            chosen = np.flatnonzero(np.isin(units["side"].to_numpy(), [TRAIN, HELD_OUT]))
        case "ratio" if protocol.cut != "all":
            chosen = _of_each_group(units, protocol)
        case "ratio":
            chosen = np.arange(_part_of(total, protocol))
        case "random_ratio":
            chosen = rng.permutation(total)[: _part_of(total, protocol)]
        case "group":
            chosen = _of_groups(units, protocol, rng)
        case "per_class_ratio":
            chosen = _per_class(labels, protocol.train_ratio)
    return chosen


def _given(units: pl.DataFrame) -> NDArray[np.int64]:
    if "part" not in units.columns:
        raise IncompatibleError("train = given needs a data set that names its training part; try train = first")
    return np.flatnonzero((units["part"] == "train").fill_null(False).to_numpy())


def _part_of(total: int, protocol: EvaluationProtocol) -> int:
    return round(protocol.train_ratio * total)


def _per_class(labels: NDArray[np.int8], ratio: float) -> NDArray[np.int64]:
    """The first `ratio` of the anomalies and of all other units, rounded down, like loglizer's `uniform` split."""
    parts = [np.flatnonzero(labels == ANOMALY), np.flatnonzero(labels != ANOMALY)]
    return np.concatenate([part[: int(ratio * len(part))] for part in parts])


def _of_groups(units: pl.DataFrame, protocol: EvaluationProtocol, rng: np.random.Generator) -> NDArray[np.int64]:
    """Units of a share `train_ratio` of the groups; units without a group stay together."""
    codes = group_codes(units)
    if codes is None:
        raise IncompatibleError(
            "train = group needs groups of units, but neither the data set nor the windower gives any; "
            "try train = random_ratio"
        )
    groups = rng.permutation(np.unique(codes))
    return np.flatnonzero(np.isin(codes, groups[: _part_of(len(groups), protocol)]))


def _of_each_group(units: pl.DataFrame, protocol: EvaluationProtocol) -> NDArray[np.int64]:
    """The first `train_ratio` of the units of each group."""
    codes = group_codes(units)
    if codes is None:
        raise IncompatibleError(f"protocol.cut={protocol.cut} needs lines, here are units without them")
    groups = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    return np.sort(np.concatenate([group[: _part_of(len(group), protocol)] for group in groups]))


def reserved_share(
    units: pl.DataFrame, labels: NDArray[np.int8], share: NDArray[np.bool_], protocol: EvaluationProtocol
) -> NDArray[np.bool_]:
    """Units that are not tested, bool [units]: the training share, or with `test_reserve` the largest one."""
    if protocol.test_reserve is None:
        return share
    if "side" in units.columns:
        untested: NDArray[np.bool_] = units["side"].to_numpy() != TEST
        return untested
    return training_share(units, labels, protocol.largest, np.random.default_rng(protocol.split_seed))
