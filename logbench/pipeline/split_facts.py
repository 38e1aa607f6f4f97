"""Describe a split: facts for the record, and notes for the user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.record_split import Flipped, SplitFacts
from ..base.jsonable import part_of, several
from .groups import shared_groups
from .split import ANOMALY, NORMAL, Split

if TYPE_CHECKING:
    from numpy.typing import NDArray


def split_facts(split: Split, units: pl.DataFrame) -> SplitFacts:
    """Count and digest a split, for `RunRecord.split`.

    Args:
        units: see `split.split_units`.
    """
    labels = units["label"].to_numpy()
    training = np.sort(np.concatenate([split.train, split.held_out]))
    return {
        "digest": split.digest,
        "test_digest": split.test_digest,
        "held_out_digest": split.held_out_digest,
        "train": len(split.train),
        "held_out": len(split.held_out),
        "test": len(split.test),
        "straddling": split.straddling,
        "left_out": split.left_out,
        "reserved": split.reserved,
        "contaminating": split.contaminating,
        "training_anomalies": int((labels[training] == ANOMALY).sum()),
        "flipped": _by_class(labels[split.flipped]),
        "flipped_test": _by_class(labels[split.flipped_test]),
        "groups": shared_groups(units, training, split.test),
    }


def _by_class(labels: NDArray[np.int8]) -> Flipped:
    return {"normal": int((labels == NORMAL).sum()), "anomaly": int((labels == ANOMALY).sum())}


def split_notes(facts: SplitFacts, train: str) -> Iterator[str]:
    """Warn of units that reach past the cut, do not train, have wrong labels, or share groups.

    Args:
        facts: see `split_facts`.
        train: the protocol's kind of split.
    """
    trained = facts["train"] + facts["held_out"]
    if facts["straddling"]:
        yield (
            f"{part_of(facts['straddling'], trained, 'training unit', 'reaches', 'reach')} past the cut: "
            "training sees lines from after the start of the test"
        )
    if facts["left_out"]:
        yield (
            f"{several(facts['left_out'], 'unit of the training share is', 'units of the training share are')} "
            "unused (anomalies, say): neither trained on nor tested"
        )
    if facts["flipped"]["normal"] + facts["flipped"]["anomaly"]:
        yield (
            f"label noise: {facts['flipped']['normal']:,} normal and {facts['flipped']['anomaly']:,} anomalous of "
            f"{several(trained, 'training unit')} have the wrong label"
        )
    if facts["flipped_test"]["normal"] + facts["flipped_test"]["anomaly"]:
        yield (
            f"label noise: {facts['flipped_test']['normal']:,} normal and {facts['flipped_test']['anomaly']:,} "
            f"anomalous of {several(facts['test'], 'tested unit')} are judged by the wrong label"
        )
    groups = facts["groups"]
    if groups and groups["shared"]:
        advice = "" if train == "group" else "; protocol.train=group keeps whole groups apart"
        yield (
            f"{part_of(groups['test_units_shared'], facts['test'], 'tested unit', 'is', 'are')} of groups that "
            f"also train ({groups['shared']:,} of {several(groups['test'], 'group')}){advice}"
        )
