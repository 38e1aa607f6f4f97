"""A network of one hidden layer over counts of keys (SLFN of LightAD: Yu et al., ICSE 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from logbench.torch import Classifier, count_rows

from .options import MlpConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logbench import Sessions


class Mlp(Classifier[MlpConfig]):
    """Scores a unit by the probability of an anomaly, from how often each known key occurs."""

    name = "mlp"
    fixed = ("hidden",)

    def rows(self, sessions: Sessions) -> NDArray[np.float32]:
        return count_rows(sessions)

    def build(self, keys: int) -> nn.Module:
        first = nn.Linear(keys + 1, self.config.hidden)
        with torch.no_grad():
            first.weight[:, keys] = 0  # no training unit has an unknown key: it must not move scores by chance
        return nn.Sequential(first, nn.ReLU(), nn.Linear(self.config.hidden, 1))
