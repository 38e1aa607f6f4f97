"""LogAnomaly (Meng et al., IJCAI 2019): what a template says and how often it came, together.

Shapes in comments: B rows, h keys of history, K known keys, W columns of a vector, H hidden units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from logbench.torch import NextKeyModel, TextVectors, running_counts

from .options import LogAnomalyConfig

if TYPE_CHECKING:
    from logbench import Sessions


class Network(nn.Module):
    """One LSTM reads the vectors of templates, another the counts of keys so far; both last states guess.

    As in the published implementations there is no attention. An unknown key and, with pad, the start are zero
    vectors and are not counted. Vectors are TF-IDF of words: the paper's, trained on synonyms and antonyms, were
    never published.
    """

    vectors: Tensor

    def __init__(self, keys: int, config: LogAnomalyConfig) -> None:
        super().__init__()
        self.keys, self.counts = keys, config.counts
        self.register_buffer("vectors", torch.zeros(keys + 2, config.width))
        self.meaning = nn.LSTM(config.width, config.hidden, config.layers, batch_first=True)
        self.quantity = nn.LSTM(keys, config.hidden, config.layers, batch_first=True)
        self.output = nn.Linear(2 * config.hidden, keys)

    def forward(self, histories: Tensor) -> Tensor:
        """Logits float [B, K] of the key that follows histories int64 [B, h]."""
        counts = running_counts(histories, self.keys + 2, self.vectors.dtype)[..., : self.keys]  # [B, h, K]
        counts = counts if self.counts else torch.zeros_like(counts)
        meaning, _ = self.meaning(self.vectors[histories])  # [B, h, H], of [B, h, W]
        quantity, _ = self.quantity(counts)  # [B, h, H]
        answer: Tensor = self.output(torch.cat([meaning[:, -1], quantity[:, -1]], 1))
        return answer


class LogAnomaly(NextKeyModel[LogAnomalyConfig]):
    """Scores a unit by the worst rank of a key that came: it alarms where that exceeds `g`."""

    name = "loganomaly"
    fixed = ("layers", "hidden", "width", "counts")

    def build(self, keys: int) -> Network:
        return Network(keys, self.config)

    def prepare(self, network: nn.Module, train: Sessions) -> None:
        """Give the network the vectors of the training templates."""
        vectors = TextVectors.fit(train.templates, self.config.width).of(train.templates)
        network.get_buffer("vectors")[: len(vectors)] = torch.from_numpy(vectors)
