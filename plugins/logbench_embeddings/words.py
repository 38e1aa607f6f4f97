"""The words of a text, and the sum of their vectors, weighted by how rare they are in training."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Words that stand in any sentence. Words that say what went wrong (`no`, `not`, `down`) are not among them.
COMMON = """
a an and are as at be been but by can could did do does for from had has have he her his i if in into is it its me
my of on or our shall she should so such than that the their them then there these they this those to too us was
we were what when where which while who whom will with would you your
"""
STOP = frozenset(COMMON.split())


def words(text: str) -> list[str]:
    """Runs of letters, split where camel case changes, in lower case, without stop words.

    >>> words("PacketResponder <*> for block <*> terminating")
    ['packet', 'responder', 'block', 'terminating']
    """
    found = (word.lower() for word in WORD.findall(text))
    return [word for word in found if word not in STOP]


class WordSum:
    """A text is the sum of its words' vectors, each weighted by TF-IDF (LogRobust, PLELog, SemPCA).

    TF is the share of the text's words, IDF is ln(n / n_w): n texts of training, n_w of them with the word; a word
    that none of them has counts as one that a single text has. A subclass gives the vector of a word.
    """

    width: int

    def __init__(self) -> None:
        self.texts = 0
        self.having: Counter[str] = Counter()

    def vector(self, word: str) -> NDArray[np.float64] | None:
        """Vector of a word, float64 [width], or None where there is none."""
        raise NotImplementedError

    def fit(self, texts: Sequence[str]) -> None:
        """See `Embedding.fit`."""
        self.texts = len(texts)
        self.having = Counter(word for text in texts for word in set(words(text)))

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedding.of`."""
        made = np.zeros((len(texts), self.width))
        for row, text in enumerate(texts):
            counts = Counter(words(text))
            for word, count in counts.items():
                if (vector := self.vector(word)) is not None:
                    made[row] += count / counts.total() * self.idf(word) * vector
        return made.astype(np.float32)

    def idf(self, word: str) -> float:
        """How rare a word is in the texts of training."""
        return math.log(self.texts / max(self.having[word], 1))
