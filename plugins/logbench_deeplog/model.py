"""DeepLog as a next-key model: fit, score, expected, save and load come from `logbench.torch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logbench.torch import NextKeyModel

from .network import Network
from .options import DeepLogConfig

if TYPE_CHECKING:
    from collections.abc import Mapping


class DeepLog(NextKeyModel[DeepLogConfig]):
    """Scores a unit by the worst rank of a key that came: it alarms where that exceeds `g`."""

    name = "deeplog"
    fixed = ("variant", "layers", "hidden", "input", "embedding")

    def build(self, keys: int) -> Network:
        return Network(keys, self.config)

    def _saved_config(self, facts: Mapping[str, Any]) -> DeepLogConfig:
        return super()._saved_config({"variant": "paper", **facts})  # saved before there was the choice
