"""Vectors that do not look at words, to see what words add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from logbench import IncompatibleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Most texts that have a column each; more would fill the memory.
MOST = 20_000


class OneHot:
    """A column for each text of training; a text that training does not have is zero."""

    def __init__(self) -> None:
        self.columns: dict[str, int] = {}

    def fit(self, texts: Sequence[str]) -> None:
        """See `Embedding.fit`.

        Raises:
            IncompatibleError: there are more than `MOST` texts.
        """
        if len(texts) > MOST:
            raise IncompatibleError(
                f"embedding one-hot: {len(texts):,} texts are too many for a column each; take hash"
            )
        self.columns = {text: column for column, text in enumerate(texts)}

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedding.of`."""
        vectors = np.zeros((len(texts), len(self.columns)), dtype=np.float32)
        for row, text in enumerate(texts):
            if (column := self.columns.get(text)) is not None:
                vectors[row, column] = 1.0
        return vectors


class Constant:
    """1 for every text."""

    def fit(self, texts: Sequence[str]) -> None:
        """See `Embedding.fit`."""

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedding.of`."""
        return np.ones((len(texts), 1), dtype=np.float32)
