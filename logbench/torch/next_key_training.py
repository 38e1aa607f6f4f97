"""Training a network that guesses the next key: its windows, its loss, its validation."""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..base.errors import ConfigError, IncompatibleError, PluginError
from .batches import BruteBatches, DistinctBatches
from .forward import logits_of
from .training import fit_network
from .window_scores import score_distinct

if TYPE_CHECKING:
    from ..api.contracts import Context
    from ..data.histories import Histories
    from ..data.sessions import Sessions
    from .options import NextKeyConfig


@torch.no_grad()
def check_network(network: nn.Module, h: int, keys: int, name: str) -> None:
    """Run one history through a copy in double precision, as scoring does where logits nearly tie.

    Raises:
        PluginError: the logits are not float64 [1, keys].
    """
    double = copy.deepcopy(network).to("cpu", torch.float64).eval()
    advice = f"{name}: scoring runs the network in double precision, too; make its inputs of its weights' dtype"
    try:
        logits = double(torch.zeros(1, h, dtype=torch.int64))
    except (RuntimeError, ValueError) as error:
        error.add_note(advice)
        raise
    if logits.dtype != torch.float64:
        raise PluginError(f"{advice}: logits are {logits.dtype}")
    if logits.shape != (1, keys):
        raise PluginError(
            f"{name}: the network gives logits {list(logits.shape)} of one history, expected [1, {keys}]: "
            "one for each known key"
        )


def weighted_loss(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Sum of weight × cross entropy of the last key of windows int64 [B, h + 1], given the rest; a scalar.

    Args:
        batch: the windows, and their weights float [B].
    """
    windows, weights = batch
    losses = F.cross_entropy(logits_of(network, windows[:, :-1]), windows[:, -1], reduction="none")
    return (losses * weights).sum()


def training_batches(
    sessions: Sessions, config: NextKeyConfig, seed: int, device: str, name: str
) -> DistinctBatches | BruteBatches:
    """The batches that `config` asks for; an error names the options of the model `name`.

    Raises:
        IncompatibleError: no window to train on.
    """
    histories = sessions.histories(config.h, config.pad)
    kind = DistinctBatches if config.dedup else BruteBatches
    batches = kind(histories, config, seed, device)
    if not batches.windows:
        units = f"{len(sessions):,} training unit{'s' * (len(sessions) != 1)}"
        raise IncompatibleError(
            f"none of the {units} has more than h = {config.h} events; "
            f"set {name}.h lower, {name}.pad=true, or train on longer units"
        )
    return batches


def train_next_key(
    network: nn.Module, sessions: Sessions, context: Context, config: NextKeyConfig, name: str
) -> dict[str, Any]:
    """Train `network` until `config.stop` says so; facts for the record.

    Args:
        network: histories int64 [B, h] → logits float [B, K] of the K known keys, on `context.device`.
        name: of the model, as errors name its options.

    Raises:
        IncompatibleError: no window to train on.
        ConfigError: stop=validation without held-out windows, or a loss that is no number any more.
    """
    batches = training_batches(sessions, config, context.seed, context.device, name)
    held = None if context.held_out is None else context.held_out.histories(config.h, config.pad)
    validate = partial(mean_loss, network, held, context, config) if held and len(held) else None
    if config.stop == "validation" and validate is None:
        raise ConfigError(
            f"{name}.stop=validation needs held-out units with windows; set protocol.held_out higher"
        )
    facts = fit_network(network, batches, partial(weighted_loss, network), context, config, name, validate)
    return {"windows": batches.windows, "distinct": batches.distinct, **facts}


def mean_loss(network: nn.Module, histories: Histories, context: Context, config: NextKeyConfig) -> float:
    """Mean cross entropy over the windows whose next key is known, each counted as often as it occurs."""
    found = score_distinct(network, histories, config, context)
    counts = histories.distinct.counts * (found.rank <= histories.vocabulary)
    if not counts.any():
        return math.inf
    return float((found.nll.astype(float)[counts > 0] * counts[counts > 0]).sum() / counts.sum())
