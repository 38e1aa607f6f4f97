"""Binary trees as plain arrays, which can be saved, checked and walked without native code of a library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import CountModel, Vectors

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class TreeModel(CountModel):
    """Base of models whose score is a sum over trees.

    Attributes:
        roots: int64 [trees], the root of each tree among the nodes of all.
        children: int64 [nodes, 2], where a row goes that is at most the threshold, and where another goes.
        features: int64 [nodes], column that a node compares; −1 for a leaf.
        thresholds: float64 [nodes]. values: float64 [nodes], what a leaf adds.
    """

    # The fitted trees of scikit-learn, which find leaves ten times as fast as numpy; a loaded model has none.
    _fitted: Sequence[Any] = ()

    learned: Mapping[str, str] = {
        "roots": "int64 [trees]",
        "children": "int64 [nodes, 2]",
        "features": "int64 [nodes]",
        "thresholds": "float64 [nodes]",
        "values": "float64 [nodes]",
    }

    def plant(self, trees: Sequence[Any], values: Sequence[NDArray[np.float64]]) -> None:
        """Take over fitted trees of scikit-learn (`tree_`), and the value of each of their nodes."""
        sizes = [tree.node_count for tree in trees]
        self.roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        children = [np.column_stack([tree.children_left, tree.children_right]) + root
                    for tree, root in zip(trees, self.roots, strict=True)]  # fmt: skip
        leaf = np.concatenate([tree.children_left < 0 for tree in trees])
        self.children = np.where(leaf[:, None], -1, np.concatenate(children)).astype(np.int64)
        self.features = np.where(leaf, -1, np.concatenate([tree.feature for tree in trees])).astype(np.int64)
        self.thresholds = np.where(leaf, 0.0, np.concatenate([tree.threshold for tree in trees]))
        self.values = np.concatenate(values)
        self._fitted = trees

    def load(self, folder: Path) -> None:
        """See `CountModel.load`."""
        super().load(folder)
        self._fitted = ()

    def fault(self) -> str:
        """Children stand behind their parents, so that no walk leaves the nodes or goes on for ever."""
        nodes, inner = len(self.features), self.features >= 0
        inside = self.children[inner]
        if not len(self.roots) or ((self.roots < 0) | (self.roots >= nodes)).any():
            return "a tree has no root"
        if ((self.features < -1) | (self.features >= len(self.idf))).any():
            return "a tree asks for a column that there is not"
        if (inside <= np.flatnonzero(inner)[:, None]).any() or (inside >= nodes).any():
            return "a node of a tree has children before itself, or beyond all nodes"
        return ""

    def summed(self, vectors: Vectors) -> NDArray[np.float64]:
        """Sum over the trees of the value of each row's leaf, float64 [rows]; rows are compared as float32."""
        rows = np.ascontiguousarray(vectors.toarray(), dtype=np.float32)
        total = np.zeros(len(rows))
        for leaves in self._found(rows) if self._fitted else self._walked(rows):
            total += self.values[leaves]
        return total

    def _found(self, rows: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
        """The leaf of each row, tree by tree, int64 [rows], by the fitted trees."""
        return (tree.apply(rows) + root for tree, root in zip(self._fitted, self.roots, strict=True))

    def _walked(self, rows: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
        """The same by the arrays; rows that are at a leaf are left aside."""
        cells, children, columns = rows.ravel(), self.children.ravel(), rows.shape[1]
        for root in self.roots:
            at = np.full(len(rows), root, dtype=np.int64)
            going, node = np.arange(len(rows)), at
            while len(going):
                column = self.features[node]
                inner = np.flatnonzero(column >= 0)
                if len(inner) < len(node):
                    going, node, column = going[inner], node[inner], column[inner]
                above = cells[going * columns + column] > self.thresholds[node]
                node = children[2 * node + above]
                at[going] = node
            yield at
