"""LogBERT (Guo et al., IJCNN 2021): keys are hidden and guessed from all others of the unit.

Shapes in comments: B rows, L events, W columns of a vector, M hidden keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from logbench import ConfigError
from logbench.torch import (
    Adam,
    FactorSchedule,
    Reconstruction,
    events_beyond,
    in_batches,
    padded,
    ranks_of,
    to_device,
)

from .hiding import SPECIALS, coded, disguised, masked
from .network import Network
from .options import LogBertConfig, LogBertSmallConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from logbench import Context, Sessions
    from logbench.torch import Optimiser, Schedule


class LogBert(Reconstruction[LogBertConfig]):
    """Scores a unit by the share of its hidden keys that are not among the `g` likeliest there, over all draws."""

    name = "logbert"
    fixed = ("variant", "length", "hidden", "layers", "heads", "mask", "draws", "g", "missed")
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
        if self.config.hidden % (2 * self.config.heads):
            raise ConfigError(
                f"{self.name}.hidden = {self.config.hidden} must be a multiple of twice "
                f"{self.name}.heads = {self.config.heads}"
            )
        return Network(keys, self.config)

    def optimiser(self, network: nn.Module, steps: int) -> tuple[Optimiser | None, Schedule | None]:
        if self.config.schedule == "none":
            return None, None
        optimiser, warmup = Adam(network.parameters(), self.config.hidden**-0.5), self.config.warmup
        return optimiser, FactorSchedule(optimiser, lambda at: min((at + 1) ** -0.5, (at + 1) * warmup**-1.5))

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """See `Reconstruction.fit`; with `g`, and `truncated`, training units longer than `length`."""
        facts = super().fit(train, context)
        assert isinstance(self.network, Network)
        g = self.config.g
        if g == "auto":
            g = self._found(self.network, self.bounded(context.held_out or train), context)
        self.network.found.fill_(g)
        return {**facts, "g": g, "truncated": int((train.lengths > self.config.length).sum())}

    def losses(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        """Cross entropy of the hidden keys, and how far each unit's state is from the centre; float [B]."""
        assert isinstance(network, Network)
        codes, there = coded(arguments[0], network.keys)
        if network.training:
            hidden = (torch.rand(there.shape, device=there.device) < self.config.mask) & there
            lowest = 0 if self.config.variant == "logbert" else SPECIALS
            states = network(disguised(codes, hidden, lowest, network.keys))
        else:
            hidden = network.draws[0, : there.shape[1]] & there
            states = network(masked(codes, hidden))
        guesses = F.cross_entropy(network.output(states[:, 1:][hidden]), codes[:, 1:][hidden], reduction="none")
        sums = guesses.new_zeros(len(codes)).index_add(0, hidden.nonzero()[:, 0], guesses)
        whole = states[:, 0]
        if network.training:
            network.centre.lerp_(whole.detach().mean(0).to(network.centre.dtype), 0.1)
        far = (whole - network.centre).square().mean(1)
        # In training each key counts alike; in validation no other row of the batch may move a row's loss.
        each = hidden.sum(1).clamp(min=1)
        missed = sums * len(codes) / max(len(guesses), 1) if network.training else sums / each
        loss: Tensor = missed + self.config.sphere * far
        return loss

    def errors(self, network: nn.Module, *arguments: Tensor) -> Tensor:
        """Share of the hidden keys that are not found, float [B]."""
        assert isinstance(network, Network)
        rank = hidden_ranks(network, arguments[0])
        return (rank > network.found).sum((1, 2)) / (rank > 0).sum((1, 2)).clamp(min=1)

    @torch.inference_mode()
    def _found(self, network: Network, units: Sessions, context: Context) -> int:
        """The smallest g with which at most the share `missed` of the hidden keys of `units` is not found."""
        rows, counts = np.unique(self.rows(units), axis=0, return_counts=True)
        by_rank = np.zeros(network.keys + 2, np.int64)  # rank 0 was not hidden, K + 1 is unknown

        def work(begin: int, end: int) -> tuple[Tensor, ...]:
            rank = hidden_ranks(network, to_device(rows[begin:end], context.device).long())
            np.add.at(by_rank, rank.cpu().numpy(), counts[begin:end, None, None])
            return ()

        in_batches(len(rows), 64, work, context.note)
        above = by_rank[1:].sum() - by_rank[1:].cumsum()
        return min(int(np.argmax(above <= self.config.missed * by_rank[1:].sum())) + 1, network.keys)


class LogBertSmall(LogBert):
    """`LogBert` with a small network, under a name of its own."""

    name = "logbert-small"
    config: LogBertSmallConfig


def hidden_ranks(network: Network, rows: Tensor) -> Tensor:
    """Rank of each key hidden in each draw, int64 [B, draws, L]: K + 1 if unknown, 0 where none is hidden."""
    codes, there = coded(rows, network.keys)
    shape = (rows.shape[0], len(network.draws), there.shape[1])
    result = torch.zeros(shape, dtype=torch.int64, device=rows.device)
    for at, draw in enumerate(network.draws):
        hidden = draw[: there.shape[1]] & there
        states, came = network(masked(codes, hidden))[:, 1:][hidden], rows[:, : there.shape[1]][hidden]
        found = ranks_of(states, came, lambda some: network.output(some)[:, SPECIALS:], network.keys + SPECIALS)
        result[:, at][hidden] = found.long()
    return result
