"""Words without a dictionary: the vector of a word is drawn by its hash, so that any word has one."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np

from .words import WordSum

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Most words whose vectors are remembered.
MOST = 50_000


class Hashed(WordSum):
    """Vectors of length 1 whose columns are ±1/√width by the bits of a hash: two words are near orthogonal.

    With `letters` above 0 a word is the mean of its pieces of so many letters, its ends marked, so that words of
    one stem are near.
    """

    def __init__(self, width: int, letters: int) -> None:
        super().__init__()
        self.width, self.letters = width, letters
        self.known: dict[str, NDArray[np.float64]] = {}

    def vector(self, word: str) -> NDArray[np.float64]:
        """Vector of a word, float64 [width]."""
        if word not in self.known:
            if len(self.known) >= MOST:
                self.known.clear()
            self.known[word] = np.mean([self._drawn(piece) for piece in self._pieces(word)], axis=0)
        return self.known[word]

    def _pieces(self, word: str) -> list[str]:
        marked = f"<{word}>"
        if not self.letters or len(marked) <= self.letters:
            return [word]
        return [marked[at : at + self.letters] for at in range(len(marked) - self.letters + 1)]

    def _drawn(self, piece: str) -> NDArray[np.float64]:
        bits = np.frombuffer(hashlib.shake_256(piece.encode()).digest(-(-self.width // 8)), dtype=np.uint8)
        signs: NDArray[np.float64] = np.where(np.unpackbits(bits)[: self.width] == 1, 1.0, -1.0)
        return signs / math.sqrt(self.width)
