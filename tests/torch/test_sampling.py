"""Minibatches: each occurrence once, and every step an unbiased estimate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench.torch.sampling import batches_of, shuffle_distinct, spread_windows


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(1, 50), st.integers(0, 99))
def test_spread_windows_deals_out_each_occurrence_once_and_evenly(
    counts: list[int], batch: int, seed: int
) -> None:
    counted = np.array(counts)
    steps, total = batches_of(sum(counts), batch), np.zeros(len(counts))
    for rows, weights in spread_windows(counted, batch, np.random.default_rng(seed)):
        copies = weights * sum(counts) / steps
        np.testing.assert_allclose(copies, np.round(copies), atol=1e-3)
        assert (np.abs(copies - counted[rows] / steps) < 1 + 1e-3).all()
        total[rows] += copies
    np.testing.assert_allclose(total, counts, rtol=1e-4)


@pytest.mark.parametrize("draw", [spread_windows, shuffle_distinct])
def test_each_single_step_is_unbiased(draw: Any) -> None:
    counts, losses = np.array([50, 1, 1, 7, 2, 20]), np.array([0.1, 5.0, 3.0, 1.0, 4.0, 0.5])
    rng = np.random.default_rng(0)
    batch = 27 if draw is spread_windows else 2  # both make 3 equally large steps
    firsts = []
    for _ in range(4000):
        rows, weights = next(iter(draw(counts, batch, rng)))
        firsts.append((weights * losses[rows]).sum())
    wanted = (counts * losses).sum() / counts.sum()
    assert abs(np.mean(firsts) - wanted) < 4 * np.std(firsts) / np.sqrt(len(firsts))
