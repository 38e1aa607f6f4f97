"""DeepLog as a next-key model: fit, score, expected, save and load come from `logbench.torch`."""

from __future__ import annotations

from logbench.torch import NextKeyModel

from .network import Network
from .options import DeepLogConfig


class DeepLog(NextKeyModel[DeepLogConfig]):
    """Scores a unit by the worst rank of a key that came: it alarms where that exceeds `g`."""

    name = "deeplog"
    fixed = ("layers", "hidden", "input", "embedding")

    def build(self, keys: int) -> Network:
        return Network(keys, self.config)
