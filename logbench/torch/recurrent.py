"""Recurrent layers over rows of different lengths: packed while a network runs, whole in an exported graph.

Shapes in comments: B rows, L steps, I inputs, H hidden units, D directions (1 or 2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

# Order of torch's gates in ONNX: LSTM input, output, forget, cell; GRU update, reset, new.
_GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}


def recurrent_states(layers: nn.Module, steps: Tensor, lengths: Tensor) -> Tensor:
    """States of an LSTM or GRU after each step, float [B, L', D · H]; L' is the longest row's length.

    Steps beyond a row's length move none of its states, in neither direction. In an exported graph L' is L.

    Args:
        layers: `nn.LSTM` or `nn.GRU` with `batch_first`.
        steps: float [B, L, I]. lengths: int64 [B], from 1 to L.

    Examples:
        >>> recurrent_states(nn.GRU(3, 4, batch_first=True), torch.ones(2, 5, 3), torch.tensor([2, 1])).shape
        torch.Size([2, 2, 4])
    """
    if isinstance(layers, Whole):
        whole: Tensor = layers(steps, lengths)[0]
        return whole
    packed = nn.utils.rnn.pack_padded_sequence(steps, lengths.cpu(), batch_first=True, enforce_sorted=False)
    states: Tensor = nn.utils.rnn.pad_packed_sequence(layers(packed)[0], batch_first=True)[0]
    return states


class Whole(nn.Module):
    """Recurrent layers of present weights that take whole batches, as `nn.LSTM` and `nn.GRU` do, and lengths."""

    def __init__(self, layers: nn.RNNBase) -> None:
        super().__init__()
        self.directions = 2 if layers.bidirectional else 1
        self.stacked = nn.ModuleList(
            nn.ModuleList(_one(layers, depth, bool(back)) for back in range(self.directions))
            for depth in range(layers.num_layers)
        )

    def forward(self, steps: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, None]:
        """States float [B, L, D · H] of steps float [B, L, I]; the second value stands for the last states."""
        for depth in self.stacked:
            assert isinstance(depth, nn.ModuleList)
            there = self._there(depth[0], steps)
            if self.directions == 2:
                back = self._there(depth[1], self._back(steps, lengths))
                there = torch.cat([there, self._back(back, lengths)], 2)
            steps = there
        return steps, None

    @staticmethod
    def _there(layer: nn.Module, steps: Tensor) -> Tensor:
        states: Tensor = layer(steps)[0]
        return states

    @staticmethod
    def _back(steps: Tensor, lengths: Tensor | None) -> Tensor:
        """Each row's own steps in the other order; what fills it up stays."""
        if lengths is None:
            return steps.flip(1)
        place = torch.arange(steps.shape[1], device=steps.device).expand(steps.shape[:2])
        turned = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)
        return steps.gather(1, turned.unsqueeze(2).expand(steps.shape))


class OnnxLayers(Whole):
    """The same as nodes of ONNX, which take lengths themselves and any number of steps."""

    def __init__(self, layers: nn.RNNBase) -> None:
        nn.Module.__init__(self)
        self.kind, self.hidden = layers.mode, layers.hidden_size
        self.directions, self.depths = (2 if layers.bidirectional else 1), layers.num_layers
        for depth in range(self.depths):
            for name, parts in _onnx_weights(layers, depth).items():
                self.register_buffer(f"{name}{depth}", parts)

    def forward(self, steps: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, None]:
        """See `Whole.forward`."""
        rows = None if lengths is None else lengths.to(torch.int32)
        way = "bidirectional" if self.directions == 2 else "forward"
        attributes: dict[str, Any] = {"hidden_size": self.hidden, "direction": way}
        if self.kind == "GRU":
            attributes["linear_before_reset"] = 1  # as torch has it
        steps = steps.transpose(0, 1)
        for depth in range(self.depths):
            weights = [self.get_buffer(f"{name}{depth}") for name in ("inputs", "states", "biases")]
            shape = (steps.shape[0], self.directions, steps.shape[1], self.hidden)
            answer = torch.onnx.ops.symbolic(
                self.kind, (steps, *weights, rows), attributes, dtype=steps.dtype, shape=shape
            )
            steps = answer.permute(0, 2, 1, 3).flatten(2)  # [L, B, D · H]
        return steps.transpose(0, 1), None


def replaced(network: nn.Module, make: Callable[[nn.RNNBase], nn.Module]) -> None:
    """Put what `make` gives in the place of every LSTM and GRU of a network.

    Raises:
        ValueError: one has projections, or its rows are not the first dimension.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.LSTM | nn.GRU):
                if child.proj_size or not child.batch_first:
                    raise ValueError(f"its layers {name} have projections, or no batch_first=True")
                setattr(parent, name, make(child))


def _one(layers: nn.RNNBase, depth: int, back: bool) -> nn.RNNBase:
    """One layer and direction as a module of its own."""
    kind: Any = type(layers)
    made: nn.RNNBase = kind(
        layers.input_size if not depth else layers.hidden_size * (2 if layers.bidirectional else 1),
        layers.hidden_size,
        bias=layers.bias,
        batch_first=True,
    )
    for name in ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if layers.bias else ())):
        own = getattr(layers, f"{name}_l{depth}{'_reverse' if back else ''}")
        getattr(made, f"{name}_l0").data = own.detach().clone()
    return made


def _onnx_weights(layers: nn.RNNBase, depth: int) -> dict[str, Tensor]:
    """Weights of a layer as ONNX has them: of inputs [D, gates · H, I], of states, and both biases."""
    order = torch.tensor(_GATES[layers.mode])

    def gates(name: str, back: str) -> Tensor:
        own = getattr(layers, f"{name}_l{depth}{back}", None)
        if own is None:
            return torch.zeros(len(order) * layers.hidden_size)
        parts: Tensor = own.detach().unflatten(0, (len(order), -1))
        return parts[order].flatten(0, 1).clone()

    backs = ("", "_reverse") if layers.bidirectional else ("",)
    return {
        "inputs": torch.stack([gates("weight_ih", back) for back in backs]),
        "states": torch.stack([gates("weight_hh", back) for back in backs]),
        "biases": torch.stack([torch.cat([gates("bias_ih", back), gates("bias_hh", back)]) for back in backs]),
    }
