"""LogRobust (Zhang et al., ESEC/FSE 2019): what events say, so that new wordings stay readable.

Shapes in comments: B rows, L events, W columns of a vector, H hidden units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .of_vectors import VectorClassifier, lengths_of
from .options import LogRobustConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Network(nn.Module):
    """`attention`: an LSTM of both directions, whose steps are summed by weights that sum to 1 over the events;
    with attend=mean these are equal.

    `logdeep`: one direction, and the last step of the row decides, filled up or not, as published.
    """

    def __init__(self, width: int, config: LogRobustConfig) -> None:
        super().__init__()
        self.attends = config.variant == "attention"
        both = 2 if self.attends else 1
        self.lstm = nn.LSTM(width, config.hidden, config.layers, batch_first=True, bidirectional=self.attends)
        learnt = self.attends and config.attend == "learnt"
        self.weigh = nn.Linear(both * config.hidden, 1, bias=False) if learnt else None
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(both * config.hidden, 2)

    def forward(self, steps: Tensor, there: Tensor) -> Tensor:
        """Logits float [B, 2] of normal and anomalous, of vectors float [B, L, W].

        Args:
            there: bool [B, L], False for what fills up the end.
        """
        if not self.attends:
            last: Tensor = self.output(self.lstm(steps)[0][:, -1])
            return last
        lengths = there.sum(1).clamp(min=1)
        there = there[:, : int(lengths.max())]
        packed = nn.utils.rnn.pack_padded_sequence(steps, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)  # [B, L, H]
        told = states.new_zeros(there.shape)
        if self.weigh is not None:
            told = torch.tanh(self.weigh(states)).squeeze(2)
        weights = told.masked_fill(~there, -torch.inf).softmax(1)  # [B, L]
        summary = (weights.unsqueeze(2) * states).sum(1)  # [B, H]
        answer: Tensor = self.output(self.dropout(summary))
        return answer


class LogRobust(VectorClassifier[LogRobustConfig]):
    """Scores a unit by the probability of an anomaly.

    A known event has the vector of its template, an unknown one that of its message, by the embedding of the run.
    The paper's word vectors (FastText, 300 columns) are another download.
    """

    name = "logrobust"
    fixed = ("variant", "attend", "hidden", "layers")

    def build(self, keys: int) -> Network:
        return Network(self.width, self.config)

    def lengths(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        return lengths_of(rows)
