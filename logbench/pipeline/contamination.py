"""Anomalies that train without anybody knowing: where they are taken from, and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol
from ..base.errors import DataError
from .shares import ANOMALY, HELD_OUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Share of the anomalies kept from the test set for `contamination` where the split itself takes none from it.
RESERVE = 0.5


def reserve(labels: NDArray[np.int8], kept: NDArray[np.bool_], protocol: EvaluationProtocol) -> NDArray[np.bool_]:
    """Anomalies outside the training share that are kept from the test set, bool [units].

    Kinds that take a share of all units have the anomalies of that share, and keep no other.

    Args:
        kept: bool [units], what is not tested anyway.
    """
    chosen = np.zeros(len(labels), dtype=bool)
    if protocol.train in ("first", "random"):
        anomalies = np.flatnonzero((labels == ANOMALY) & ~kept)
        drawn = np.random.default_rng([protocol.split_seed, 1]).permutation(anomalies)
        chosen[drawn[: int(RESERVE * len(drawn))]] = True
    return chosen


def contaminating(
    units: pl.DataFrame,
    share: NDArray[np.bool_],
    reserved: NDArray[np.bool_],
    normals: int,
    protocol: EvaluationProtocol,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Anomalies that train and those held out, int64 each; a larger contamination adds to a smaller one's.

    They are taken from the training share as long as it has some, then from the reserve.

    Args:
        share, reserved: bool [units]. normals: training units, held-out ones among them, that are no anomalies.

    Raises:
        DataError: there are too few.
    """
    assert protocol.contamination is not None
    rng = np.random.default_rng([protocol.split_seed, 2])
    anomalous = (units["label"] == ANOMALY).to_numpy()
    pool = np.concatenate([rng.permutation(np.flatnonzero(part & anomalous)) for part in (share, reserved)])
    if "side" in units.columns:
        held = units["side"].to_numpy()[pool] == HELD_OUT
    else:
        held = rng.random(len(pool)) < protocol.held_out
    wanted = round(protocol.contamination / (1 - protocol.contamination) * normals)
    if wanted > len(pool):
        most = len(pool) / (len(pool) + normals)
        raise DataError(
            f"protocol.contamination={protocol.contamination:g} of {normals:,} normal units needs {wanted:,} "
            f"anomalies, {len(pool):,} may train; give at most {int(most * 1000) / 1000:g}, or lower "
            f"{'train_units' if protocol.train in ('first', 'random') else 'the share'}"
        )
    added, held = pool[:wanted], held[:wanted]
    return added[~held], added[held]
