"""Which forward runs: the one that shares steps where the network has one, else its own."""

from __future__ import annotations

import torch
from next_key import small_network
from torch import Tensor, nn

from logbench.torch import SharedForward, logits_of, shared_forward

HISTORIES = torch.tensor([[0, 1, 2, 3], [0, 1, 2, 3], [0, 2, 2, 3], [6, 7, 1, 1]])


class Sharing(nn.Module):
    """Says 1 by its own forward and 2 by the one that shares."""

    def forward(self, histories: Tensor) -> Tensor:
        return torch.full((len(histories), 7), 1.0)

    def shared_prefix(self) -> SharedForward:
        return lambda histories: (torch.full((1, 7), 2.0), torch.zeros(len(histories), dtype=torch.int64))


def test_scoring_shares_steps_where_the_network_can() -> None:
    logits, place = shared_forward(Sharing())(HISTORIES)
    assert logits.shape == (1, 7) and (logits[place] == 2).all() and len(place) == 4


def test_a_network_without_it_runs_each_row_by_its_own_forward() -> None:
    network = small_network().eval()
    logits, place = shared_forward(network)(HISTORIES)
    assert torch.equal(logits[place], network(HISTORIES)) and torch.equal(logits[place], logits)


def test_mixed_precision_on_a_cpu_shares_steps_and_full_precision_does_not() -> None:
    assert (logits_of(Sharing(), HISTORIES) == 1).all()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert logits_of(Sharing(), HISTORIES).tolist() == [[2.0] * 7] * 4
