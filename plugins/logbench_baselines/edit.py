"""Edit distance to the nearest training sequence (Landauer et al., FSE 2024, section 3)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz.distance import LCSseq, Levenshtein
from rapidfuzz.process import cdist

from logbench import DataError, count_matrix

from .common import NpzState, most_frequent, score_twice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logbench import Context, Scores, Sessions

    from . import EditConfig

# Short units to compare at once: their table of distances stays in the processor's cache.
FEW = 64
# Units of at most so many events are compared with all sequences at once: that is faster than to leave some out.
SHORT = 128
CHARACTERS = 0x110000
# Keys of a unit that a character of one byte can stand for, beside one for all others.
BYTE = 255


class Edit(NpzState):
    """Score: the least Levenshtein distance to a distinct training sequence over the longer one's length.

    Exact where a unit and the sequence have at most `max_edits` events, or no more edits than these between them.
    A larger distance counts as `max_edits` + 1, or as what the numbers of their events say if that is more, so
    that time grows with a unit's length and not with its square.
    """

    kept: Mapping[str, str] = {"keys": "int32 [events]", "offsets": "int64 [units + 1]"}

    def __init__(self, config: EditConfig) -> None:
        self.config = config
        self._beyond = 0  # units of which no sequence is within `max_edits`

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Keep the distinct sequences, at most the `max_train` most frequent.

        Raises:
            DataError: more keys than Unicode has characters.
        """
        if train.vocabulary >= CHARACTERS:
            raise DataError(f"edit: {train.vocabulary} known keys, but it compares at most {CHARACTERS - 1}")
        distinct = train.distinct
        units = train.take(distinct.first)
        used = units.take(most_frequent(units, distinct.counts, self.config.max_train))
        if len(units) > len(used):
            many = f"the {len(used):,} most frequent of {len(units):,} training sequences"
            context.note(f"edit: compares with {many} (max_train)")
        self.keys, self.offsets = used.clipped_keys, used.offsets
        return {"train_distinct": len(distinct), "train_used": len(used)}

    def fault(self) -> str:
        """Offsets cut the keys into units, and each key can be a character."""
        if len(self.offsets) < 2 or self.offsets[0] != 0 or self.offsets[-1] != len(self.keys):
            return "its offsets do not cut the keys into units"
        if (np.diff(self.offsets) < 0).any():
            return "its offsets descend"
        return "" if ((self.keys >= 0) & (self.keys < CHARACTERS)).all() else "a key is no character"

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; the deciding event is the first that the nearest sequence lacks there."""
        self._beyond = 0
        scores = score_twice(sessions, self._score)
        if self._beyond:
            context.note(
                f"edit: {self._beyond:,} units are more than {self.config.max_edits:,} edits from every sequence; "
                "beyond that only their counts tell how far (max_edits)"
            )
        return scores

    def _score(self, sessions: Sessions) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        train = as_texts(self.keys, self.offsets)
        texts = as_texts(sessions.clipped_keys, sessions.offsets)
        score, nearest = np.zeros(len(texts)), np.zeros(len(texts), dtype=np.int64)
        long = sessions.lengths > SHORT
        short = np.flatnonzero(~long)
        for begin in range(0, len(short), FEW):
            part = short[begin : begin + FEW]
            few = [texts[at] for at in part]
            apart = cdist(few, train, scorer=Levenshtein.normalized_distance, dtype=np.float64, workers=-1)
            nearest[part] = apart.argmin(axis=1)
            score[part] = apart[np.arange(len(part)), nearest[part]]
        if long.any():
            self._score_long(sessions, np.flatnonzero(long), texts, train, score, nearest)
        pairs = zip(texts, nearest, strict=True)
        return score, np.array([_first_edit(text, train[at]) for text, at in pairs], dtype=np.int64)

    def _score_long(
        self,
        sessions: Sessions,
        which: NDArray[np.int64],
        texts: list[str],
        train: list[str],
        score: NDArray[np.float64],
        nearest: NDArray[np.int64],
    ) -> None:
        """Write score and nearest sequence of the long units `which`."""
        keys = sessions.clipped_keys
        size = max(sessions.vocabulary, int(self.keys.max(initial=0))) + 1
        known, lengths = count_matrix(self.keys, self.offsets, size).tocsc(), np.diff(self.offsets)
        for at in which.tolist():
            span = slice(sessions.offsets[at], sessions.offsets[at + 1])
            events, counts = np.unique(keys[span], return_counts=True)
            having = known[:, events]
            shared = np.minimum(having.data, np.repeat(counts, np.diff(having.indptr)))
            longer = np.maximum(sessions.lengths[at], lengths)
            # Events of the longer that the other lacks: each takes an edit.
            edits = longer - np.bincount(having.indices, shared, len(train))
            text, others = texts[at], train
            if size > BYTE >= len(events):
                text, *others = self._narrow(keys[span], events, size)
            score[at], nearest[at] = self._nearest(text, others, edits, longer)

    def _narrow(self, keys: NDArray[np.int32], events: NDArray[np.int32], size: int) -> list[str]:
        """A unit and the sequences with a byte a key, because such texts are compared faster.

        What the unit lacks is 0, which equals none of its events.
        """
        codes = np.zeros(size, dtype=np.uint8)
        codes[events] = np.arange(1, len(events) + 1)
        ends = len(keys) + self.offsets
        whole = np.concatenate([codes[keys], codes[self.keys]]).tobytes().decode("latin-1")
        return [whole[begin:end] for begin, end in pairwise([0, *ends.tolist()])]

    def _nearest(
        self, text: str, train: list[str], edits: NDArray[np.float64], longer: NDArray[np.int64]
    ) -> tuple[float, int]:
        """Distance to the nearest sequence, and which it is, the first of equally near ones.

        Args:
            edits: fewest edits there can be to each sequence. longer: events of the longer of the two.
        """
        least, nearest, limit = np.inf, -1, self.config.max_edits
        bounds = self._by_order(text, train, edits / longer, longer)
        for at in np.argsort(bounds, kind="stable").tolist():
            if bounds[at] > least:
                break
            most = limit if least == np.inf else min(limit, int(least * longer[at]) + 1)
            apart = Levenshtein.distance(text, train[at], score_cutoff=most)
            if apart > most and most < limit:
                continue
            distance = max(apart, edits[at]) / longer[at] if apart > limit else apart / longer[at]
            if (distance, at) < (least, nearest) or nearest < 0:
                least, nearest = distance, at
        self._beyond += least * longer[nearest] > limit
        return float(least), nearest

    def _by_order(
        self, text: str, train: list[str], bounds: NDArray[np.float64], longer: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Raise the least distances to sequences that may be nearest to what the order of events says.

        Events that stay are a common subsequence: the longest one takes a quarter of the time of the distance. It
        is asked where no more than `max_edits` events are compared.
        """
        first = int(bounds.argmin())
        if longer[first] > self.config.max_edits:
            return bounds
        apart = Levenshtein.distance(text, train[first]) / longer[first]
        near = np.flatnonzero((bounds <= apart) & (longer <= self.config.max_edits))
        lost = cdist([text], [train[at] for at in near], scorer=LCSseq.distance, dtype=np.int64)[0]
        bounds[near] = np.maximum(bounds[near], lost / longer[near])
        return bounds


def as_texts(keys: NDArray[np.int32], offsets: NDArray[np.int64]) -> list[str]:
    """Each unit as a text with one character a key, which rapidfuzz compares fastest."""
    whole = keys.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return [whole[begin:end] for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]


def _first_edit(text: str, nearest: str) -> int:
    """Index of the first event that differs from the nearest sequence; the last where it ends too early; −1."""
    if text == nearest:
        return -1
    same = next(
        (i for i, (a, b) in enumerate(zip(text, nearest, strict=False)) if a != b), min(len(text), len(nearest))
    )
    return min(same, len(text) - 1)
