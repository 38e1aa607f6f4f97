"""Ranks and log-probabilities of the keys that came, one forward a batch, for distinct windows or for all.

The rank of a key is 1 + the number of other known keys whose logit is at least its own: a tie counts against
it. Logits are fp32. Their last bits depend on the batch's shape, so where another key's logit lies within
`NEAR_TIE`, the window's rank is settled by the same network in double precision: then verdicts are identical
with and without deduplication and for any batch size.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from .batch_size import fastest_batch, in_batches
from .batches import to_device
from .forward import logits_of, shared_forward
from .precision import Precision, full_fp32
from .ranking import MOST_LOGITS, in_pieces, nll, own_values, ranks, trues
from .shared_prefix_lstm import sort_windows
from .threads import threads_for
from .throttled_progress import ThrottledProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Context
    from ..data.histories import Histories
    from .options import NextKeyConfig

# Logits so close are compared again in double precision: fp32 differs by about 1e-6 from batch to batch.
NEAR_TIE = 1e-4
# A verdict is near the boundary where a change of one logit by so much would turn it.
BOUNDARY = 1e-5

# Rows begin … end → logits float [rows, K] and the keys that came, int64 [rows].
Forward = Callable[[int, int], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class WindowScores:
    """Ranks and likelihoods of each window, or each distinct one.

    Attributes:
        rank: int32, of the key that came; K + 1 where it is unknown.
        nll: float32, its negative log-likelihood; +∞ where it is unknown.
        near: bool, its verdict at `g` is within `BOUNDARY`.
        batch: rows of a step.

    Example:

        alarms = score_windows(network, histories, config, context).rank > config.g
    """

    rank: NDArray[np.int32]
    nll: NDArray[np.float32]
    near: NDArray[np.bool_]
    batch: int


def judge(logits: Tensor, came: Tensor, margin: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Judge the keys that came, int64 [B], by logits [B, K].

    Returns rank int32, nll float32, and the lowest and highest rank int32 that logits off by `margin` could
    give; all [B].
    """

    def judged(logits: Tensor, came: Tensor) -> tuple[Tensor, ...]:
        logits = logits if logits.dtype == torch.float64 else logits.float()
        own, known = own_values(logits, came)
        bounds = trues(logits > own + margin) + 1, trues(logits >= own - margin)
        low, high = (torch.where(known, bound, logits.shape[1] + 1).int() for bound in bounds)
        return ranks(logits, came), nll(logits, came), low, high

    rank, losses, low, high = in_pieces(judged, logits, came)
    return rank, losses, low, high


@torch.inference_mode()
def score_windows(
    network: nn.Module, histories: Histories, config: NextKeyConfig, context: Context
) -> WindowScores:
    """Brute force: each window by itself, gathered on the device from the flat keys, by the plain network.

    Arguments and errors are those of `score_distinct`; the answer has a value a window, in flat order.

    Example:

        rank, event = worst_per_unit(score_windows(network, histories, config, context).rank, histories)
    """
    keys, starts = to_device(histories.keys, context.device), to_device(histories.starts, context.device)
    span = torch.arange(histories.h + 1, device=context.device)

    def forward(begin: int, end: int) -> tuple[Tensor, Tensor]:
        windows = keys[starts[begin:end, None] + span].long()
        return logits_of(network, windows[:, :-1]), windows[:, -1]

    return _score(network, (histories, np.arange(len(histories))), forward, config, context)


@torch.inference_mode()
def score_distinct(
    network: nn.Module, histories: Histories, config: NextKeyConfig, context: Context
) -> WindowScores:
    """Each distinct window once, sharing steps where they begin alike; ordered as `histories.distinct`.

    Args:
        network: histories int64 [B, h] → logits float [B, K], on `context.device`, in evaluation mode.
        config: `eval_batch`, `eval_amp` and `g` are used.

    Raises:
        torch.cuda.OutOfMemoryError: a single window does not fit.

    Example:

        scores = score_distinct(network, histories, config, context)
        ranks = scores.rank[histories.distinct.inverse]  # of each window
    """
    windows = distinct_windows(histories)
    order = sort_windows(windows)
    windows = windows[order]
    shared = shared_forward(network)
    held = to_device(windows, context.device)  # copied once, not at each step

    def forward(begin: int, end: int) -> tuple[Tensor, Tensor]:
        rows = held[begin:end].long()
        with threads_for(len(rows), context.device):
            logits, place = shared(rows[:, :-1])
            return logits[place], rows[:, -1]

    found = _score(network, (histories, histories.distinct.first[order]), forward, config, context)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return WindowScores(found.rank[back], found.nll[back], found.near[back], found.batch)


def distinct_windows(histories: Histories, chunk: int = 65_536) -> NDArray[np.int32] | NDArray[np.int16]:
    """Distinct windows [distinct, h + 1], int16 where keys fit; in chunks, as their index is 4 × as large."""
    first = histories.distinct.first
    dtype = np.int16 if histories.vocabulary < 2**15 - 2 else np.int32
    result = np.empty((len(first), histories.h + 1), dtype=dtype)
    for begin in range(0, len(first), chunk):
        result[begin : begin + chunk] = histories.windows(first[begin : begin + chunk])
    return result


def _score(
    network: nn.Module,
    windows: tuple[Histories, NDArray[np.int64]],
    forward: Forward,
    config: NextKeyConfig,
    context: Context,
) -> WindowScores:
    """Judge the given windows, by number; row r is the r-th of them, looked at again where it nearly ties."""
    histories, which = windows
    precision = Precision.of(config.eval_amp, context.device)
    progress = ThrottledProgress(context.progress, len(which))

    def work(begin: int, end: int) -> tuple[Tensor, ...]:
        with precision.autocast():
            logits, came = forward(begin, end)
        progress(end)
        with threads_for(len(came), context.device):
            return judge(logits, came, NEAR_TIE)

    with full_fp32():
        batch = config.eval_batch
        if batch == "auto":
            batch = fastest_batch(len(which), work, context.device)
        parts, batch = in_batches(len(which), batch, work, context.note)
    if not parts:
        return WindowScores(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, bool), batch)
    rank, losses, low, high = (part.cpu().numpy() for part in parts)
    near = np.zeros(len(rank), dtype=bool)
    if precision.kind == "off":
        rows = np.flatnonzero(low != high)
        rank[rows], near[rows] = _settle(network, histories, which[rows], config.g)
    return WindowScores(rank, losses, near, batch)


def _settle(
    network: nn.Module, histories: Histories, which: NDArray[np.int64], g: int, chunk: int = 4096
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Ranks int32 of the windows `which`, and where a verdict is near the boundary, in double precision."""
    settled, near = np.empty(len(which), dtype=np.int32), np.empty(len(which), dtype=bool)
    chunk = min(chunk, max(MOST_LOGITS // histories.vocabulary, 1)) if histories.vocabulary else chunk
    if len(which):
        double = copy.deepcopy(network).to("cpu", torch.float64)
    for begin in range(0, len(which), chunk):
        part = slice(begin, begin + chunk)
        windows = torch.from_numpy(histories.windows(which[part]).astype(np.int64))
        rank, _, low, high = judge(double(windows[:, :-1]), windows[:, -1], BOUNDARY)
        settled[part], near[part] = rank.numpy(), ((low <= g) & (high > g)).numpy()
    return settled, near
