"""Training units that reach past a chronological cut: they hold lines from after the test has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Kinds of `train` by which training comes before the test; a given part only where it does.
CHRONOLOGICAL = ("first", "ratio", "given")


def straddling(
    units: pl.DataFrame,
    training: NDArray[np.int64],
    test: NDArray[np.int64],
    protocol: EvaluationProtocol,
    sequences: bool,
) -> int | None:
    """How many training units have a line after the first one of the units tested later.

    Args:
        units: `first_line` and `last_line`, in order of first line.
        training: indices of what trains or is held out, int64, ascending, without anomalies that
            `contamination` adds from a reserve of any time. test: of tested units.
        sequences: the units came as key sequences, whose lines are not known.

    Returns:
        None where it cannot be known, or where the split does not claim that training comes first.
    """
    if sequences or protocol.train not in CHRONOLOGICAL or not len(training):
        return None
    later = test[test > training[-1]]
    if not len(later) or (protocol.train == "given" and len(later) < len(test)):
        return None
    return int((units["last_line"].to_numpy()[training] >= units["first_line"][int(later[0])]).sum())
