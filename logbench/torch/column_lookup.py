"""An LSTM over one-hot vectors, or over running sums of them, that looks columns of its weights up.

A product with a one-hot vector is a column of the weights, whatever their number; multiplied out, it takes as long
as there are columns. States, and all gradients but that of these columns, are the same to the last bit; theirs is
summed in another order.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Columns from which states are looked up. Below, a product is about as fast, and its gradients are as ever.
MANY = 1000


def many(columns: int) -> bool:
    """Whether columns are looked up at all."""
    return columns >= MANY


def looks_up(lstm: nn.Module, columns: int) -> bool:
    """Whether `states_of_columns` is to be asked: on a CPU, of an LSTM that nothing else stands in for.

    A graph and a quantised network have layers of their own, and torch.compile has its own way with an LSTM. A GPU
    multiplies fast, and wants its weights in one piece.
    """
    if not many(columns) or not isinstance(lstm, nn.LSTM) or torch.compiler.is_compiling():
        return False
    return lstm.weight_ih_l0.device.type == "cpu"


def products_of_columns(weight: Tensor, columns: Tensor) -> Tensor:
    """Products of weights float [H, I] with the one-hot vectors of columns int64 [...], float [..., H]; −1: zeros.

    Examples:
        >>> products_of_columns(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1, -1])).tolist()
        [[2.0, 4.0], [0.0, 0.0]]
    """
    table = F.pad(weight, (0, 1)).T
    return F.embedding(columns % len(table), table)


def states_of_columns(lstm: nn.LSTM, columns: Tensor, *, summed: bool = False) -> Tensor:
    """States float [B, L, H] of an LSTM after each step of one-hot vectors.

    Args:
        lstm: one way, `batch_first`, without projection.
        columns: which column is one in each step, int64 [B, L]; −1: none.
        summed: each step is the sum of its vector and all before it.
    """
    first, *others = lstm.parameters()
    products = products_of_columns(first, columns)
    products = products.cumsum(1) if summed else products
    start = products.new_zeros(lstm.num_layers, len(products), lstm.hidden_size)
    # The first layer gets its products as they are.
    layers = [torch.eye(products.shape[2], dtype=products.dtype), *others]
    options = (lstm.bias, lstm.num_layers, lstm.dropout, lstm.training, False, True)
    states: Tensor = torch.lstm(products, (start, start), layers, *options)[0]
    return states
