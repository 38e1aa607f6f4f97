"""F1 of one stored run under every choice that the protocol leaves after scoring, from its scores alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol
from ..api.record_sections import Record
from ..base.errors import ConfigError, IncompatibleError
from ..evaluation.cells import METRICS
from ..evaluation.distinct_units import distinct_units
from ..evaluation.threshold_traits import ThresholdTraits
from ..evaluation.verdicts import decide
from ..running import records
from .protocol_grid import CHOICES
from .rescore import is_weighted, needed_events, undecided


def protocol_spread(record: Record, folder: Path) -> Iterator[dict[str, Any]]:
    """Decide a run's stored scores under each choice of `protocol_grid.CHOICES`.

    Yields:
        `short`, `unseen`, `threshold`, `duplicates`, `f1` and `in_force` (whether it is the run's own choice).
        Choices that the model or the data cannot serve are left out; of a stream, which is decided slice by slice,
        there is none.

    Raises:
        DataError: the scores of this run were not kept, or are damaged.
    """
    if record["stream"]:
        return  # each slice was decided before the next was scored
    stored, own = records.scores(record, folder), ThresholdTraits.of(record["threshold"])
    for choice in itertools.product(*CHOICES.values()):
        chosen: dict[str, Any] = dict(zip(CHOICES, choice, strict=True))
        if is_weighted(record) and chosen["duplicates"] == "unique":
            continue
        changed = {**chosen, "value": None} if chosen["threshold"] != record["protocol"]["threshold"] else chosen
        protocol = EvaluationProtocol.of(record["protocol"], **changed)
        try:
            limit = protocol.short_limit(needed_events(record, protocol), record["model"])
            decided = decide(undecided(stored, limit), protocol, own, short_limit=limit).units
        except (ConfigError, IncompatibleError):
            continue
        known = decided.filter((pl.col("label") >= 0) & pl.col("score").is_not_null())
        if known.height:
            units = known if chosen["duplicates"] == "all" else distinct_units(known)
            in_force = all(record["protocol"].get(name) == value for name, value in chosen.items())
            yield {**chosen, "f1": _f1(units), "in_force": in_force}


def _f1(units: pl.DataFrame) -> float:
    alarm, anomaly = units["verdict"].to_numpy(), units["label"].to_numpy() == 1
    weight = units["weight"].cast(float).to_numpy()
    cells = [weight[one].sum() for one in (alarm & anomaly, alarm & ~anomaly, ~alarm & ~anomaly, ~alarm & anomaly)]
    return float(METRICS["f1"](np.array(cells)))
