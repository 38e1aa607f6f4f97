"""LogTAD (Han and Yuan, CIKM 2021), on one system: normal units lie close to one point, by what their events say.

Shapes in comments: B rows, L events, W columns of a vector, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench.torch import Reconstruction, events_beyond, longest, vector_rows, vector_table

from .options import LogTadConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logbench import Sessions

# Rows that find the centre at a time.
ROWS = 512


class Network(nn.Module):
    """Where a unit lies: the mean of the steps of an LSTM over the vectors of its events."""

    centre: Tensor

    def __init__(self, width: int, config: LogTadConfig) -> None:
        super().__init__()
        between = config.dropout if config.layers > 1 else 0.0
        self.lstm = nn.LSTM(width, config.hidden, config.layers, config.bias, batch_first=True, dropout=between)
        self.register_buffer("centre", torch.zeros(config.hidden))

    def forward(self, steps: Tensor, there: Tensor) -> Tensor:
        """Places float [B, H] of vectors float [B, L, W].

        Args:
            there: bool [B, L], False for what fills up the end.
        """
        states, _ = self.lstm(F.normalize(steps, dim=2))  # [B, L, H]; what fills up comes last and moves none
        counted = there.unsqueeze(2)
        place: Tensor = (states * counted).sum(1) / counted.sum(1).clamp(min=1)
        return place


class LogTad(Reconstruction[LogTadConfig]):
    """Scores a unit by the mean square of how far it lies from the centre of the training units.

    The centre is where the training units lie on average before the network is trained, as Deep SVDD has it (Ruff
    et al., ICML 2018), and in no column closer to 0 than `least`. The paper's second part makes units of two
    systems lie alike; it needs the logs of a second system, and is left out.
    """

    name = "logtad"
    fixed = ("length", "hidden", "layers", "bias")
    keys_only = False
    spare = 0

    def build(self, keys: int) -> Network:
        return Network(self.width, self.config)

    def rows(self, sessions: Sessions) -> NDArray[np.int32]:
        return vector_rows(sessions, self.config.length)

    def lengths(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        lengths: NDArray[np.int64] = (rows < rows.max(initial=0)).sum(1)
        return lengths

    def unjudged(self, sessions: Sessions) -> NDArray[np.int64] | None:
        """Events of each unit beyond `length`, int64 [units]; None where there are none."""
        return events_beyond(sessions, self.config.length)

    def encoder(self, sessions: Sessions, device: str) -> Callable[[Tensor], tuple[Tensor, ...]]:
        """Vectors float [B, L, W] of a batch, and which events are there, bool [B, L]; L: the longest row's."""
        table = vector_table(sessions, device)

        def encode(rows: Tensor) -> tuple[Tensor, Tensor]:
            there = rows < table.shape[0] - 1
            length = longest(there)
            return table[rows[:, :length]], there[:, :length]

        return encode

    def prepare(self, network: nn.Module, train: Sessions) -> None:
        """Give the network its centre."""
        assert isinstance(network, Network)
        distinct = self._distinct(train)
        device = str(network.centre.device)
        encode, counts = self.encoder(distinct.sessions, device), torch.from_numpy(distinct.counts).to(device)
        network.eval()
        rows = torch.from_numpy(distinct.values).long().to(device)
        for at in range(0, len(rows), ROWS):
            units = counts[at : at + ROWS].unsqueeze(1)
            network.centre += (network(*encode(rows[at : at + ROWS])) * units).sum(0) / counts.sum()
        away = network.centre.abs().clamp(min=self.config.least)
        network.centre.copy_(torch.where(network.centre < 0, -away, away))

    def errors(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        assert isinstance(network, Network)
        squared: Tensor = (network(*arguments) - network.centre).square()
        return squared.mean(1)
