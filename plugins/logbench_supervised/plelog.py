"""PLELog (Yang et al., ICSE 2021): clusters tell what units without a label are taught, the surer the harder.

Shapes in comments: B rows, L events, W columns of a vector, H states of both directions together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from logbench import count_matrix
from logbench.torch import Adam, FactorSchedule

from .guessing import clustered, guessed
from .of_vectors import VectorClassifier, states_of, weighed
from .options import PleLogConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions
    from logbench.torch import Optimiser, Schedule


class Network(nn.Module):
    """A GRU of both directions; a learnt guide says which steps count, and their sum decides."""

    def __init__(self, width: int, config: PleLogConfig) -> None:
        super().__init__()
        self.gru = nn.GRU(width, config.hidden, config.layers, batch_first=True, bidirectional=True)
        both = 2 * config.hidden
        learnt = config.attend == "learnt"
        self.guide = nn.Parameter(torch.randn(both) / both**0.5) if learnt else None
        self.weigh = nn.Linear(2 * both, 1) if learnt else None
        self.output = nn.Linear(both, 2)

    def forward(self, steps: Tensor, there: Tensor) -> Tensor:
        """Logits float [B, 2] of normal and anomalous, of vectors float [B, L, W].

        Args:
            there: bool [B, L], False for what fills up the end.
        """
        states, there = states_of(self.gru, steps, there)  # [B, L, H]
        told = states.new_zeros(there.shape)
        if self.guide is not None and self.weigh is not None:
            both = torch.cat([self.guide.expand_as(states), states], 2)
            told = torch.tanh(self.weigh(both)).squeeze(2)
        answer: Tensor = self.output(weighed(states, told, there))
        return answer


class PleLog(VectorClassifier[PleLogConfig]):
    """Scores a unit by the probability of an anomaly."""

    name = "plelog"
    fixed = ("hidden", "layers", "attend")

    def build(self, keys: int) -> Network:
        return Network(self.width, self.config)

    def optimiser(self, network: nn.Module, steps: int) -> tuple[Optimiser | None, Schedule | None]:
        """Adam as published: its learning rate falls by a quarter after each thousand steps."""
        optimiser = Adam(network.parameters(), self.config.lr, betas=(0.9, 0.9), eps=1e-12)
        return optimiser, FactorSchedule(optimiser, lambda at: 0.75 ** (at // 1000))

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """See `SequenceClassifier.fit`; with what was `guessed` of units whose label it does not see."""
        self.guesses: dict[str, int] = {}
        return {**super().fit(train, context), **self.guesses}

    def _drawn(self, units: int, context: Context) -> NDArray[np.int64]:
        """Units that are clustered, which takes time with the square of their number; all, where they are few."""
        most = self.config.max_train
        if units <= most:
            return np.arange(units)
        context.note(
            f"{most:,} of {units:,} training units are clustered (max_train), drawn by the seed; "
            "others without a label do not train"
        )
        return np.sort(np.random.default_rng(context.seed).choice(units, most, replace=False))

    def targets(self, train: Sessions, context: Context) -> NDArray[np.float64]:
        """Labels of those it sees, of others a guess by the clusters of their summed vectors."""
        assert train.labels is not None and train.vectors is not None and train.vector_ids is not None
        labels = train.labels
        if self.config.known == "normal":
            labels = np.where(labels == 1, np.int8(-1), labels)
        if (labels >= 0).all():
            return labels.astype(np.float64)
        counts = count_matrix(train.vector_ids, train.offsets, len(train.vectors))
        sums = counts @ train.vectors.astype(np.float64)
        codes, unknown = train.distinct.inverse, labels < 0
        same = np.isin(codes, codes[labels == 0])
        some = self._drawn(len(train), context)
        clusters, strength = clustered(sums[some], self.config, context.seed)
        targets = np.where(unknown, np.nan, labels)
        targets[some] = guessed(clusters, strength, labels[some], same[some])
        self.guesses = {
            "clusters": int(clusters.max(initial=-1)) + 1,
            "noise": int((clusters < 0).sum()),
            "guessed_normal": int((targets[unknown] < 0.5).sum()),
            "guessed_anomalous": int((targets[unknown] >= 0.5).sum()),
        }
        return targets
