"""What networks take beside histories: vectors of rows and of keys, counts of keys step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .batches import to_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions


def vector_table(sessions: Sessions, device: str) -> Tensor:
    """The vectors of the sessions' texts, and zeros for what fills up a row, float32 [texts + 1, width].

    Examples:
        >>> from logbench import Sessions
        >>> vectors, ids = np.ones((1, 2), np.float32), np.zeros(2, np.int32)
        >>> vector_table(Sessions.of([[0, 0]], vectors=vectors, vector_ids=ids), "cpu").tolist()
        [[1.0, 1.0], [0.0, 0.0]]
    """
    assert sessions.vectors is not None, "the model declares no need of vectors"
    given: NDArray[np.float32] | Tensor = sessions.vectors  # a tensor where a graph is made
    vectors = given if isinstance(given, Tensor) else to_device(given, device)
    return torch.cat([vectors, vectors.new_zeros(1, vectors.shape[1])]).to(device)


def key_vectors(sessions: Sessions) -> NDArray[np.float32]:
    """The vector of each known key, float32 [vocabulary, width]; zeros for a key that no event here has.

    For networks that look vectors up by key, such as next-key models: `NetworkModel.prepare` puts those of the
    training units into a buffer.

    Examples:
        >>> from logbench import Sessions
        >>> vectors, ids = np.eye(2, dtype=np.float32), np.array([1, 0, 1], dtype=np.int32)
        >>> key_vectors(Sessions.of([[0, 2, 0]], 3, vectors=vectors, vector_ids=ids)).tolist()
        [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    """
    assert sessions.vectors is not None and sessions.vector_ids is not None, (
        "the model declares no need of vectors"
    )
    table = np.zeros((sessions.vocabulary, sessions.vectors.shape[1]), dtype=np.float32)
    keys, first = np.unique(sessions.keys, return_index=True)
    known = keys < sessions.vocabulary
    table[keys[known]] = sessions.vectors[sessions.vector_ids[first[known]]]
    return table


def running_counts(histories: Tensor, codes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """How often each code has occurred in a row up to each step, [B, h, codes].

    The last step, `[:, -1]`, has the counts of the whole row. On the device of `histories`.

    Args:
        histories: int64 [B, h], 0 … codes − 1.
        dtype: of the result; that of the network's weights, so that it also runs in double precision.

    Examples:
        >>> running_counts(torch.tensor([[2, 0, 2]]), codes=3).tolist()
        [[[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0, 2.0]]]
    """
    steps = torch.zeros(*histories.shape, codes, dtype=dtype, device=histories.device)
    return steps.scatter_(2, histories.unsqueeze(2), 1).cumsum_(1)
