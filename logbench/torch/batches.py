"""Training batches on the device: of any rows, of distinct windows, or of all windows (brute force)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .sampling import batches_of, shuffle_distinct, spread_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.histories import Histories
    from .options import NextKeyConfig

# Windows int64 [rows, h + 1] and the weight of each one's loss, float [rows].
Batch = tuple[Tensor, ...]


def to_device(array: NDArray[np.generic], device: str) -> Tensor:
    """A tensor on the device, of the same shape and dtype; a read-only array is copied first.

    Copied from pinned memory without waiting where the device is a GPU.

    Examples:
        >>> to_device(np.arange(3), "cpu").tolist()
        [0, 1, 2]
    """
    tensor = torch.from_numpy(np.require(array, requirements=["C", "W"]))  # units are read-only: copied
    if device == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


class RowBatches:
    """Shuffled batches of rows that lie on the device; each step sends only their numbers and weights.

    A batch is a tuple: the rows of each tensor, then weights float [rows of the batch]. The sum of weight × loss
    is, in expectation, the mean loss over all rows, each counted as often as it occurs.

    Attributes:
        steps: batches of a pass.

    Example:

        batches = RowBatches([counts, labels], config.batch, context.seed, context.device)
        for rows, labels, weights in batches.one_pass():
            ...
    """

    def __init__(
        self,
        columns: Sequence[NDArray[np.generic]],
        batch: int,
        seed: int,
        device: str,
        counts: NDArray[np.int64] | None = None,
        spread: bool = True,
    ) -> None:
        """Put the columns, arrays [rows, …] of one length, on the device.

        Args:
            counts: how often each row occurs, int64 [rows]; None: once.
            spread: a pass deals out every occurrence, equal ones of a batch merged (`batch` occurrences a step);
                else each row once, weighted by its count. The first is less noisy where counts are skewed.
        """
        rows = len(columns[0])
        self.columns = [to_device(column, device) for column in columns]
        self.batch, self.device, self.rng = batch, device, np.random.default_rng(seed)
        self.counts = np.ones(rows, dtype=np.int64) if counts is None else counts
        self._draw = spread_windows if spread and counts is not None else shuffle_distinct
        self.steps = batches_of(int(self.counts.sum()) if self._draw is spread_windows else rows, batch)

    def one_pass(self) -> Iterator[tuple[Tensor, ...]]:
        """The batches of the next pass, in another order each time."""
        for rows, weights in self._draw(self.counts, self.batch, self.rng):
            places = to_device(rows, self.device)
            yield *(column[places] for column in self.columns), to_device(weights, self.device)


class DistinctBatches(RowBatches):
    """Batches of distinct windows whose next key is known, each weighted by how often it occurs.

    A batch is windows int64 [B, h + 1] and weights float32 [B]; the last column is the key to guess.

    Attributes:
        windows: how many windows train, each occurrence counted.
        distinct: how many of them are distinct.

    Example:

        batches = DistinctBatches(train.histories(config.h, config.pad), config, context.seed, context.device)
    """

    def __init__(self, histories: Histories, config: NextKeyConfig, seed: int, device: str) -> None:
        windows = histories.distinct_windows
        trains = windows[:, -1] < histories.vocabulary
        counts = histories.distinct.counts[trains]
        self.windows, self.distinct = int(counts.sum()), len(counts)
        spread = config.sampling == "windows"
        super().__init__([windows[trains].astype(np.int64)], config.batch, seed, device, counts, spread)


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
        """Windows int64 [rows, h + 1] and weights."""
        order = torch.randperm(self.windows, generator=self.random).to(self.keys.device)
        for rows in order.tensor_split(self.steps):
            windows = self.keys[self.starts[rows, None] + self.span].long()
            yield windows, windows.new_full((len(rows),), self.steps / self.windows, dtype=torch.float32)
