"""Edit distance to the nearest training sequence (Landauer et al., FSE 2024, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from logbench import DataError

from .common import NpzState, most_frequent, score_twice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logbench import Context, Scores, Sessions

    from . import EditConfig

CHUNK = 1024
CHARACTERS = 0x110000


class Edit(NpzState):
    """Score: the least Levenshtein distance to a distinct training sequence over the longer one's length."""

    kept: Mapping[str, str] = {"keys": "int32 [events]", "offsets": "int64 [units + 1]"}

    def __init__(self, config: EditConfig) -> None:
        self.config = config

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
        return score_twice(sessions, self._score)

    def _score(self, sessions: Sessions) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        train = as_texts(self.keys, self.offsets)
        texts = as_texts(sessions.clipped_keys, sessions.offsets)
        score, event = np.zeros(len(texts)), np.full(len(texts), -1, dtype=np.int64)
        for begin in range(0, len(texts), CHUNK):
            part = texts[begin : begin + CHUNK]
            apart = cdist(part, train, scorer=Levenshtein.normalized_distance, dtype=np.float64, workers=-1)
            nearest = apart.argmin(axis=1)
            score[begin : begin + CHUNK] = apart.min(axis=1)
            event[begin : begin + CHUNK] = [
                _first_edit(text, train[i]) for text, i in zip(part, nearest, strict=True)
            ]
        return score, event


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
