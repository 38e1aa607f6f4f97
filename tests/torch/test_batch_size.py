"""Batches that fit into memory."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from logbench.torch import fastest_batch, in_batches


def test_out_of_memory_halves_the_batch_and_says_so() -> None:
    notes: list[str] = []

    def work(begin: int, end: int) -> tuple[Tensor, ...]:
        if end - begin > 10:
            raise torch.cuda.OutOfMemoryError("no memory")
        return (torch.arange(begin, end),)

    parts, batch = in_batches(95, 64, work, notes.append)
    assert parts[0].tolist() == list(range(95)) and batch == 8
    assert len(notes) == 3 and "batches of 8" in notes[-1]
    assert fastest_batch(95, work, "cpu", smallest=4) in (4, 8)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        in_batches(5, 4, lambda begin, end: work(0, 99), notes.append)
