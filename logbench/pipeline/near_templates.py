"""Give an unseen message the key of the nearest template, where an embedding finds them alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..api.contracts import Embedding
from ..base.errors import IncompatibleError
from .grouping import GroupedLines
from .parsing import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Unseen messages whose similarities are computed at once.
BLOCK = 4096


def near_keys(
    grouped: GroupedLines, vocabulary: Vocabulary, embedding: Embedding, least: float
) -> NDArray[np.int32]:
    """Key of each distinct message, int32 [messages]: the parser's, of an unseen one the nearest template's.

    Nearest by cosine similarity of vectors; among equal ones the first template. No vector, no match.

    Args:
        embedding: not yet fitted; sees templates of training alone.
        least: similarity from which on keys are given.

    Raises:
        IncompatibleError: the data have no text.
    """
    if grouped.sequences:
        raise IncompatibleError(
            "protocol.template_match compares texts, but the data are key sequences; leave it out"
        )
    keys = vocabulary.lookup(grouped.messages).copy()
    unseen = np.flatnonzero(keys >= vocabulary.size)
    if not len(unseen) or not vocabulary.size:
        return keys
    templates = list(vocabulary.templates)
    embedding.fit(list(dict.fromkeys(templates)))
    known = _unit(embedding.of(templates))
    for begin in range(0, len(unseen), BLOCK):
        some = unseen[begin : begin + BLOCK]
        alike = _unit(embedding.of(grouped.messages.gather(some).to_list())) @ known.T
        nearest = alike.argmax(axis=1)
        near = alike[np.arange(len(some)), nearest] >= least - 1e-6  # float32 leaves less than 1 of equal texts
        keys[some[near]] = nearest[near]
    return keys


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Vectors of length 1; those of length 0 stay."""
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    made: NDArray[np.float64] = np.divide(vectors, length, out=np.zeros(vectors.shape), where=length > 0)
    return made
