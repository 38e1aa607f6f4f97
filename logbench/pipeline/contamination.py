"""Choose the anomalies that contaminate the training set unlabelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol
from ..base.errors import DataError
from .shares import ANOMALY, HELD_OUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Share of the anomalies reserved for `contamination` if the split itself puts none into the training share.
RESERVE = 0.5


def reserve(labels: NDArray[np.int8], kept: NDArray[np.bool_], protocol: EvaluationProtocol) -> NDArray[np.bool_]:
    """Reserve anomalies outside the training share, which are then not tested: bool [units].

    Splits by a share of all units already have the anomalies of that share, so they reserve none.

    Args:
        kept: bool [units], units that are not tested anyway.
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
    """Choose anomalies that train and anomalies to hold out, int64 indices each.

    Takes those of the training share first, then those of the reserve. A larger contamination contains a smaller.

    Args:
        share, reserved: bool [units], the training share and the reserve.
        normals: number of other units that train or are held out.

    Raises:
        DataError: too few anomalies may train.
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
