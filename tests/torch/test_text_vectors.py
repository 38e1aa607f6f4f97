"""Vectors of texts, against TF-IDF by hand; what is learnt comes from the training templates alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench import IncompatibleError
from logbench.torch import TextVectors

TEMPLATES = ["Receiving block <*> src", "Deleting block <*>", "PacketResponder for blk_7 Terminating", "block"]
WORDS = {
    "Receiving block <*> src": ["receiving", "block", "src"],
    "Deleting block <*>": ["deleting", "block"],
    "PacketResponder for blk_7 Terminating": ["packet", "responder", "for", "blk", "terminating"],
    "block": ["block"],
    "packet packetPACKET": ["packet", "packet", "packet"],
    "never seen 12": ["never", "seen"],
    "<*> 42": [],
}
# So wide that no two of these words share a column.
WIDE = 2**16


def by_hand(words: list[str]) -> dict[str, float]:
    """Unit vector of words weighted by smoothed inverse document frequency."""
    within = {word: sum(word in WORDS[template] for template in TEMPLATES) for word in words}
    idf = {word: math.log((1 + len(TEMPLATES)) / (1 + count)) + 1 for word, count in within.items()}
    weighted = {word: words.count(word) * idf[word] for word in words}
    length = math.sqrt(sum(value**2 for value in weighted.values()))
    return {word: value / length for word, value in weighted.items()}


def test_likeness_of_texts_is_that_of_tf_idf_by_hand() -> None:
    texts = list(WORDS)
    vectors = TextVectors.fit(TEMPLATES, width=WIDE).of(texts)
    assert vectors.shape == (len(texts), WIDE) and vectors.dtype == np.float32
    for first, left in zip(texts, vectors, strict=True):
        for second, right in zip(texts, vectors, strict=True):
            one, other = by_hand(WORDS[first]), by_hand(WORDS[second])
            expected = sum(value * other.get(word, 0) for word, value in one.items())
            assert float(left @ right) == pytest.approx(expected, abs=1e-6), (first, second)


def test_a_text_has_the_vector_it_has_alone_and_after_its_weights_were_kept() -> None:
    fitted = TextVectors.fit(TEMPLATES, width=32)
    together = TextVectors(fitted.weights.copy()).of(WORDS)
    for text, vector in zip(WORDS, together, strict=True):
        np.testing.assert_array_equal(fitted.of([text])[0], vector)
    assert fitted.of([]).shape == (0, 32)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_any_text_has_a_finite_vector_of_length_one_or_none(texts: list[str]) -> None:
    lengths = np.linalg.norm(TextVectors.fit(texts, width=8).of([*texts, "x"]), axis=1)
    assert all(length == pytest.approx(1, abs=1e-5) or length == 0 for length in lengths)


def test_without_templates_it_says_what_to_declare() -> None:
    with pytest.raises(IncompatibleError, match="needs=frozenset"):
        TextVectors.fit([])
