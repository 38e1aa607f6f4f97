"""Transformers that guess the next key: a causal one that knows places, and that of deep-loglizer, which does not.

Shapes in comments: B rows, h keys of history, W columns of a key's vector.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from logbench import ConfigError
from logbench.torch import NextKeyModel

from .options import TransformerNextConfig


class Network(nn.Module):
    """`causal`: places are learnt (unless places=false), each step sees those before it, and the last one guesses.

    `dlz` (Chen et al., 2021, arXiv 2107.05908): no places, every step sees all, and their mean guesses. So it
    cannot tell one order of a history from another. An unknown key is the zero vector, fixed.
    """

    def __init__(self, keys: int, guesses: int, config: TransformerNextConfig) -> None:
        super().__init__()
        width = config.embedding
        self.embedding = nn.Embedding(keys + 2, width, padding_idx=keys)
        layer = nn.TransformerEncoderLayer(
            width, config.heads, config.feedforward, config.dropout, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.output = nn.Linear(width, guesses)
        self.causal = config.variant == "causal"
        known = self.causal and config.places
        self.places = nn.Parameter(torch.randn(config.h, width) * 0.02) if known else None

    def forward(self, histories: Tensor) -> Tensor:
        """Logits float [B, guesses] of the key that follows histories int64 [B, h]."""
        steps = self.embedding(histories)  # [B, h, W]
        if not self.causal:
            bag: Tensor = self.output(self.encoder(steps).mean(1))
            return bag
        h = histories.shape[1]
        later = torch.ones(h, h, dtype=torch.bool, device=steps.device).triu(1)
        steps = steps if self.places is None else steps + self.places
        guess: Tensor = self.output(self.encoder(steps, later, is_causal=True)[:, -1])
        return guess


class TransformerNext(NextKeyModel[TransformerNextConfig]):
    """Scores a unit by the worst rank of a key that came: it alarms where that exceeds `g`."""

    name = "transformer-next"
    fixed = ("variant", "places", "embedding", "layers", "heads", "feedforward")

    def build(self, keys: int) -> Network:
        width, heads = self.config.embedding, self.config.heads
        if width % heads:
            raise ConfigError(f"{self.name}.embedding = {width} must be a multiple of {self.name}.heads = {heads}")
        return Network(keys, keys, self.config)
