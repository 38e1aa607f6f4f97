"""Ranks and likelihoods of keys, against counting and log-sum-exp in plain Python."""

from __future__ import annotations

import math

import pytest
import torch

from logbench.torch import nll, ranks


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_rank_counts_ties_against_the_key_and_an_unknown_key_has_the_last(dtype: torch.dtype) -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randint(-2, 3, (60, 5), generator=random).to(dtype)  # so few values that many tie
    keys = torch.randint(0, 7, (60,), generator=random)
    rank, loss = ranks(logits, keys), nll(logits, keys)
    assert (rank.dtype, loss.dtype) == (torch.int32, torch.float32)
    for row, key, mine, lost in zip(logits.tolist(), keys.tolist(), rank.tolist(), loss.tolist(), strict=True):
        if key >= 5:
            assert (mine, lost) == (6, math.inf)
            continue
        assert mine == 1 + sum(1 for other, value in enumerate(row) if other != key and value >= row[key])
        assert lost == pytest.approx(math.log(sum(map(math.exp, row))) - row[key], abs=1e-5)
