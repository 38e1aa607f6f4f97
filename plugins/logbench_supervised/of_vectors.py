"""What classifiers of the vectors of events share: rows of places in the table that holds the vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from torch.nn import functional as F

from logbench.torch import SequenceClassifier, SequenceConfig, vector_rows, vector_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

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
        return lambda rows: (table[rows], rows < len(table) - 1)


def lengths_of(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Events of each row of places, int64 [rows]; what fills up is the largest place."""
    lengths: NDArray[np.int64] = (rows < rows.max(initial=0)).sum(1)
    return lengths
