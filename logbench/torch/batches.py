"""Training batches on the device: from distinct windows, or gathered from the flat keys (brute force)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from .sampling import batches_of, shuffle_distinct, spread_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.histories import Histories
    from .options import NextKeyConfig

# Windows int64 [rows, h + 1] and the weight of each one's loss, float [rows].
Batch = tuple[Tensor, Tensor]


def to_device(array: NDArray[np.generic], device: str) -> Tensor:
    """A tensor on the device; copied from pinned memory without waiting where that is a GPU."""
    tensor = torch.from_numpy(np.require(array, requirements=["C", "W"]))  # units are read-only: copied
    if device == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


class Batches(Protocol):
    """Attributes: `windows` that train, `distinct` ones among them, `steps` of a pass."""

    windows: int
    distinct: int
    steps: int

    def one_pass(self) -> Iterator[Batch]: ...


class DistinctBatches:
    """Distinct windows, held on the device once; each step sends only their numbers and weights."""

    def __init__(self, histories: Histories, config: NextKeyConfig, seed: int, device: str) -> None:
        windows = histories.distinct_windows
        trains = windows[:, -1] < histories.vocabulary
        self.counts = histories.distinct.counts[trains]
        self.keys = to_device(windows[trains].astype(np.int64), device)
        self.draw = spread_windows if config.sampling == "windows" else shuffle_distinct
        self.batch, self.device, self.rng = config.batch, device, np.random.default_rng(seed)
        self.windows, self.distinct = int(self.counts.sum()), len(self.counts)
        self.steps = batches_of(self.windows if config.sampling == "windows" else self.distinct, self.batch)

    def one_pass(self) -> Iterator[Batch]:
        for rows, weights in self.draw(self.counts, self.batch, self.rng):
            yield self.keys[to_device(rows, self.device)], to_device(weights, self.device)


class BruteBatches:
    """Every window, shuffled, gathered on the device from the flat keys: no copy h-fold, no data loader."""

    def __init__(self, histories: Histories, config: NextKeyConfig, seed: int, device: str) -> None:
        targets = histories.keys[histories.starts + histories.h]
        starts = histories.starts[targets < histories.vocabulary]
        self.keys, self.starts = to_device(histories.keys, device), to_device(starts, device)
        self.span = torch.arange(histories.h + 1, device=device)
        self.random = torch.Generator().manual_seed(seed)
        self.windows, self.distinct = len(starts), len(histories.distinct)
        self.steps = batches_of(self.windows, config.batch)

    def one_pass(self) -> Iterator[Batch]:
        order = torch.randperm(self.windows, generator=self.random).to(self.keys.device)
        for rows in order.tensor_split(self.steps):
            windows = self.keys[self.starts[rows, None] + self.span].long()
            yield windows, windows.new_full((len(rows),), self.steps / self.windows, dtype=torch.float32)
