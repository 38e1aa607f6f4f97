"""The tables that `--set` and TOML files may name, and the class of options of each."""

from __future__ import annotations

from ..api.plan import Totals
from ..api.protocol import EvaluationProtocol
from .registry import KINDS, Registry


def option_classes(registry: Registry) -> dict[str, type]:
    """Table → dataclass of its options: `protocol`, `dataset`, and every component that has options."""
    own: dict[str, type] = {"protocol": EvaluationProtocol, "dataset": Totals}
    entries = (pair for kind in KINDS for pair in registry.components[kind].items())
    return own | {name: entry.item.config for name, entry in entries if entry.item.config}
