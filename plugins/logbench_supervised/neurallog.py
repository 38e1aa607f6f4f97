"""NeuralLog (Le and Zhang, ASE 2021): a transformer over what messages say, so that no parser is needed.

Shapes in comments: B rows, L events, W columns of a message's vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench.torch import longest

from .of_vectors import VectorClassifier
from .options import NeuralLogConfig, NeuralLogSmallConfig
from .schedule import rising_and_falling

if TYPE_CHECKING:
    from logbench.torch import Optimiser, Schedule


class Network(nn.Module):
    """One encoder block, normed after each part; the mean of the events that are there decides.

    What an event's place adds begins far smaller than its vector, as in the published code.
    """

    def __init__(self, width: int, config: NeuralLogConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.attends = config.attend == "learnt"
        inner = config.heads * (config.head_width or max(width // config.heads, 1))
        self.places = nn.Embedding(config.length, width) if config.places else None
        if self.places is not None:
            nn.init.uniform_(self.places.weight, -0.05, 0.05)
        self.query, self.key, self.value = (nn.Linear(width, inner) for _ in range(3))
        self.merge = nn.Linear(inner, width)
        self.inner = nn.Sequential(
            nn.Linear(width, config.feedforward), nn.ReLU(), nn.Linear(config.feedforward, width)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)
        self.dense, self.output = nn.Linear(width, config.dense), nn.Linear(config.dense, 2)

    def forward(self, steps: Tensor, there: Tensor) -> Tensor:
        """Logits float [B, 2] of normal and anomalous, of vectors float [B, L, W].

        Args:
            there: bool [B, L], False for what fills up the end.
        """
        length = longest(there)
        steps, there = steps[:, :length], there[:, :length]
        if self.places is not None:
            steps = steps + self.places.weight[:length]
        query, key, value = (
            layer(steps).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        query = query if self.attends else torch.zeros_like(query)  # all weights are equal then
        seen = F.scaled_dot_product_attention(query, key, value, there[:, None, None, :])
        steps = self.norms[0](steps + self.dropout(self.merge(seen.transpose(1, 2).flatten(2))))
        steps = self.norms[1](steps + self.dropout(self.inner(steps)))
        mean = (steps * there.unsqueeze(2)).sum(1) / there.sum(1, keepdim=True).clamp(min=1)
        answer: Tensor = self.output(self.dropout(F.relu(self.dense(self.dropout(mean)))))
        return answer


class NeuralLog(VectorClassifier[NeuralLogConfig]):
    """Scores a unit by the probability of an anomaly, from what its masked messages say."""

    name = "neurallog"
    fixed = ("heads", "head_width", "feedforward", "dense", "attend", "places")

    def build(self, keys: int) -> Network:
        return Network(self.width, self.config)

    def optimiser(self, network: nn.Module, steps: int) -> tuple[Optimiser | None, Schedule | None]:
        return rising_and_falling(network, self.config.lr, steps)


class NeuralLogSmall(NeuralLog):
    """`NeuralLog` with a small network, under a name of its own."""

    name = "neurallog-small"
    config: NeuralLogSmallConfig
