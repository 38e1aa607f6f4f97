"""LogAnomaly (Meng et al., IJCAI 2019): what a template says and how often it came, together.

Shapes in comments: B rows, h keys of history, K known keys, W columns of a vector, H hidden units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench import IncompatibleError
from logbench.torch import NextKeyModel, key_vectors, looks_up, running_counts, states_of_columns

from .options import LogAnomalyConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logbench import Sessions


class Network(nn.Module):
    """One LSTM reads the vectors of templates, another the counts of keys so far; both last states guess.

    As in the published implementations there is no attention. An unknown key and, with pad, the start are zero
    vectors and are not counted. Vectors are those of the run's embedding, brought to length 1: the paper's,
    trained on synonyms and antonyms, were never published.

    `variant = "logdeep"`: the first LSTM reads numbers of keys; the second reads the last counts, one key after
    the other, each a scalar. An unknown key has the number K, and the start −1.
    """

    vectors: Tensor

    def __init__(self, keys: int, width: int, config: LogAnomalyConfig) -> None:
        super().__init__()
        self.keys, self.counts, self.scalar = keys, config.counts, config.variant == "logdeep"
        numbers = torch.arange(keys + 2.0).where(torch.arange(keys + 2) <= keys, -1).unsqueeze(1)
        self.register_buffer("vectors", numbers if self.scalar else torch.zeros(keys + 2, width))
        self.meaning = nn.LSTM(self.vectors.shape[1], config.hidden, config.layers, batch_first=True)
        self.quantity = nn.LSTM(1 if self.scalar else keys, config.hidden, config.layers, batch_first=True)
        self.output = nn.Linear(2 * config.hidden, keys)

    def forward(self, histories: Tensor) -> Tensor:
        """Logits float [B, K] of the key that follows histories int64 [B, h]."""
        meaning, _ = self.meaning(self.vectors[histories])  # [B, h, H], of [B, h, W]
        if not self.scalar and looks_up(self.quantity, self.keys):
            counted = (histories < self.keys) & self.counts
            quantity = states_of_columns(self.quantity, histories.where(counted, -1), summed=True)
        else:
            counts = running_counts(histories, self.keys + 2, self.vectors.dtype)[..., : self.keys]  # [B, h, K]
            counts = counts if self.counts else torch.zeros_like(counts)
            quantity, _ = self.quantity(counts[:, -1].unsqueeze(2) if self.scalar else counts)  # [B, h or K, H]
        answer: Tensor = self.output(torch.cat([meaning[:, -1], quantity[:, -1]], 1))
        return answer


class LogAnomaly(NextKeyModel[LogAnomalyConfig]):
    """Scores a unit by the worst rank of a key that came: it alarms where that exceeds `g`."""

    name = "loganomaly"
    fixed = ("variant", "layers", "hidden", "counts")

    def build(self, keys: int) -> Network:
        if self.config.variant == "vectors" and not self.width:
            raise IncompatibleError(
                f"{self.name} reads vectors of templates, and these data have only keys; "
                f"set {self.name}.variant=logdeep"
            )
        return Network(keys, self.width, self.config)

    def prepare(self, network: nn.Module, train: Sessions) -> None:
        """Give the network the vectors of the training keys; one that many keys share says nothing."""
        if self.config.variant == "logdeep":
            return
        vectors = F.normalize(torch.from_numpy(key_vectors(train)))
        network.get_buffer("vectors")[: self.keys] = vectors
        if self.places is not None:
            network.get_buffer("vectors")[self.keys - 1] = 0

    def _saved_config(self, facts: Mapping[str, Any]) -> LogAnomalyConfig:
        return super()._saved_config({"variant": "vectors", **facts})  # saved before there was the choice
