"""Units as rows of one length: their keys, places of their vectors, or counts of keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from .per_unit import count_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sessions import Sessions


def padded(sessions: Sessions, length: int, keep: Literal["first", "last"] = "first") -> NDArray[np.int32]:
    """The keys of each unit in a row of `length`, int32 [units, length].

    Known keys are 0 … K − 1 of a vocabulary of K, any other key is K, and K + 1 fills up the end of a short unit:
    so padding is never taken for an unknown key. A network has K + 2 codes then.

    Args:
        keep: which events of a unit that is longer.

    Raises:
        ValueError: `length` is below 1.

    Examples:
        >>> from logbench import Sessions
        >>> padded(Sessions.of([[0, 1, 7], [2]], vocabulary=3), length=2).tolist()
        [[0, 1], [2, 4]]
    """
    if length < 1:
        raise ValueError(f"a row needs at least 1 event, got length = {length}")
    kept = np.minimum(sessions.lengths, length)
    begins = sessions.offsets[:-1] if keep == "first" else sessions.offsets[1:] - kept
    rows = np.full((len(sessions), length), sessions.vocabulary + 1, dtype=np.int32)
    before = np.cumsum(kept) - kept
    rows[np.arange(length) < kept[:, None]] = sessions.clipped_keys[
        np.repeat(begins - before, kept) + np.arange(kept.sum())
    ]
    return rows


def events_beyond(sessions: Sessions, length: int) -> NDArray[np.int64] | None:
    """Events of each unit that `padded` leaves out, int64 [units]; None where it leaves out none.

    Examples:
        >>> from logbench import Sessions
        >>> events_beyond(Sessions.of([[0, 1, 2], [0]]), length=2).tolist()
        [1, 0]
    """
    beyond = np.maximum(sessions.lengths - length, 0)
    return beyond if beyond.any() else None


def vector_rows(sessions: Sessions, length: int, keep: Literal["first", "last"] = "first") -> NDArray[np.int32]:
    """The rows of `vector_table` that each unit's events have, int32 [units, length]; the last one fills up.

    For models that need `vectors` or `text_vectors`.

    Args:
        keep: which events of a unit that is longer.

    Examples:
        >>> from logbench import Sessions
        >>> vectors, ids = np.eye(2, dtype=np.float32), np.array([1, 0, 0], dtype=np.int32)
        >>> vector_rows(Sessions.of([[5, 3], [3]], vectors=vectors, vector_ids=ids), length=2).tolist()
        [[1, 0], [0, 2]]
    """
    assert sessions.vectors is not None and sessions.vector_ids is not None, (
        "the model declares no need of vectors"
    )
    texts = len(sessions.vectors)
    rows = padded(replace(sessions, keys=sessions.vector_ids, vocabulary=texts), length, keep)
    return np.minimum(rows, np.int32(texts))


def count_rows(sessions: Sessions) -> NDArray[np.float32]:
    """How often each unit has each key, float32 [units, vocabulary + 1]; unseen keys share the last column.

    Examples:
        >>> from logbench import Sessions
        >>> count_rows(Sessions.of([[0, 1, 1], [7]], vocabulary=2)).tolist()
        [[1.0, 2.0, 0.0], [0.0, 0.0, 1.0]]
    """
    counts = count_matrix(sessions.clipped_keys, sessions.offsets, sessions.vocabulary + 1)
    rows: NDArray[np.float32] = counts.astype(np.float32).toarray()
    return rows
