"""Training, scoring and saving for deep models that guess the next key.

A torch module, options and sessions come in, scores of units and facts for the record go out; imports `api` and
what is below, and no other room imports it. Plugins may; but which of its names are public, and stay as they
are, is not decided yet. Names load on first use, so that options can be listed without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batch_size import fastest_batch, in_batches
    from .batches import Batch, BruteBatches, DistinctBatches, RowBatches, to_device
    from .forward import SharedForward, SharesPrefixes, logits_of, shared_forward
    from .next_key_model import NextKeyModel
    from .next_key_training import mean_loss, train, training_batches, weighted_loss
    from .options import Amp, NextKeyConfig, TrainingConfig
    from .per_unit import worst_per_unit
    from .precision import Precision, full_fp32
    from .saving import load_network, save_network
    from .seeding import new_network, seeded
    from .shared_prefix_lstm import SharedPrefixLSTM, sort_windows
    from .threads import threads_for
    from .throttled_progress import ThrottledProgress
    from .training import Batches, Trainer, fit_network, total_steps
    from .window_scores import WindowScores, score_distinct, score_windows

_LAZY = {
    **dict.fromkeys(("fastest_batch", "in_batches"), "batch_size"),
    **dict.fromkeys(("Batch", "BruteBatches", "DistinctBatches", "RowBatches", "to_device"), "batches"),
    **dict.fromkeys(("SharedForward", "SharesPrefixes", "logits_of", "shared_forward"), "forward"),
    "NextKeyModel": "next_key_model",
    **dict.fromkeys(("Amp", "NextKeyConfig", "TrainingConfig"), "options"),
    "worst_per_unit": "per_unit",
    **dict.fromkeys(("Precision", "full_fp32"), "precision"),
    **dict.fromkeys(("load_network", "save_network"), "saving"),
    **dict.fromkeys(("SharedPrefixLSTM", "sort_windows"), "shared_prefix_lstm"),
    "threads_for": "threads",
    "ThrottledProgress": "throttled_progress",
    **dict.fromkeys(("Batches", "Trainer", "fit_network", "total_steps"), "training"),
    **dict.fromkeys(("mean_loss", "train", "training_batches", "weighted_loss"), "next_key_training"),
    **dict.fromkeys(("new_network", "seeded"), "seeding"),
    **dict.fromkeys(("WindowScores", "score_distinct", "score_windows"), "window_scores"),
}
__all__ = [
    "Amp",
    "Batch",
    "Batches",
    "BruteBatches",
    "DistinctBatches",
    "NextKeyConfig",
    "NextKeyModel",
    "Precision",
    "RowBatches",
    "SharedForward",
    "SharedPrefixLSTM",
    "SharesPrefixes",
    "ThrottledProgress",
    "Trainer",
    "TrainingConfig",
    "WindowScores",
    "fastest_batch",
    "fit_network",
    "full_fp32",
    "in_batches",
    "load_network",
    "logits_of",
    "mean_loss",
    "new_network",
    "save_network",
    "score_distinct",
    "score_windows",
    "seeded",
    "shared_forward",
    "sort_windows",
    "threads_for",
    "to_device",
    "total_steps",
    "train",
    "training_batches",
    "weighted_loss",
    "worst_per_unit",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'logbench.torch' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value
