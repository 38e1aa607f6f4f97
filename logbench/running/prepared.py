"""Sessions with their split, which every model of a comparison starts from, and units as one model gets them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.record_sections import AuditFacts
from ..data.neutral import neutral
from ..data.sessions import Sessions
from ..pipeline.grouping import GroupedLines
from ..pipeline.parsing import Vocabulary
from ..pipeline.split import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class HandedUnits:
    """Units as a model gets them.

    Attributes:
        sessions: see `Prepared.part`. units: int64, index of each among all units.
    """

    sessions: Sessions
    units: NDArray[Any]


@dataclass(frozen=True)
class Prepared:
    """What every model of a comparison starts from.

    Attributes:
        path: what was read. digest: SHA-256 over the raw files.
        sessions: all units, in order of first line, labels as training sees them (see `label_noise`) and weights
            beside them.
        weighted: a class is subsampled and weighted to its true size.
        audit: what was checked against leaks, see `leak_audit`.
    """

    path: Path
    digest: str
    grouped: GroupedLines
    split: Split
    vocabulary: Vocabulary
    sessions: Sessions
    weighted: bool
    audit: AuditFacts = field(default_factory=AuditFacts)
    parts: dict[Any, HandedUnits] = field(default_factory=dict, repr=False)

    @property
    def labels(self) -> NDArray[np.int8]:
        """Label of each unit as training sees it, int8 [units]; −1 where it is unknown."""
        assert self.sessions.labels is not None
        return self.sessions.labels

    def part(
        self, name: str, units: NDArray[Any], *, times: bool = False, labelled: bool = False,
        line_labels: bool = False,
    ) -> HandedUnits:  # fmt: skip
        """The units `units` as models get them, see `neutral`, in an order that does not tell the label.

        The split alone draws it; where models get times it is that of their first events, not that of files, which
        may hold one class after the other. One object serves all models that
        ask, so that what is computed on it (distinct sequences, histories, counts) is computed once.

        Args:
            name: says which units they are: equal names, equal units.
            labelled: with the labels of the units, for supervised models and training units alone.
            line_labels: with those of their events as well.
        """
        asked = {"times": times, "labelled": labelled, "line_labels": line_labels}
        key = (name, *asked.values())
        if key not in self.parts:
            handed = _shuffled(units, self.split.digest, name)
            if times and self.sessions.times is not None:
                first = self.sessions.times[self.sessions.offsets[:-1][handed]]
                handed = handed[np.argsort(first, kind="stable")]
            self.parts[key] = HandedUnits(neutral(self.sessions.take(handed), **asked), handed)
        return self.parts[key]


def _shuffled(units: NDArray[Any], digest: str, name: str) -> NDArray[Any]:
    """The units in an order that the split and the part decide, and nothing else."""
    seed = hashlib.sha256(f"{digest} {name}".encode()).digest()
    return np.random.default_rng(list(seed)).permutation(units)
