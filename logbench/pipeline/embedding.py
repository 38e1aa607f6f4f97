"""Give each distinct text of the units a vector, by an embedding that is fitted on texts of training alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from ..api.contracts import Embedding
from ..api.optional_windowers import HasCounts
from ..base.errors import IncompatibleError, PluginError
from ..data.sessions import Sessions
from .parsing import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .grouping import GroupedLines

OfVectors = Literal["vectors", "text_vectors"]


@dataclass(frozen=True)
class Embedded:
    """Units with vectors.

    Attributes:
        sessions: the units, with `vectors` and `vector_ids`.
        facts: for the record: `texts` fitted on, `unseen` ones embedded beside them, `width`, and counts of the
            embedding.
        unseen: bool [texts], which rows of `sessions.vectors` are of texts that training does not have.
    """

    sessions: Sessions = field(repr=False)
    facts: dict[str, int]
    unseen: NDArray[np.bool_] = field(repr=False)

    def events_unseen(self, units: NDArray[np.int64]) -> int:
        """Events of these units whose text training does not have: they have a vector all the same."""
        ids = self.sessions.vector_ids
        assert ids is not None
        counts = np.concatenate([[0], np.cumsum(self.unseen[ids], dtype=np.int64)])
        return int(np.diff(counts[self.sessions.offsets])[units].sum())


def training_texts(vocabulary: Vocabulary, need: OfVectors) -> list[str]:
    """The distinct texts that an embedding is fitted on: templates or masked messages of training units.

    Held-out units are not among them, as they are not among the parser's.
    """
    texts = vocabulary.templates if need == "vectors" else vocabulary.messages.to_list()
    return list(dict.fromkeys(texts))


def fit_embedding(embedding: Embedding, name: str, texts: Sequence[str]) -> None:
    """Fit an embedding.

    Args:
        name: of the embedding, for the error.

    Raises:
        IncompatibleError: there is no text.
    """
    if not texts:
        raise IncompatibleError(f"embedding {name}: no text to fit on, the training units are without messages")
    embedding.fit(texts)


def embed(
    sessions: Sessions,
    grouped: GroupedLines,
    vocabulary: Vocabulary,
    need: OfVectors,
    embedding: Embedding,
    known: Sequence[str],
) -> Embedded:
    """Give the units vectors: one a distinct text.

    Args:
        sessions: made of `grouped` by `vocabulary`.
        need: `vectors`: of each template, and of the message of each unseen key. `text_vectors`: of each masked
            message.
        embedding: fitted on `known`.

    Raises:
        PluginError: the embedding gives anything but finite float32 [texts, width].
    """
    messages = grouped.messages
    if need == "vectors":
        keys = vocabulary.lookup(messages)
        others = pl.DataFrame({"key": keys, "text": messages}).filter(pl.col("key") >= vocabulary.size).sort("key")
        texts, ids = [*vocabulary.templates, *others["text"], *vocabulary.misparsed], sessions.keys
        unseen = np.arange(len(texts)) >= vocabulary.size
    else:
        texts, ids = messages.to_list(), grouped.codes
        unseen = ~messages.is_in(list(known)).to_numpy()
    vectors = _checked(embedding.of(texts), len(texts))
    vectors.flags.writeable = False
    facts = {"texts": len(known), "unseen": int(unseen.sum()), "width": vectors.shape[1]}
    if isinstance(embedding, HasCounts):
        facts |= {str(name): int(number) for name, number in embedding.counted().items()}
    return Embedded(replace(sessions, vectors=vectors, vector_ids=ids), facts, unseen)


def _checked(vectors: Any, count: int) -> NDArray[np.float32]:
    array = np.asarray(vectors)
    if array.dtype != np.float32 or array.ndim != 2 or len(array) != count:
        raise PluginError(f"embedding: wanted float32 [{count}, width], got {array.dtype} {array.shape}")
    if not np.isfinite(array).all():
        raise PluginError("embedding: a vector is not finite")
    return array.copy()  # an embedding may keep and change its array
