"""An LSTM's logits with every distinct prefix computed once: histories that begin alike share LSTM steps.

Shapes in comments: B rows, N distinct prefixes of the current step, h keys of history, K known keys, H hidden
units of each of L layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from .column_lookup import products_of_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sort_windows(windows: NDArray[np.int32] | NDArray[np.int16]) -> NDArray[np.int64]:
    """Order that brings windows [rows, width] with equal beginnings together, int64 [rows]."""
    return np.lexsort(windows.T[::-1]).astype(np.int64)


def first_change(histories: Tensor) -> Tensor:
    """First column in which a row of sorted histories [B, h] differs from the row before, or h. int64 [B]."""
    same = (histories[1:] == histories[:-1]).long().cumprod(1).sum(1)  # [B − 1], columns alike from the left
    return torch.cat([same.new_zeros(1), same])


class SharedPrefixLSTM:
    """Logits of an LSTM's present weights, differentiable.

    Histories need not be sorted, they only share less then. Equal to the LSTM and then `output` within float
    rounding. The first layer's product with its input is a look-up in a table of one row a code, whatever the
    input is.
    As tanh(x) = 2 σ(2x) − 1, and torch's σ is three times as fast as its tanh on a CPU, the cell gate's
    weights are doubled and all four gates go through one σ.

    Examples:
        >>> lstm, output = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)
        >>> logits, place = SharedPrefixLSTM(lstm, output, torch.eye(3))(torch.tensor([[0, 1], [0, 1], [0, 2]]))
        >>> logits.shape, place.tolist()
        (torch.Size([2, 2]), [0, 0, 1])
    """

    def __init__(self, lstm: nn.LSTM, output: nn.Module, inputs: Tensor) -> None:
        """Take the present weights; they may be trained through it.

        Args:
            lstm: one way, `batch_first`, without dropout or projection.
            output: states of the last layer [N, H] → logits [N, K].
            inputs: what enters the LSTM for each code of a key, float [codes, I]; or which column of a one-hot
                vector it is, int64 [codes], −1 for none, so that no square of codes is made.
        """
        named = dict(lstm.named_parameters())
        self.output, self.hidden = output, lstm.hidden_size
        scale = named["weight_ih_l0"].new_ones(4, 1)
        scale[2] = 2  # torch's order: input, forget, cell, output
        scale = scale.repeat_interleave(self.hidden, 0)  # [4H, 1]
        self.weights: list[tuple[Tensor, Tensor]] = []  # a layer: [H or 2H, 4H] and bias [4H]
        for layer in range(lstm.num_layers):
            parts: list[Tensor] = [
                named[f"weight_{part}_l{layer}"] for part in (("ih", "hh") if layer else ("hh",))
            ]
            bias = named[f"bias_ih_l{layer}"] + named[f"bias_hh_l{layer}"]
            self.weights.append(((torch.cat(parts, 1) * scale).T.contiguous(), bias * scale[:, 0]))
        scaled = named["weight_ih_l0"] * scale
        first = inputs @ scaled.T if inputs.is_floating_point() else products_of_columns(scaled, inputs)
        self.table = first + self.weights[0][1]  # [codes, 4H]

    def __call__(self, histories: Tensor) -> tuple[Tensor, Tensor]:
        """Histories int64 [B, h] → logits float [N, K] of the distinct ones, each row's place int64 [B]."""
        change = first_change(histories)
        place = torch.zeros_like(change)
        zero = self.table.new_zeros(1, self.hidden)
        states = [(zero, zero)] * len(self.weights)  # (hidden, memory) of the one empty prefix
        for step in range(histories.shape[1]):
            begins = change <= step
            rows = begins.nonzero().squeeze(1)  # [N], where a new prefix of step + 1 keys begins
            parent = place[rows]  # [N], its first `step` keys among the prefixes of the step before
            gates = self.table.index_select(0, histories[rows, step])  # [N, 4H]
            states = self._step(gates, states, parent)
            place = begins.cumsum(0) - 1
        return self.output(states[-1][0]), place

    def _step(
        self, gates: Tensor, states: list[tuple[Tensor, Tensor]], parent: Tensor
    ) -> list[tuple[Tensor, Tensor]]:
        """One key on: the first layer's gates [N, 4H], (hidden, memory) of each layer [N', H] → [N, H]."""
        after: list[tuple[Tensor, Tensor]] = []
        for layer, (weight, bias) in enumerate(self.weights):
            hidden, memory = (state.index_select(0, parent) for state in states[layer])  # [N, H]
            if layer:
                gates = torch.addmm(bias, torch.cat([after[-1][0], hidden], 1), weight)
            else:
                gates = torch.addmm(gates, hidden, weight)
            after.append(_cell(gates, memory))
        return after


def _cell(gates: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Gates [N, 4H] before σ (the cell gate doubled) and memory [N, H] → (hidden, memory) [N, H]."""
    entering, forget, cell, out = gates.sigmoid().chunk(4, dim=1)
    memory = forget * memory + entering * (2 * cell - 1)  # fp32 under autocast too, as memory begins so
    return out * (2 * (2 * memory).sigmoid() - 1), memory
