"""Count training units with lines after the start of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Kinds of `train` by which training precedes the test; a given part only if it does.
CHRONOLOGICAL = ("first", "ratio", "given")


def straddling(
    units: pl.DataFrame,
    training: NDArray[np.int64],
    test: NDArray[np.int64],
    protocol: EvaluationProtocol,
    sequences: bool,
) -> int | None:
    """Count training units that have a line after the first line of the later test units.

    Args:
        units: `first_line` and `last_line`, in order of first line.
        training: int64, ascending, indices of units that train or are held out, without anomalies that
            `contamination` adds from a reserve of any time.
        test: int64, indices of test units.
        sequences: the units are key sequences without known lines.

    Returns:
        None if the count is unknown, or the split does not claim that training comes first.
    """
    if sequences or protocol.train not in CHRONOLOGICAL or protocol.cut != "all" or not len(training):
        return None
    later = test[test > training[-1]]
    if not len(later) or (protocol.train == "given" and len(later) < len(test)):
        return None
    return int((units["last_line"].to_numpy()[training] >= units["first_line"][int(later[0])]).sum())
