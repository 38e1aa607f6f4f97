"""A network of one hidden layer over counts of keys (SLFN of LightAD: Yu et al., ICSE 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from logbench.torch import Classifier, count_rows

from .options import MlpConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logbench import Sessions


class Mlp(Classifier[MlpConfig]):
    """Scores a unit by the probability of an anomaly, from how often each key occurs; unseen keys are one more."""

    name = "mlp"
    fixed = ("hidden",)

    def rows(self, sessions: Sessions) -> NDArray[np.float32]:
        return count_rows(sessions)

    def build(self, keys: int) -> nn.Module:
        hidden = self.config.hidden
        return nn.Sequential(nn.Linear(keys + 1, hidden), nn.ReLU(), nn.Linear(hidden, 1))
