"""Vectors of templates and texts without any download: hashed words, weighted as the training templates say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

from ..base.errors import IncompatibleError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True)
class TextVectors:
    """TF-IDF of words, each word hashed to one of `width` columns; a text it never saw has a vector, too.

    Words are runs of letters, split where camel case changes, in lower case. A vector has length 1, or is 0
    where a text has no word. Only `weights` are learnt, by `fit`, from templates of training alone: a network that
    keeps them as a buffer can vectorise after it was loaded.

    Attributes:
        weights: float32 [width], inverse document frequency of each column.

    Examples:
        >>> vectors = TextVectors.fit(["Receiving block <*>", "Deleting block <*>"], width=64)
        >>> vectors.of(["Receiving blocks", "PacketResponder terminating"]).shape
        (2, 64)
    """

    weights: NDArray[np.float32]

    @classmethod
    def fit(cls, templates: Sequence[str], width: int = 300) -> TextVectors:
        """Weights of the words by how few of the `templates` (`train.templates`) have them.

        A model that wants templates says so in its traits: `needs=frozenset({"templates"})`.

        Raises:
            IncompatibleError: there is no template.
        """
        if not templates:
            raise IncompatibleError(
                'no template to fit vectors on; a model declares needs=frozenset({"templates"})'
            )
        return cls(TfidfTransformer().fit(_counts(templates, width)).idf_.astype(np.float32))

    def of(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Vectors of the texts, float32 [texts, width]."""
        texts = list(texts)
        if not texts:
            return np.empty((0, len(self.weights)), dtype=np.float32)
        weighted = _counts(texts, len(self.weights)).multiply(self.weights)
        return normalize(weighted.tocsr()).toarray().astype(np.float32)  # type: ignore[no-any-return]


def _words(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text)]


def _counts(texts: Sequence[str], width: int) -> csr_matrix:
    """How often each column has a word, signed by its hash, sparse [texts, width]."""
    return HashingVectorizer(n_features=width, norm=None, analyzer=_words).transform(texts)
