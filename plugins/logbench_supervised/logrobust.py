"""LogRobust (Zhang et al., ESEC/FSE 2019): what events say, so that new wordings stay readable.

Shapes in comments: B rows, L events, W columns of a text's vector, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench.torch import SequenceClassifier, TextVectors, padded

from .options import LogRobustConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Sessions


class Network(nn.Module):
    """`attention`: an LSTM of both directions, whose steps are summed by weights that sum to 1 over the events;
    with attend=mean these are equal.

    `logdeep`: one direction, and the last step of the row decides, filled up or not, as published.
    """

    words: Tensor

    def __init__(self, config: LogRobustConfig) -> None:
        super().__init__()
        self.attends = config.variant == "attention"
        self.register_buffer("words", torch.ones(config.width))  # how much a word says
        both = 2 if self.attends else 1
        self.lstm = nn.LSTM(
            config.width, config.hidden, config.layers, batch_first=True, bidirectional=self.attends
        )
        learnt = self.attends and config.attend == "learnt"
        self.weigh = nn.Linear(both * config.hidden, 1, bias=False) if learnt else None
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(both * config.hidden, 2)

    def forward(self, steps: Tensor, there: Tensor) -> Tensor:
        """Logits float [B, 2] of normal and anomalous, of words float [B, L, W].

        Args:
            there: float [B, L], 1 for an event and 0 for what fills up the end.
        """
        steps = F.normalize(steps * self.words, dim=2)
        if not self.attends:
            last: Tensor = self.output(self.lstm(steps)[0][:, -1])
            return last
        lengths = there.sum(1).long().clamp(min=1)
        packed = nn.utils.rnn.pack_padded_sequence(steps, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=steps.shape[1]
        )  # [B, L, H]
        told = torch.zeros_like(there) if self.weigh is None else torch.tanh(self.weigh(states)).squeeze(2)
        weights = told.masked_fill(there == 0, -torch.inf).softmax(1)  # [B, L]
        summary = (weights.unsqueeze(2) * states).sum(1)  # [B, H]
        answer: Tensor = self.output(self.dropout(summary))
        return answer


class LogRobust(SequenceClassifier[LogRobustConfig]):
    """Scores a unit by the probability of an anomaly.

    A known event has the vector of its template, an unknown one that of its text: TF-IDF of words, weighted as the
    training templates say. The paper's word vectors are another download.
    """

    name = "logrobust"
    fixed = ("variant", "attend", "hidden", "layers", "width")
    keys_only = False

    def build(self, keys: int) -> Network:
        return Network(self.config)

    def prepare(self, network: nn.Module, train: Sessions) -> None:
        """Weigh words by how few training templates have them."""
        weights = TextVectors.fit(train.templates, self.config.width).weights
        network.get_buffer("words").copy_(torch.from_numpy(weights))

    def rows(self, sessions: Sessions) -> NDArray[np.int32]:
        """Places of events in the table of `encoder`, int32 [units, length]."""
        assert sessions.text_ids is not None and sessions.texts is not None
        fill = sessions.vocabulary
        places = np.where(sessions.keys < fill, sessions.keys, fill + 1 + sessions.text_ids).astype(np.int32)
        known = fill + 1 + len(sessions.texts)
        rows = padded(replace(sessions, keys=places, vocabulary=known), self.config.length, self.config.keep)
        return np.where(rows > known, np.int32(fill), rows)

    def encoder(self, sessions: Sessions, device: str) -> Callable[[Tensor], tuple[Tensor, ...]]:
        """Words float [B, L, W] of a batch of rows, not yet weighted, and which events are there, float [B, L]."""
        assert sessions.texts is not None
        words, fill = TextVectors(np.ones(self.config.width, np.float32)), sessions.vocabulary
        nothing = np.zeros((1, self.config.width), np.float32)
        vectors = np.concatenate([words.of(sessions.templates), nothing, words.of(sessions.texts)])
        table = torch.from_numpy(vectors).to(device)
        return lambda rows: (table[rows], (rows != fill).to(table.dtype))
