"""Training a network on the rows of units, each distinct one weighted by the units that have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..base.errors import IncompatibleError
from ..base.progress import silent
from .batches import RowBatches
from .row_scores import score_rows
from .training import fit_network, total_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Context
    from .options import TrainingConfig
    from .schedules import Optimiser, Schedule

# A batch of rows → the arguments of the network.
Encode = Callable[[Tensor], tuple[Tensor, ...]]
# The network and a batch of columns → the loss of each row, float [rows].
Losses = Callable[..., Tensor]
# The network and the number of steps → optimiser and schedule, None for those of `fit_network`.
MakeOptimiser = Callable[[nn.Module, int], "tuple[Optimiser | None, Schedule | None]"]


@dataclass(frozen=True)
class Part:
    """Distinct rows to train on, or to validate on.

    Attributes:
        columns: arrays [rows, …] that `losses` takes: the rows, and what else it needs.
        counts: int64 [rows], units that have each.
        losses: loss of each row of a batch.
    """

    columns: Sequence[NDArray[Any]]
    counts: NDArray[np.int64]
    losses: Losses


def arguments_of(network: nn.Module, encode: Encode, rows: Tensor) -> tuple[Tensor, ...]:
    """The network's arguments: integers are int64, floats of the type of its parameters."""
    dtype = next((one.dtype for one in network.parameters()), torch.get_default_dtype())

    def typed(one: Tensor) -> Tensor:
        return one.to(dtype) if one.is_floating_point() else one if one.dtype == torch.bool else one.long()

    return tuple(typed(one) for one in encode(typed(rows)))


def train_rows(
    network: nn.Module,
    train: Part,
    held: Part | None,
    context: Context,
    config: TrainingConfig,
    name: str,
    make_optimiser: MakeOptimiser,
) -> dict[str, Any]:
    """Train `network` until `config.stop` says so; facts for the record.

    Raises:
        IncompatibleError: nothing to train on, or stop=validation without anything held out.
        ConfigError: see `fit_network`.
    """
    if not len(train.counts):
        raise IncompatibleError(f"{name}: no training unit has events")
    held = held if held and len(held.counts) else None
    if config.stop == "validation" and held is None:
        raise IncompatibleError(
            f"{name}.stop=validation needs held-out units to validate on; set protocol.held_out higher"
        )
    batches = RowBatches(train.columns, config.batch, context.seed, context.device, train.counts)

    def loss(batch: tuple[Tensor, ...]) -> Tensor:
        *columns, weights = batch
        return (train.losses(network, *columns) * weights).sum()

    validate = None if held is None else lambda: mean_loss(network, held, context, config)
    optimiser, schedule = make_optimiser(network, total_steps(batches, config))
    facts = fit_network(
        network, batches, loss, context, config, name, validate, optimiser=optimiser, schedule=schedule
    )
    return {"distinct": len(train.counts), **facts}


def check_double(network: nn.Module, part: Part, context: Context, config: TrainingConfig) -> None:
    """Run two rows through a copy in double precision, as scoring does, so that it does not fail after training.

    Raises:
        PluginError: the network cannot.
    """
    if context.device != "mps":  # where arguments are not on the CPU, which alone has double precision
        score_rows(network.eval(), [column[:2] for column in part.columns], part.losses, config, context)


def mean_loss(network: nn.Module, part: Part, context: Context, config: TrainingConfig) -> float:
    """Mean loss over units."""
    quiet = replace(context, progress=silent)
    losses, _ = score_rows(network, part.columns, part.losses, config, quiet, double=False)
    return float((losses.astype(np.float64) * part.counts).sum() / part.counts.sum())
