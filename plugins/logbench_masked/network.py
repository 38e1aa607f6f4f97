"""The encoder of LogBERT (Guo et al., IJCNN 2021, section III): what stands at each place, read from both sides.

Shapes in comments: B rows, L + 1 places, the first of them before all events; W columns of a vector, V codes.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .hiding import FILL, SPECIALS, UNKNOWN, drawn

if TYPE_CHECKING:
    from .options import LogBertConfig


class Norm(nn.Module):
    """The norm of the published code: by the sample deviation, to which epsilon is added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, steps: Tensor) -> Tensor:
        """Steps of mean 0 and deviation 1, float [.., W]."""
        centred = steps - steps.mean(-1, keepdim=True)
        return self.scale * centred / (steps.std(-1, keepdim=True) + 1e-6) + self.shift


class Block(nn.Module):
    """Attention, then an inner network; each adds to what it gets, which it gets normed."""

    def __init__(self, config: LogBertConfig) -> None:
        super().__init__()
        width, published = config.hidden, config.variant == "logbert"
        norm = Norm if published else nn.LayerNorm
        self.heads, self.gelu = config.heads, partial(F.gelu, approximate="tanh" if published else "none")
        self.query, self.key, self.value, self.merge = (nn.Linear(width, width) for _ in range(4))
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.norm_attention, self.norm_inner = norm(width), norm(width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, steps: Tensor, there: Tensor) -> Tensor:
        """Steps float [B, L + 1, W]; only those that are there, bool [B, L + 1], are attended to."""
        normed = self.norm_attention(steps)
        parts = (layer(normed).unflatten(2, (self.heads, -1)) for layer in (self.query, self.key, self.value))
        query, key, value = (part.transpose(1, 2) for part in parts)  # [B, heads, L + 1, W / heads]
        dropped = self.dropout.p if self.training else 0.0
        seen = F.scaled_dot_product_attention(query, key, value, there[:, None, None, :], dropped)
        steps = steps + self.dropout(self.merge(seen.transpose(1, 2).flatten(2)))
        inner = self.narrow(self.dropout(self.gelu(self.widen(self.norm_inner(steps)))))
        answer: Tensor = steps + self.dropout(inner)
        return answer


class Network(nn.Module):
    """Reads codes: 0 fills up, 1 is an unknown key, 3 stands before all events, 4 hides a key, keys follow.

    `logbert` has three parts that the published code has and never uses, so that its weights have their places.
    """

    centre: Tensor
    draws: Tensor
    found: Tensor
    places: Tensor

    def __init__(self, keys: int, config: LogBertConfig) -> None:
        super().__init__()
        width, codes, published = config.hidden, keys + SPECIALS, config.variant == "logbert"
        self.keys = keys
        self.codes = nn.Embedding(codes, width, padding_idx=FILL)
        self.segment = nn.Embedding(3, width) if published else None
        self.time = nn.Linear(1, width) if published else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.output = nn.Linear(width, codes)
        self.output_time = nn.Linear(width, 1) if published else None
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("places", waves(config.length + 1, width), persistent=False)
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("draws", drawn(config.draws, config.length, config.mask))
        self.register_buffer("found", torch.ones((), dtype=torch.int64))  # g
        with torch.no_grad():
            self.codes.weight[UNKNOWN] = 0  # hardly trains: it must not move scores by chance

    def forward(self, codes: Tensor) -> Tensor:
        """States float [B, L + 1, W] of codes int64 [B, L + 1]; the first is that of the whole unit."""
        there = codes != FILL
        steps = self.dropout(self.codes(codes) + self.places[: codes.shape[1]])
        for block in self.blocks:
            steps = block(steps, there)
        states: Tensor = steps
        return states


def waves(places: int, width: int) -> Tensor:
    """Sines and cosines of a place, by turns, float [places, W] (Vaswani et al., 2017, section 3.5)."""
    speed = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000) / width))
    angle = torch.arange(places).unsqueeze(1) * speed
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1)
