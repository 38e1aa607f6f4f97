"""What a saved model's verdicts on new logs are worth, where these have labels. No model sees them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ..base.errors import DataError
from ..data.lines import KeySequences, Lines
from ..evaluation.metrics import named
from ..evaluation.rule_baselines import RULES, rule
from ..evaluation.unit_metrics import metrics_of
from ..pipeline.grouping import GroupedLines
from ..pipeline.label_ids import label_ids
from ..pipeline.parsing import sessions_of
from ..running.bundle import Bundle


def labelled(
    bundle: Bundle,
    opened: Lines | KeySequences,
    grouped: GroupedLines,
    scored: pl.DataFrame,
) -> pl.DataFrame:
    """Scored units with what metrics are of: `label` (Int8, −1 unknown), `weight` and `sequence` beside their own.

    Scoring needs no labels, so that a data set that finds none with new logs, or cannot read them, gives none.

    Args:
        scored: units in order of first line, as `grouped` has them.
    """
    labels = grouped.units["label"]
    if isinstance(opened, Lines) and opened.labels is not None:
        with contextlib.suppress(DataError, OSError):
            labels = _by_id(opened.labels(), grouped, bundle)
    sequence = sessions_of(grouped, bundle.vocabulary, np.ones(len(grouped))).distinct.inverse
    columns = scored.select("unit", "score", "verdict", "events", "unseen", "short")
    return columns.with_columns(label=labels, weight=pl.lit(1.0), sequence=pl.Series(sequence, dtype=pl.UInt32))


def _by_id(by_id: pl.DataFrame, grouped: GroupedLines, bundle: Bundle) -> pl.Series:
    """Label of each unit, Int8; −1 where none, or more than one, names it."""
    ids = pl.DataFrame({"unit": label_ids(bundle.parts["windower"].build(), grouped.units["unit"])})
    known = by_id.select("unit", pl.col("label").cast(pl.Int8)).unique("unit", keep="none")
    return ids.join(known, on="unit", how="left", maintain_order="left")["label"].fill_null(-1)


def figures(units: pl.DataFrame, bundle: Bundle, evaluators: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Headline metrics of the model (`model`) and of each rule without one, by name; empty without labels.

    Args:
        units: see `labelled`. evaluators: name → Evaluator.
    """
    windower, dataset = (bundle.parts[kind].entry.item for kind in ("windower", "dataset"))
    unit = windower.traits.unit or dataset.card.unit
    found = {}
    for name in ("model", *RULES):
        judged = units if name == "model" else rule(units, name)
        metrics = metrics_of(judged, evaluators, unit, weighted=False)
        if metrics:
            found[name] = named(metrics, unit, bundle.protocol.duplicates)
    return found
