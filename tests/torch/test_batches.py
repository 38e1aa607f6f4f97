"""Batches against the full gradient over all windows, listed one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from next_key import SMALL, expanded, sessions, small_network
from torch import Tensor, nn

from logbench.torch import BruteBatches, DistinctBatches, weighted_loss


def gradients(network: nn.Module, windows: Tensor, weights: Tensor) -> list[Tensor]:
    network.zero_grad()
    weighted_loss(network, (windows, weights)).backward()
    return [p.grad.clone() for p in network.parameters() if p.grad is not None]


@pytest.mark.parametrize("sampling", ["windows", "distinct"])
@pytest.mark.parametrize("dedup", [True, False])
def test_the_full_batch_gradient_is_that_of_all_windows(sampling: Any, dedup: bool) -> None:
    given = sessions(5, unseen=True)
    network = small_network(seed=0)
    config = replace(SMALL, batch=10**6, sampling=sampling)
    batches = (DistinctBatches if dedup else BruteBatches)(given.histories(4), config, 0, "cpu")
    [(windows, weights)] = batches.one_pass()
    every, mean = expanded(given)
    assert batches.windows == len(every) and len(windows) == (batches.distinct if dedup else len(every))
    for mine, theirs in zip(gradients(network, windows, weights), gradients(network, every, mean), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(("dedup", "sampling"), [(True, "windows"), (True, "distinct"), (False, "windows")])
def test_the_steps_of_a_pass_have_the_full_gradient_as_their_mean(dedup: bool, sampling: Any) -> None:
    given = sessions(6)
    network = small_network(seed=0)
    config = replace(SMALL, batch=13, sampling=sampling)
    batches = (DistinctBatches if dedup else BruteBatches)(given.histories(4), config, 3, "cpu")
    steps = [gradients(network, *batch) for batch in batches.one_pass()]
    assert len(steps) == batches.steps > 10
    means = [torch.stack(parts).mean(0) for parts in zip(*steps, strict=True)]
    for mine, theirs in zip(means, gradients(network, *expanded(given)), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-3)
