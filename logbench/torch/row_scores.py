"""One number a row by a network: in batches that fit, and the same whatever else is in the batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from ..base.errors import PluginError
from .batch_size import fastest_batch, in_batches
from .batches import to_device
from .precision import Precision, full_fp32
from .threads import threads_for
from .throttled_progress import ThrottledProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Context
    from .options import TrainingConfig


def _checked(score: Callable[..., Tensor], network: nn.Module, batch: Sequence[Tensor]) -> Tensor:
    try:
        return score(network, *batch)
    except RuntimeError as error:
        if not isinstance(error, torch.cuda.OutOfMemoryError) and "double" in str(error).lower():
            raise PluginError(
                f"the network cannot score in double precision ({str(error).splitlines()[0]}): take the dtype of "
                "its weights instead of .float(), or set double = False"
            ) from error
        raise


def scoring_device(device: str, double: bool) -> str:
    """Where `score_rows` runs the network: on the CPU instead of MPS, which has no double precision."""
    return "cpu" if double and device == "mps" else device


@torch.inference_mode()
def score_rows(
    network: nn.Module,
    columns: Sequence[NDArray[np.generic]],
    score: Callable[..., Tensor],
    config: TrainingConfig,
    context: Context,
    *,
    double: bool = True,
) -> tuple[NDArray[np.float32], int]:
    """One number a row, float32 [rows], and the batch size that fitted.

    In single precision the last bits of a network's answer depend on the size of the batch. A threshold is often
    the score of a held-out unit, so that equal units would alarm or not by chance. So a copy of the network in
    double precision answers, and its numbers are rounded.

    Args:
        network: in evaluation mode, on `context.device`.
        columns: arrays [rows, …] of one length, as `RowBatches` takes them.
        score: `score(network, *columns of the batch)` gives a tensor [rows of the batch]. It must run the network
            that it gets, whose parameters are float64 by default.
        config: `eval_batch` and, without `double`, `eval_amp` are used.
        double: False: the network itself answers, in mixed precision where `eval_amp` says so.

    Example:

        def error(network, rows):
            return (network(rows) - rows).square().mean(1)

        errors, batch = score_rows(network, [counts], error, config, context)
    """
    rows, device = len(columns[0]), scoring_device(context.device, double)
    if double:
        network = copy.deepcopy(network).to(device, torch.float64)
    precision = Precision.of("off" if double else config.eval_amp, device)
    progress = ThrottledProgress(context.progress, rows)

    def work(begin: int, end: int) -> tuple[Tensor, ...]:
        batch = [to_device(column[begin:end], device) for column in columns]
        with threads_for(end - begin, device), precision.autocast():
            answer = _checked(score, network, batch) if double else score(network, *batch)
        progress(end)
        return (answer.float(),)

    with full_fp32():
        size = config.eval_batch
        if size == "auto":
            size = fastest_batch(rows, work, device)
        parts, size = in_batches(rows, size, work, context.note)
    return (parts[0].cpu().numpy() if parts else np.empty(0, dtype=np.float32)), size
