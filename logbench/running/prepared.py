"""Prepared sessions with their split, shared by the models of a comparison; and units for one model."""

from __future__ import annotations

import hashlib
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.record_split import AuditFacts, TransferFacts, UnstableFacts
from ..data.neutral import neutral
from ..data.sessions import Sessions
from ..pipeline.embedding import Embedded
from ..pipeline.grouping import GroupedLines
from ..pipeline.parsing import Vocabulary
from ..pipeline.split import Split
from .modelless import Known

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class HandedUnits:
    """Units for a model.

    Attributes:
        sessions: see `Prepared.part`.
        units: int64, index of each session among all units.
    """

    sessions: Sessions
    units: NDArray[Any]


@dataclass(frozen=True)
class Prepared:
    """Prepared data, from which every model of a comparison starts.

    Attributes:
        path: file or folder that was read.
        digest: SHA-256 over the raw files.
        sessions: all units in order of first line, with weights, and with labels after `label_noise` and
            `label_budget`.
        weighted: a class is subsampled and weighted to its true size.
        audit: results of `leak_audit`.
        unstable: what `protocol.unstable` changed, None where nothing.
        transfer, source_digest: what passed from another data set, and SHA-256 over its raw files; None where none
            trained.
        embedded: what the embedding did; None where the model takes no vectors.
        known: what models judged on the same units share.
        with_vectors: the same with vectors, by what made them; the last one alone is kept.
    """

    path: Path
    digest: str
    grouped: GroupedLines
    split: Split
    vocabulary: Vocabulary
    sessions: Sessions
    weighted: bool
    audit: AuditFacts = field(default_factory=AuditFacts)
    unstable: UnstableFacts | None = None
    transfer: TransferFacts | None = None
    source_digest: str | None = None
    parts: dict[Any, HandedUnits] = field(default_factory=dict, repr=False)
    embedded: Embedded | None = None
    known: Known = field(default_factory=Known, repr=False)
    with_vectors: dict[str, Prepared] = field(default_factory=dict, repr=False)

    @property
    def labels(self) -> NDArray[np.int8]:
        """Label of each unit after `label_noise`, int8 [units], −1 if unknown or beyond `label_budget`."""
        assert self.sessions.labels is not None
        return self.sessions.labels

    def part(
        self, name: str, units: NDArray[Any], needs: Set[str] = frozenset(), *, labelled: bool = False
    ) -> HandedUnits:
        """Units as models get them (see `neutral`), in an order that does not tell the label.

        The split alone decides a random order. With times, units are sorted by the time of their first events; the
        order of files would tell the label if they hold one class after the other. All models share one object,
        so that its distinct sequences, histories and counts are computed once.

        Args:
            name: identifies the units; equal names mean equal units.
            needs: what the model needs, see `neutral`.
            labelled: with labels, only for supervised models, and training and held-out units.
        """
        key = (name, frozenset(needs) - {"templates"}, labelled)  # every model gets those
        if key not in self.parts:
            handed = _shuffled(units, self.split.digest, name)
            if "times" in needs and self.sessions.times is not None:
                first = self.sessions.times[self.sessions.offsets[:-1][handed]]
                handed = handed[np.argsort(first, kind="stable")]
            self.parts[key] = HandedUnits(neutral(self.sessions, needs, units=handed, labelled=labelled), handed)
        return self.parts[key]


def _shuffled(units: NDArray[Any], digest: str, name: str) -> NDArray[Any]:
    """Shuffle units by a seed that depends only on the split and the name."""
    seed = hashlib.sha256(f"{digest} {name}".encode()).digest()
    return np.random.default_rng(list(seed)).permutation(units)
