"""Autoencoders: of counts of keys, and of what an LSTM read (deep-loglizer: Chen et al., 2021, arXiv 2107.05908).

Shapes in comments: B rows, L events, W columns of a key's vector, H units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from logbench.torch import Reconstruction, count_rows, events_beyond, padded, recurrent_states

from .options import AutoencoderConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Sessions


class Counts(nn.Module):
    """Gives back how often each key occurs in a unit."""

    def __init__(self, keys: int, config: AutoencoderConfig) -> None:
        super().__init__()
        hidden, narrow = config.hidden, config.narrow
        self.encoder = nn.Sequential(nn.Linear(keys + 1, hidden), nn.ReLU(), nn.Linear(hidden, narrow))
        self.decoder = nn.Sequential(nn.ReLU(), nn.Linear(narrow, hidden), nn.ReLU(), nn.Linear(hidden, keys + 1))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """What is to be given back, and what is, float [B, keys + 1]."""
        answer: Tensor = self.decoder(self.encoder(rows))
        return rows, answer


class Read(nn.Module):
    """Gives back the last step of an LSTM of both directions over the unit.

    The published code trains the LSTM by the very error that it is the target of, so that all units read alike
    have none. `detach` takes the target as given; the LSTM then learns by what it lets the narrow layer know.
    """

    def __init__(self, codes: int, fill: int, config: AutoencoderConfig, detach: bool = True) -> None:
        super().__init__()
        self.fill, self.detach = fill, detach
        self.embedding = nn.Embedding(codes, config.embedding, padding_idx=fill)
        self.lstm = nn.LSTM(config.embedding, config.hidden, 2, batch_first=True, bidirectional=True)
        self.encoder = nn.Linear(2 * config.hidden, config.narrow)
        self.decoder = nn.Linear(config.narrow, 2 * config.hidden)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """What is to be given back, and what is, float [B, 2 H], of keys int64 [B, L]."""
        lengths = (rows != self.fill).sum(1).clamp(min=1)
        vectors = self.embedding(rows)  # [B, L, W]
        states = recurrent_states(self.lstm, vectors, lengths)  # [B, L, 2 H]
        read = states[torch.arange(rows.shape[0], device=rows.device), lengths - 1]  # [B, 2 H]
        answer: Tensor = self.decoder(self.encoder(read))
        return read.detach() if self.detach else read, answer


class Autoencoder(Reconstruction[AutoencoderConfig]):
    """Scores a unit by the mean squared error with which it is given back."""

    name = "autoencoder"
    fixed = ("input", "hidden", "narrow", "length", "embedding")
    spare = 0

    def rows(self, sessions: Sessions) -> NDArray[Any]:
        if self.config.input == "counts":
            return count_rows(sessions)
        return padded(sessions, self.config.length)

    def unjudged(self, sessions: Sessions) -> NDArray[np.int64] | None:
        """Events that the LSTM does not see, int64 [units]; None where there are none."""
        return events_beyond(sessions, self.config.length) if self.config.input == "sequence" else None

    def build(self, keys: int) -> nn.Module:
        if self.config.input == "counts":
            return Counts(keys, self.config)
        return Read(keys + 2, keys + 1, self.config)

    def errors(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        wanted, given = network(*arguments)
        squared: Tensor = (given - wanted).square()
        return squared.mean(1)
