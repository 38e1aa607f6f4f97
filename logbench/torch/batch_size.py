"""Batches that fit: halved where the GPU's memory runs out, or the fastest found by trying."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

# Rows begin … end → tensors [rows].
Work = Callable[[int, int], tuple[Tensor, ...]]


def in_batches(rows: int, batch: int, work: Work, note: Callable[[str], None]) -> tuple[list[Tensor], int]:
    """Do `work` on all rows; its tensors joined, and the batch size that fitted. No rows: no tensors.

    Where a GPU's memory runs out, the batch is halved and the rows are tried again. The answers stay on the device
    until all are there, so that a GPU need not wait for the host.

    Args:
        rows: how many there are.
        batch: rows of a step.
        work: called with where a batch begins and ends; gives tensors [rows of the batch, …].
        note: is told of each halving; `context.note`.

    Raises:
        torch.cuda.OutOfMemoryError: a single row does not fit.

    Examples:
        >>> (squares,), size = in_batches(5, 2, lambda begin, end: (torch.arange(begin, end) ** 2,), print)
        >>> squares.tolist(), size
        ([0, 1, 4, 9, 16], 2)
    """
    parts: list[tuple[Tensor, ...]] = []
    done = 0
    while done < rows:
        end = min(done + batch, rows)
        try:
            parts.append(work(done, end))
        except torch.cuda.OutOfMemoryError:
            if batch == 1:
                raise
            batch = max(min(batch, rows) // 2, 1)
            note(f"out of GPU memory, scoring goes on with batches of {batch}")
            torch.cuda.empty_cache()
            continue
        done = end
    return [torch.cat(column) for column in zip(*parts, strict=True)], batch


def fastest_batch(rows: int, work: Work, device: str, smallest: int = 512, largest: int = 65_536) -> int:
    """The batch size with the most rows a second, doubled from `smallest` while memory lasts and it pays.

    Args:
        rows: how many there are. work: as of `in_batches`.
        smallest, largest: rows of a step; the answer is `smallest` where there are no more rows than that.

    Example:

        parts, batch = in_batches(rows, fastest_batch(rows, work, context.device), work, context.note)
    """
    best, best_rate, batch = smallest, 0.0, smallest
    while batch <= min(largest, rows):
        try:
            rate = batch / min(_seconds(work, batch, device) for _ in range(2))
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
            break
        if rate > best_rate:
            best, best_rate = batch, rate
        elif rate < 0.8 * best_rate:
            break
        batch *= 2
    return best


def _seconds(work: Work, rows: int, device: str) -> float:
    began = time.perf_counter()
    answer = work(0, rows)
    if device != "cpu":
        answer[0].cpu()  # waits for the device
    return time.perf_counter() - began
