"""Convolutions over embedded keys (Lu et al., DASC 2018): patterns of a few events, wherever they stand.

Shapes in comments: B rows, L events, W columns of a key's vector, F filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench import ConfigError
from logbench.torch import SequenceClassifier, longest

from .of_vectors import lengths_of
from .options import CnnConfig
from .schedule import rising_and_falling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logbench.torch import Optimiser, Schedule


class Network(nn.Module):
    """The strongest answer of each filter anywhere in a unit decides. What fills it up is the zero vector."""

    def __init__(self, codes: int, fill: int, config: CnnConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, config.embedding, padding_idx=fill)
        self.convs = nn.ModuleList(
            nn.Conv2d(1, config.filters, (height, config.embedding)) for height in config.heights
        )
        self.fill, self.heights = fill, config.heights
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.filters * len(config.heights), 2)

    def forward(self, units: Tensor) -> Tensor:
        """Logits float [B, 2] of normal and anomalous units int64 [B, L]."""
        # Beyond the longest unit and one filter, all windows are alike: of nothing.
        kept = longest(units.ne(self.fill)) + max(self.heights)
        vectors = self.embedding(units[:, :kept]).transpose(1, 2)  # [B, W, L]
        found = [_strongest(conv, vectors) for conv in self.convs]
        answer: Tensor = self.output(self.dropout(torch.cat(found, 1)))
        return answer


def _strongest(conv: nn.Module, vectors: Tensor) -> Tensor:
    """The strongest answer of each filter, float [B, F], to vectors float [B, W, L].

    In one dimension, which takes half the time of two; the weights have the shape of the published ones.
    """
    assert isinstance(conv, nn.Conv2d)
    return F.relu(F.conv1d(vectors, conv.weight[:, 0].transpose(1, 2), conv.bias)).amax(2)


class Cnn(SequenceClassifier[CnnConfig]):
    """Scores a unit by the probability of an anomaly."""

    name = "cnn"
    fixed = ("heights", "filters", "embedding")

    @property
    def spare(self) -> int:
        """A filter finds nothing in what fills up."""
        return max(self.config.heights)

    def lengths(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        return lengths_of(rows)

    def optimiser(self, network: nn.Module, steps: int) -> tuple[Optimiser | None, Schedule | None]:
        return rising_and_falling(network, self.config.lr, steps)

    def build(self, keys: int) -> Network:
        heights, length = self.config.heights, self.config.length
        if not heights or not all(1 <= height <= length for height in heights):
            raise ConfigError(
                f"cnn.heights = {heights}: needed is one height or more, each from 1 to length = {length}"
            )
        network = Network(keys + 2, keys + 1, self.config)
        with torch.no_grad():
            network.embedding.weight[keys] = (
                0  # no training unit has an unknown key: it must not move scores by chance
            )
        return network
