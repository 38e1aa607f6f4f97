"""Recurrent layers of an exported graph against torch's own on packed rows."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from logbench.torch import longest, recurrent_states
from logbench.torch.exporting import exporting
from logbench.torch.recurrent import Whole, replaced

LENGTHS = torch.tensor([6, 1, 4, 6, 2])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize(("layers", "both", "bias"), [(1, False, True), (2, True, True), (3, True, False)])
def test_whole_rows_have_the_states_of_packed_ones(kind: type, layers: int, both: bool, bias: bool) -> None:
    torch.manual_seed(0)
    own = kind(3, 4, layers, bias=bias, batch_first=True, bidirectional=both)
    steps = torch.randn(5, 6, 3)
    there = torch.arange(6) < LENGTHS[:, None]
    expected = recurrent_states(own, steps, LENGTHS)
    found = recurrent_states(Whole(own), steps, LENGTHS)
    assert torch.allclose(found[there], expected[there], atol=1e-6)
    assert torch.allclose(Whole(own)(steps)[0], own(steps)[0], atol=1e-6)


def test_what_fills_up_moves_no_state() -> None:
    own, steps = nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), torch.randn(5, 6, 3)
    there = torch.arange(6) < LENGTHS[:, None]
    other = torch.where(there.unsqueeze(2), steps, steps + 9)
    assert torch.equal(Whole(own)(steps, LENGTHS)[0][there], Whole(own)(other, LENGTHS)[0][there])


def test_layers_are_replaced_wherever_they_are_and_odd_ones_refused() -> None:
    network = nn.ModuleDict({"inner": nn.ModuleList([nn.GRU(2, 3, batch_first=True), nn.Linear(2, 2)])})
    replaced(network, Whole)
    assert isinstance(network["inner"][0], Whole)
    assert isinstance(network["inner"][1], nn.Linear)
    for odd in (nn.LSTM(2, 3), nn.LSTM(2, 3, batch_first=True, proj_size=2)):
        with pytest.raises(ValueError, match="batch_first"):
            replaced(nn.Sequential(odd), Whole)


def test_a_graph_takes_all_columns() -> None:
    there = torch.tensor([[True, False, False]])
    assert longest(there) == 1
    with exporting():
        assert longest(there) == 3
    assert longest(there) == 1
