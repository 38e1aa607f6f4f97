"""LogGPT (Han et al., IEEE BigData 2023) without reinforcement learning: each key is guessed from all before it.

Shapes in comments: B rows, L events, W columns of a vector, V codes, K known keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench import ConfigError
from logbench.torch import AdamW, Reconstruction, events_beyond, longest, padded, ranks_of

from .options import LogGptConfig, LogGptSmallConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions
    from logbench.torch import Optimiser, Schedule

# Codes of the published vocabulary, of 5 special ones; known keys follow.
FILL, UNKNOWN, FIRST, SPECIALS = 0, 1, 2, 5


class Network(nn.Module):
    """GPT-2: places are learnt, each step sees those before it, and the vectors of codes also guess."""

    def __init__(self, keys: int, config: LogGptConfig) -> None:
        super().__init__()
        width = config.hidden
        self.keys = keys
        self.codes = nn.Embedding(keys + SPECIALS, width)
        self.places = nn.Embedding(config.length + 1, width)
        gelu = partial(F.gelu, approximate="tanh")
        layer = nn.TransformerEncoderLayer(
            width, config.heads, 4 * width, config.dropout, gelu, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.dropout = nn.Dropout(config.dropout)
        for weight in self.parameters():
            if weight.ndim > 1:
                nn.init.normal_(weight, std=0.02)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits float [B, L, V] of each event of rows int64 [B, L], given those before it."""
        return self.guess(self.states(rows))

    def guess(self, states: Tensor) -> Tensor:
        """Logits float [.., V] of states float [.., W]."""
        return F.linear(states, self.codes.weight)

    def states(self, rows: Tensor) -> Tensor:
        """States float [B, L, W] of all that came before each event of rows int64 [B, L]."""
        there = rows <= self.keys
        codes = torch.where(rows < self.keys, rows + SPECIALS, torch.where(there, UNKNOWN, FILL))
        before = F.pad(codes[:, :-1], (1, 0), value=FIRST)
        length = rows.shape[1]
        steps = self.dropout(self.codes(before) + self.places.weight[:length])
        later = torch.ones(length, length, dtype=torch.bool, device=rows.device).triu(1)
        states: Tensor = self.layers(steps, later, is_causal=True)
        return states


class LogGpt(Reconstruction[LogGptConfig]):
    """Scores a unit by the worst rank of a key that came: it alarms where that exceeds `g`."""

    name = "loggpt"
    fixed = ("length", "hidden", "layers", "heads")
    spare = 0

    def rows(self, sessions: Sessions) -> NDArray[np.int32]:
        return padded(sessions, self.config.length)

    def lengths(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        lengths: NDArray[np.int64] = (rows <= self.keys).sum(1)
        return lengths

    def unjudged(self, sessions: Sessions) -> NDArray[np.int64] | None:
        """Events of each unit beyond `length`, int64 [units]; None where there are none."""
        return events_beyond(sessions, self.config.length)

    def build(self, keys: int) -> Network:
        hidden, heads = self.config.hidden, self.config.heads
        if hidden % heads:
            raise ConfigError(f"{self.name}.hidden = {hidden} must be a multiple of {self.name}.heads = {heads}")
        return Network(keys, self.config)

    def optimiser(self, network: nn.Module, steps: int) -> tuple[Optimiser | None, Schedule | None]:
        return AdamW(network.parameters(), self.config.lr), None

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """See `Reconstruction.fit`; with `truncated`, training units longer than `length`."""
        facts = super().fit(train, context)
        return {**facts, "truncated": int((train.lengths > self.config.length).sum())}

    def losses(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        """Cross entropies of each row's keys, float [B]: their sum over the mean number of keys in training, where
        each key counts alike; their mean in validation, which no other row of the batch may move.
        """
        assert isinstance(network, Network)
        rows, there = _trimmed(arguments[0], network.keys)
        wanted = (rows + SPECIALS).masked_fill(rows == network.keys, UNKNOWN)[there]
        losses = F.cross_entropy(network(rows)[there], wanted, reduction="none")
        sums = losses.new_zeros(len(rows)).index_add(0, there.nonzero()[:, 0], losses)
        return sums * len(rows) / max(len(losses), 1) if network.training else sums / there.sum(1).clamp(min=1)

    def errors(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        """Worst rank of a key, float [B]; infinite where one is unknown, so that it alarms whatever g is."""
        assert isinstance(network, Network)
        rows, there = _trimmed(arguments[0], network.keys)
        worst = torch.zeros(rows.shape, dtype=torch.int32, device=rows.device)
        states = network.states(rows)[there]
        worst[there] = ranks_of(
            states, rows[there], lambda some: network.guess(some)[:, SPECIALS:], network.keys + SPECIALS
        )
        return worst.amax(1).double().masked_fill((rows == network.keys).any(1), torch.inf)


class LogGptSmall(LogGpt):
    """`LogGpt` with a small network, under a name of its own."""

    name = "loggpt-small"
    config: LogGptSmallConfig


def _trimmed(rows: Tensor, keys: int) -> tuple[Tensor, Tensor]:
    """Rows int64 [B, L] without what fills up all of them, and which events are there, bool [B, L]."""
    there = rows <= keys
    length = longest(there)
    return rows[:, :length], there[:, :length]
