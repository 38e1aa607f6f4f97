"""An embedding that tells its texts apart, and a model that sums what it says; both keep what they were shown."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from logbench import Sessions


class Marks:
    """A number that tells a text, and in how many letters the texts of training have in all."""

    fitted: ClassVar[list[list[str]]] = []

    def fit(self, texts: Sequence[str]) -> None:
        assert len(set(texts)) == len(texts)
        self.fitted.append(list(texts))
        self.letters = sum(map(len, texts))

    def of(self, texts: Sequence[str]) -> Any:
        return np.array([[mark(text), self.letters] for text in texts], dtype=np.float32).reshape(-1, 2)

    def counted(self) -> dict[str, int]:
        return {"letters": self.letters}


def mark(text: str) -> float:
    return float(zlib.crc32(text.encode()) % 1_000_003)


class Sum:
    """Scores a unit by the sum of its marks; keeps what it was shown."""

    given: ClassVar[list[tuple[str, Sessions]]] = []

    def fit(self, train: Sessions, context: Any) -> None:
        self.given.append(("train", train))

    def score(self, sessions: Sessions, context: Any) -> Any:
        self.given.append(("scored", sessions))
        assert sessions.vectors is not None and sessions.vector_ids is not None
        marks = sessions.vectors[sessions.vector_ids, 0].astype(float)
        return np.array([marks[a:b].sum() for a, b in pairwise(sessions.offsets)])

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...
