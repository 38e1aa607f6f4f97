"""A toolkit for deep models: training, scoring and saving, whole as a base class or in parts.

A torch module, options and sessions come in, scores of units and facts for the record go out; imports `api` and
what is below, and no other room imports it. Plugins may: the names of `__all__` are public, the others that load
from here belong to `NextKeyModel` and DeepLog's ladder and may change. Names load on first use, so that options
can be listed without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..data.rows import count_rows, events_beyond, padded, vector_rows
    from ..data.window_ranks import worst_per_unit
    from .adam import Adam, AdamW
    from .batch_size import fastest_batch, in_batches
    from .batches import Batch as Batch
    from .batches import BruteBatches as BruteBatches
    from .batches import DistinctBatches, RowBatches, to_device
    from .classifier import Classifier, SequenceClassifier
    from .column_lookup import looks_up as looks_up
    from .column_lookup import many as many
    from .column_lookup import states_of_columns as states_of_columns
    from .exporting import longest
    from .forward import SharedForward as SharedForward
    from .forward import SharesPrefixes
    from .forward import logits_of as logits_of
    from .forward import shared_forward as shared_forward
    from .network_model import NetworkModel
    from .next_key_model import NextKeyModel
    from .next_key_training import mean_loss as mean_loss
    from .next_key_training import training_batches as training_batches
    from .next_key_training import weighted_loss as weighted_loss
    from .options import Amp as Amp
    from .options import (
        ClassifierConfig,
        KeysConfig,
        NextKeyConfig,
        ReconstructionConfig,
        SequenceConfig,
        TrainingConfig,
        classifier_traits,
        next_key_traits,
        reconstruction_traits,
    )
    from .precision import Precision, full_fp32
    from .ranking import nll, ranks
    from .ranking import ranks_of as ranks_of
    from .reconstruction import Reconstruction
    from .recurrent import recurrent_states
    from .row_model import RowModel
    from .row_scores import score_rows
    from .saving import load_network, save_network
    from .schedules import FactorSchedule, Optimiser, Schedule
    from .seeding import new_network, seeded
    from .sequences import key_vectors, running_counts, vector_table
    from .shared_prefix_lstm import SharedPrefixLSTM
    from .shared_prefix_lstm import sort_windows as sort_windows
    from .threads import threads_for as threads_for
    from .throttled_progress import ThrottledProgress
    from .training import Batches, fit_network, total_steps
    from .training import Trainer as Trainer
    from .window_scores import WindowScores, score_distinct, score_windows

_MODULES = {
    ".data.rows": ("count_rows", "events_beyond", "padded", "vector_rows"),
    ".data.window_ranks": ("worst_per_unit",),
    "adam": ("Adam", "AdamW"),
    "batch_size": ("fastest_batch", "in_batches"),
    "batches": ("Batch", "BruteBatches", "DistinctBatches", "RowBatches", "to_device"),
    "column_lookup": ("looks_up", "many", "states_of_columns"),
    "classifier": ("Classifier", "SequenceClassifier"),
    "exporting": ("longest",),
    "forward": ("SharedForward", "SharesPrefixes", "logits_of", "shared_forward"),
    "network_model": ("NetworkModel",),
    "next_key_model": ("NextKeyModel",),
    "next_key_training": ("mean_loss", "training_batches", "weighted_loss"),
    "options": (
        "Amp",
        "ClassifierConfig",
        "KeysConfig",
        "NextKeyConfig",
        "ReconstructionConfig",
        "SequenceConfig",
        "TrainingConfig",
        "classifier_traits",
        "next_key_traits",
        "reconstruction_traits",
    ),
    "precision": ("Precision", "full_fp32"),
    "ranking": ("nll", "ranks", "ranks_of"),
    "reconstruction": ("Reconstruction",),
    "recurrent": ("recurrent_states",),
    "row_model": ("RowModel",),
    "row_scores": ("score_rows",),
    "saving": ("load_network", "save_network"),
    "schedules": ("FactorSchedule", "Optimiser", "Schedule"),
    "seeding": ("new_network", "seeded"),
    "sequences": ("key_vectors", "running_counts", "vector_table"),
    "shared_prefix_lstm": ("SharedPrefixLSTM", "sort_windows"),
    "threads": ("threads_for",),
    "throttled_progress": ("ThrottledProgress",),
    "training": ("Batches", "Trainer", "fit_network", "total_steps"),
    "window_scores": ("WindowScores", "score_distinct", "score_windows"),
}
_LAZY = {name: module for module, names in _MODULES.items() for name in names}
__all__ = [
    "Adam",
    "AdamW",
    "Batches",
    "Classifier",
    "ClassifierConfig",
    "DistinctBatches",
    "FactorSchedule",
    "KeysConfig",
    "NetworkModel",
    "NextKeyConfig",
    "NextKeyModel",
    "Optimiser",
    "Precision",
    "Reconstruction",
    "ReconstructionConfig",
    "RowBatches",
    "RowModel",
    "Schedule",
    "SequenceClassifier",
    "SequenceConfig",
    "SharedPrefixLSTM",
    "SharesPrefixes",
    "ThrottledProgress",
    "TrainingConfig",
    "WindowScores",
    "classifier_traits",
    "count_rows",
    "events_beyond",
    "fastest_batch",
    "fit_network",
    "full_fp32",
    "in_batches",
    "key_vectors",
    "load_network",
    "longest",
    "new_network",
    "next_key_traits",
    "nll",
    "padded",
    "ranks",
    "reconstruction_traits",
    "recurrent_states",
    "running_counts",
    "save_network",
    "score_distinct",
    "score_rows",
    "score_windows",
    "seeded",
    "to_device",
    "total_steps",
    "vector_rows",
    "vector_table",
    "worst_per_unit",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'logbench.torch' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
