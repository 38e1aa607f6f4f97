"""Shared by all models on event counts: count, weight, score each distinct vector once, expand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logbench import DataError, Scores, load_arrays, save_arrays

from .counts import Counts, columns_of, count, first_events, folded, idf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions

# A float64 CSR matrix [rows, columns] of weighted counts; scipy's arrays carry no element type.
Vectors = Any

# Rows to score at once, so that a dense copy stays small.
CHUNK = 8192


FILE = "state.npz"


class CountModel(ABC):
    """Base of models on weighted event counts. Subclasses learn from and score distinct vectors.

    Attributes:
        learned: attributes that `learn` sets and the score needs, plain numbers and arrays which are saved, with
            type and shape as `load_arrays` takes them; `columns` is that of the vectors.
    """

    learned: Mapping[str, str] = {}

    def __init__(self, config: Any) -> None:
        self.config = config

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """See `Model.fit`. Facts: `distinct_vectors`, `columns`, and what the model adds.

        Raises:
            DataError: the training units have no events.
        """
        self.column_of = columns_of(train, self.config.max_columns)
        counts = self._counted(train)
        if (rare := train.vocabulary - self.config.max_columns) > 0:
            context.note(
                f"the rarest {rare + 1:,} of {train.vocabulary:,} events are counted in one column (max_columns)"
            )
        self.idf = idf(counts) if self.config.weighting == "tf-idf" else np.ones(counts.matrix.shape[1])
        facts = self.learn(self._weighted(counts.matrix), counts, context)
        return {"distinct_vectors": len(counts), "columns": counts.matrix.shape[1], **facts}

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; `ignoring` is the score without unseen events."""
        counts = self._counted(sessions)
        few = folded(sessions, self.column_of)
        vectors = self._weighted(counts.matrix)
        primary, column = self._chunked(vectors)
        without = (primary, column)
        if self.config.unseen_column and sessions.unseen.any():
            without = self._chunked(vectors @ _all_but_last(vectors.shape[1]))

        def events(columns: NDArray[np.int64]) -> NDArray[np.int64]:
            return first_events(few, columns[counts.inverse])

        return Scores(
            primary=primary[counts.inverse],
            event=events(column),
            ignoring=without[0][counts.inverse],
            ignoring_event=events(without[1]),
            facts={"distinct_vectors": len(counts)},
        )

    def save(self, folder: Path) -> None:
        """Write `state.npz` into an existing folder."""
        save_arrays(folder / FILE, **{name: getattr(self, name) for name in ("column_of", "idf", *self.learned)})

    def load(self, folder: Path) -> None:
        """Load the model from `folder`.

        Raises:
            DataError: the file is missing or damaged, or holds other numbers than a fit gives.
        """
        vars(self).update(
            load_arrays(folder / FILE, column_of="int32 [keys]", idf="float64 [columns]", **self.learned)
        )
        if wrong := self._wrong_columns() or self.fault():
            raise DataError(f"{folder / FILE}: no saved arrays of this model: {wrong}")

    def _wrong_columns(self) -> str:
        columns = np.arange(len(self.idf) - self.config.unseen_column)
        every = np.array_equal(np.unique(self.column_of), columns)
        return "" if every else "the columns of its keys are not those of its vectors"

    def fault(self) -> str:
        """What is wrong with loaded arrays of the right type and shape; empty if nothing is."""
        return ""

    @abstractmethod
    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Learn from the distinct training vectors; `counts` has the number and units of each."""

    @abstractmethod
    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Score of each vector, float64 [rows], higher = more anomalous."""

    def deciding(self, vectors: Vectors) -> NDArray[np.int64]:
        """Column that decided the score of each vector, int64 [rows]; −1 if none did."""
        return np.full(vectors.shape[0], -1, dtype=np.int64)

    def _counted(self, sessions: Sessions) -> Counts:
        if not sessions.vocabulary:
            raise DataError("the training units have no events to count")
        return count(folded(sessions, self.column_of), self.config.unseen_column)

    def _weighted(self, matrix: Vectors) -> Vectors:
        return (matrix * self.idf).tocsr()

    def _chunked(self, vectors: Vectors) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        chunks = [vectors[at : at + CHUNK] for at in range(0, max(vectors.shape[0], 1), CHUNK)]
        return (
            np.concatenate([self.anomaly(chunk) for chunk in chunks if chunk.shape[0]] or [np.empty(0)]),
            np.concatenate([self.deciding(chunk) for chunk in chunks]),
        )


def _all_but_last(columns: int) -> Vectors:
    import scipy.sparse as sp

    return sp.diags_array(np.append(np.ones(columns - 1), 0.0)).tocsr()


def capped(total: int, most: int, context: Context, what: str) -> NDArray[np.int64]:
    """Draw at most `most` of `total` training rows by the seed, ascending; note it if rows are left out."""
    if total <= most:
        return np.arange(total)
    context.note(f"trained on {most:,} of {total:,} {what} (max_train), drawn by the seed")
    return np.sort(np.random.default_rng(context.seed).choice(total, most, replace=False))
