"""Invariants: linear relations between event counts that nearly all training units keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import CountModel, Vectors
from .counts import Counts, strongest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context

    from .options import Invariants as Config

Columns = tuple[int, ...]


class Invariants(CountModel):
    """Invariants mining (Lou et al., USENIX ATC 2010, section 4; parameters of loglizer).

    Score: Σ |x · θ| over the invariants θ, 0 where all hold. The deciding event has the largest term in the
    invariant that is violated most.
    """

    learned: Mapping[str, str] = {"theta": "float64 [columns, invariants]"}

    def learn(self, vectors: Vectors, counts: Counts, context: Context) -> Mapping[str, Any]:
        """Mine invariants; facts `dimension` (of the invariant space), `invariants` and `longest`."""
        miner = Miner(vectors.toarray(), counts.repeats / counts.repeats.sum(), self.config)
        found = miner.search()
        if miner.stopped:
            context.note(f"invariants: stopped at length {miner.stopped}, above invariants.max_candidates")
        self.theta = np.zeros((vectors.shape[1], len(found)))
        for at, (columns, values) in enumerate(found.items()):
            self.theta[list(columns), at] = values
        longest = max((len(columns) for columns in found), default=0)
        return {"dimension": miner.dimension, "invariants": len(found), "longest": longest}

    def anomaly(self, vectors: Vectors) -> NDArray[np.float64]:
        """Sum of the violations, float64 [rows]."""
        return np.asarray(np.abs(vectors @ self.theta).sum(axis=1))

    def deciding(self, vectors: Vectors) -> NDArray[np.int64]:
        """The event with the largest term in the most violated invariant; −1 where all hold."""
        worst = strongest(np.abs(vectors @ self.theta))
        theta = np.hstack([self.theta, np.zeros((len(self.theta), 1))])
        return strongest(np.abs(vectors.toarray() * theta.T[worst]))


class Miner:
    """The search for invariants over sets of columns, shortest first.

    Attributes:
        dimension: of the invariant space, so the number of invariants wanted.
        stopped: length at which there were too many sets to test, or 0.
    """

    def __init__(self, rows: NDArray[np.float64], weights: NDArray[np.float64], config: Config) -> None:
        order = np.argsort(-weights, kind="stable")
        self.rows, self.weights, self.config = np.asfortranarray(rows[order]), weights[order], config
        self.gram = rows.T @ (weights[:, None] * rows)
        self.dimension = self._dimension()
        self.stopped = 0
        self._open: set[Columns] = set()
        self._found: dict[Columns, NDArray[np.float64]] = {}

    def search(self) -> dict[Columns, NDArray[np.float64]]:
        """Columns → coefficients of each invariant; an event that never occurs is one of length 1."""
        used = np.flatnonzero(self.rows.any(axis=0)).tolist()
        unused = sorted(set(range(self.rows.shape[1])).difference(used))
        self._found = {(column,): np.ones(1) for column in unused}
        frontier: list[Columns] = [(column,) for column in used]
        self._open = set(frontier)
        while frontier and len(self._found) < self.dimension:
            length = len(frontier[0]) + 1
            if self.config.longest and length > self.config.longest:
                break
            candidates = sorted(islice(self._joined(frontier), self.config.max_candidates + 1))
            if len(candidates) > self.config.max_candidates:
                self.stopped = length
                break
            self._open.update(candidates)
            frontier = self._tested(candidates)
        return self._found

    def _dimension(self) -> int:
        """Trailing axes on which nearly all units project to almost nothing."""
        _, axes = np.linalg.eigh(self.gram)
        near = self.weights @ (np.abs(self.rows @ axes) < self.config.epsilon)
        return int(np.argmin(np.append(near >= self._support, False)))

    @property
    def _support(self) -> float:
        """The wanted share, less what summing shares may lose."""
        return float(self.config.support - 1e-12)

    def _joined(self, frontier: list[Columns]) -> Iterator[Columns]:
        """Sets one longer whose every subset is still open (Apriori)."""
        groups: dict[Columns, list[int]] = {}
        for columns in frontier:
            groups.setdefault(columns[:-1], []).append(columns[-1])
        for head, tails in groups.items():
            for pair in combinations(sorted(tails), 2):
                if self._all_open(head + pair):
                    yield head + pair

    def _all_open(self, columns: Columns) -> bool:
        return all(subset in self._open for subset in combinations(columns, len(columns) - 1))

    def _tested(self, candidates: list[Columns]) -> list[Columns]:
        """Test sets in order, keep the invariants; returns those that hold none, to be grown."""
        rest: list[Columns] = []
        for columns, axis in zip(candidates, self._smallest(candidates), strict=True):
            if columns not in self._open:
                continue
            if not self._all_open(columns):
                self._open.discard(columns)
                continue
            theta = self._theta(columns, axis)
            if theta is None:
                rest.append(columns)
                continue
            self._prune(columns)
            self._found[columns] = theta
            self._open.discard(columns)
            if len(self._found) >= self.dimension:
                return []
        return rest

    def _smallest(self, candidates: list[Columns]) -> Iterator[NDArray[np.float64]]:
        """Eigenvector of the smallest eigenvalue of each set's Gram matrix, in batches."""
        for at in range(0, len(candidates), CHUNK):
            index = np.array(candidates[at : at + CHUNK])
            yield from np.linalg.eigh(self.gram[index[:, :, None], index[:, None, :]])[1][:, :, 0]

    def _theta(self, columns: Columns, axis: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Whole coefficients that hold in nearly all units, or None."""
        size = np.abs(axis)
        if size.min() < 1e-6:
            return None
        smallest = axis[np.argmin(size)]
        for scale in self.config.scales:
            theta: NDArray[np.float64] = np.round(axis * (scale / smallest))
            if theta.all() and self._holds(columns, theta):
                return theta
        return None

    def _holds(self, columns: Columns, theta: NDArray[np.float64]) -> bool:
        """Frequent vectors first: what already breaks too often among these is not tested further."""
        for part in (slice(0, HEAD), slice(None)):
            broken = np.abs(self.rows[part][:, list(columns)] @ theta) >= 1e-8
            if self.weights[part] @ broken > 1 - self._support:
                return False
        return True

    def _prune(self, columns: Columns) -> None:
        """Close the sets whose invariant would follow from this one and one found before."""
        new = set(columns)
        for old in self._found:
            union = new.union(old)
            for shared in new.intersection(old):
                self._open.discard(tuple(sorted(union - {shared})))


# Gram matrices decomposed at once.
CHUNK = 16_384

# Most frequent count vectors, on which each candidate is tested first.
HEAD = 1024
