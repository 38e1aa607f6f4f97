"""What classifiers of the vectors of events share: rows of places in a table of vectors, states, weighed sums.

Shapes in comments: B rows, L events, W columns of a vector, H states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch.nn import functional as F

from logbench.torch import SequenceClassifier, SequenceConfig, longest, recurrent_states, vector_rows, vector_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from logbench import Sessions

S = TypeVar("S", bound=SequenceConfig)


class VectorClassifier(SequenceClassifier[S]):
    """Its network takes vectors float [B, L, W], and which events are there, bool [B, L].

    Vectors are brought to a mean square of 1 a column, about that of BERT's and of normed inputs, whatever the
    embedding gives. Its own may be of any length; networks begin with weights for columns near 1, and shorter ones
    are hardly seen for many passes, or lost among what a network adds to them.
    """

    keys_only = False

    def rows(self, sessions: Sessions) -> NDArray[np.int32]:
        """Places of events in the table of `encoder`, int32 [units, length]."""
        return vector_rows(sessions, self.config.length, self.config.keep)

    def encoder(self, sessions: Sessions, device: str) -> Callable[[Tensor], tuple[Tensor, ...]]:
        """Vectors float [B, L, W] of a batch of rows, and which events are there, bool [B, L]."""
        vectors = vector_table(sessions, device)
        table = F.normalize(vectors, dim=1) * vectors.shape[1] ** 0.5

        def encode(rows: Tensor) -> tuple[Tensor, Tensor]:
            there = rows < table.shape[0] - 1
            if self.spare is not None:  # no vector is looked up for columns that fill up all rows of the batch
                rows, there = (columns[:, : longest(there) + self.spare] for columns in (rows, there))
            return table[rows], there

        return encode

    @property
    def spare(self) -> int | None:
        """What fills up moves nothing."""
        return 0

    def lengths(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        return lengths_of(rows)


def lengths_of(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Events of each row of places, int64 [rows]; what fills up is the largest place."""
    lengths: NDArray[np.int64] = (rows < rows.max(initial=0)).sum(1)
    return lengths


def states_of(layers: nn.Module, steps: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """States float [B, L, H] of recurrent layers at vectors float [B, L, W], as far as the longest unit.

    Args:
        there: bool [B, L], False for what fills up the end. It comes back as far as the states do.
    """
    lengths = there.sum(1).clamp(min=1)
    states = recurrent_states(layers, steps, lengths)
    return states, there[:, : states.shape[1]]


def weighed(states: Tensor, told: Tensor, there: Tensor) -> Tensor:
    """Sum float [B, H] of states [B, L, H], by the softmax of `told` float [B, L] over the events there."""
    weights = told.masked_fill(~there, -torch.inf).softmax(1)
    return (weights.unsqueeze(2) * states).sum(1)
