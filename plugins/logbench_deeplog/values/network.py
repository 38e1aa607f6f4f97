"""One LSTM a key, all trained and run at once: a layer's weights of all keys are one tensor.

Shapes in comments: G keys, B rows of each, h entries of history, F features, H hidden units.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from logbench.torch import to_device

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KeyLSTMs(nn.Module):
    """Reads histories of standardised features and foretells the next: as `nn.LSTM` and `nn.Linear` a key.

    No weight is shared: with an optimiser that looks at each weight alone, as Adam, each key trains as if alone.
    """

    def __init__(self, keys: int, features: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.hidden = hidden
        sizes = [features, *[hidden] * (layers - 1)]
        self.weights = nn.ParameterList(torch.empty(keys, size + hidden, 4 * hidden) for size in sizes)
        self.biases = nn.ParameterList(torch.empty(keys, 1, 4 * hidden) for _ in sizes)
        self.out = nn.Parameter(torch.empty(keys, hidden, features))
        self.out_bias = nn.Parameter(torch.empty(keys, 1, features))
        for weight in self.parameters():  # as torch begins an LSTM
            nn.init.uniform_(weight, -(hidden**-0.5), hidden**-0.5)

    def forward(self, histories: Tensor, key: int | None = None) -> Tensor:
        """Next features [G, B, F] after histories float [G, B, h, F]; of one key alone where G is 1."""
        chosen = slice(None) if key is None else slice(key, key + 1)
        steps = list(histories.unbind(2))
        for weight, bias in zip(self.weights, self.biases, strict=True):
            state = memory = histories.new_zeros(*histories.shape[:2], self.hidden)
            for at, step in enumerate(steps):
                gates = torch.baddbmm(bias[chosen], torch.cat([step, state], 2), weight[chosen])  # [G, B, 4H]
                enter, forget, cell, leave = gates.chunk(4, 2)
                memory = forget.sigmoid() * memory + enter.sigmoid() * cell.tanh()
                steps[at] = state = leave.sigmoid() * memory.tanh()
        return torch.baddbmm(self.out_bias[chosen], steps[-1], self.out[chosen])


class Entries:
    """Standardised features of entries on the device, and the histories before them."""

    def __init__(
        self, features: NDArray[np.float64], place: NDArray[np.int64], h: int, dtype: torch.dtype, device: str
    ) -> None:
        """Put them there.

        Args:
            features: [n, F], NaN where one is missing; series after series.
            place: [n], earlier entries in the series.
        """
        there = np.isfinite(features)
        filled = np.vstack([np.where(there, features, 0.0), np.zeros((1, features.shape[1]))])  # the last: nothing
        self.features = to_device(filled, device).to(dtype)
        self.there, self.place = to_device(there, device), to_device(place, device)
        self.h, self.device = h, device

    def histories(self, rows: Tensor) -> Tensor:
        """Histories [..., h, F] of the entries `rows` int64 [...]; zero before the series begins."""
        back = torch.arange(self.h, 0, -1, device=rows.device)
        inside = back <= self.place[rows].unsqueeze(-1)
        return self.features[torch.where(inside, rows.unsqueeze(-1) - back, len(self.features) - 1)]

    def replace(self, rows: NDArray[np.int64], features: NDArray[np.float64]) -> None:
        """Put other features [n, F] into the histories of the entries after `rows` int64 [n]."""
        self.features[to_device(rows, self.device)] = to_device(features, self.device).to(self.features.dtype)

    def errors(self, foretold: Tensor, rows: Tensor) -> Tensor:
        """Mean squared error [...] of features foretold [..., F], over those that `rows` [...] have, or 0."""
        there = self.there[rows]
        squares = (foretold - self.features[rows]).square() * there
        return squares.sum(-1) / there.sum(-1).clamp(min=1)


class Pairs:
    """Batches of rows int64 [G, B]: of each key as many, dealt out in turn; a pass is one of the longest key."""

    def __init__(self, rows: list[NDArray[np.int64]], batch: int, seed: int, device: str) -> None:
        """Args: rows: of each key, one at least."""
        self.rows, self.batch, self.device = rows, batch, device
        self.random = np.random.default_rng(seed)
        self.steps = -(-max(map(len, rows)) // batch)
        self._deals = [self._deal(own) for own in rows]

    def _deal(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        hand = rows[:0]
        while True:
            while len(hand) < self.batch:
                hand = np.concatenate([hand, self.random.permutation(rows)])
            yield hand[: self.batch]
            hand = hand[self.batch :]

    def one_pass(self) -> Iterator[Tensor]:
        """See `Batches`."""
        for _ in range(self.steps):
            yield to_device(np.stack([next(deal) for deal in self._deals]), self.device)
