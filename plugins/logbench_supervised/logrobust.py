"""LogRobust (Zhang et al., ESEC/FSE 2019): what events say, so that new wordings stay readable.

Shapes in comments: B rows, L events, W columns of a vector, H hidden units.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .of_vectors import VectorClassifier, states_of, weighed
from .options import LogRobustConfig


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
        states, there = states_of(self.lstm, steps, there)  # [B, L, H]
        told = states.new_zeros(there.shape)
        if self.weigh is not None:
            told = torch.tanh(self.weigh(states)).squeeze(2)
        answer: Tensor = self.output(self.dropout(weighed(states, told, there)))
        return answer


class LogRobust(VectorClassifier[LogRobustConfig]):
    """Scores a unit by the probability of an anomaly.

    A known event has the vector of its template, an unknown one that of its message, by the embedding of the run.
    The paper's word vectors (FastText, 300 columns) are another download.
    """

    name = "logrobust"
    fixed = ("variant", "attend", "hidden", "layers")

    @property
    def spare(self) -> int | None:
        """Without attention the last step decides, filled up or not."""
        return 0 if self.config.variant == "attention" else None

    def build(self, keys: int) -> Network:
        return Network(self.width, self.config)
