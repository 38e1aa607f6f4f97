"""Which forward of a network runs: its own, or the one that shares steps between histories that begin alike.

Shapes in comments: B rows, N distinct histories, h keys of history, K known keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

# Histories int64 [B, h], best sorted → logits float [N, K] of the distinct ones, and each row's place int64 [B].
SharedForward = Callable[[Tensor], tuple[Tensor, Tensor]]


@runtime_checkable
class SharesPrefixes(Protocol):
    """A network that can share steps between histories that begin alike, and is then scored faster by that.

    Example:

        class Network(nn.Module):
            ...

            def shared_prefix(self):
                return SharedPrefixLSTM(self.lstm, self.output, torch.eye(self.codes))
    """

    def shared_prefix(self) -> SharedForward:
        """The forward that shares steps, of the present weights, differentiable.

        It takes histories int64 [B, h], best sorted, and gives logits float [N, K] of N histories, and for each of
        the B rows its place among these, int64 [B].
        """
        ...


def shared_forward(network: nn.Module) -> SharedForward:
    """The forward that shares steps where the network has one; else its own, where each row is a place."""
    if isinstance(network, SharesPrefixes):
        return network.shared_prefix()

    def own(histories: Tensor) -> tuple[Tensor, Tensor]:
        return network(histories), torch.arange(len(histories), device=histories.device)

    return own


def logits_of(network: nn.Module, histories: Tensor) -> Tensor:
    """Logits float [B, K] of the key that follows each of the histories int64 [B, h].

    In mixed precision on a CPU by the forward that shares steps, if there is one: torch's LSTM has no half
    precision on many CPUs.
    """
    if histories.device.type == "cpu" and torch.is_autocast_enabled("cpu") and isinstance(network, SharesPrefixes):
        logits, place = network.shared_prefix()(histories)
        return logits[place]
    answer: Tensor = network(histories)
    return answer
