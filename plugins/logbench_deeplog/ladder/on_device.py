"""Evaluation that leaves the device only with its verdicts: windows made distinct there, or one graph replayed.

Shapes in comments: N windows, D distinct ones, h keys of history, U units.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from logbench import Histories
from logbench.torch import full_fp32, logits_of, threads_for, to_device

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logbench import Sessions

    from .naive_evaluation import Evaluation

# Makes a replay of a piece of work: what it wrote last, the replay writes again, from what its inputs hold then.
Capture = Callable[[Callable[[], Tensor]], tuple[Tensor, Callable[[], Any]]]


def distinct_windows(keys: Tensor, starts: Tensor, width: int, codes: int) -> tuple[Tensor, Tensor]:
    """Distinct windows int64 [D, width], and the number of each window's own, int64 [N]; both on the device.

    Args:
        keys: integers [events] from 0 to `codes` − 1. starts: int64 [N], where windows of `width` keys begin.

    Examples:
        >>> distinct_windows(torch.tensor([0, 1, 0, 1]), torch.tensor([0, 1, 2]), 2, 2)
        (tensor([[0, 1],
                [1, 0]]), tensor([0, 1, 0]))
    """
    if codes**width >= 2**63:  # a window is no number then: compare its keys
        rows = keys[starts[:, None] + torch.arange(width, device=keys.device)].long()
        found, inverse = torch.unique(rows, dim=0, return_inverse=True)
        return found, inverse
    number = torch.zeros(len(starts), dtype=torch.int64, device=keys.device)
    for place in range(width):
        number = number * codes + keys[starts + place]
    found, inverse = torch.unique(number, return_inverse=True)
    powers = codes ** torch.arange(width - 1, -1, -1, device=keys.device)
    return found[:, None] // powers % codes, inverse


@torch.inference_mode()
def verdicts_on_device(evaluation: Evaluation, sessions: Sessions) -> NDArray[np.bool_]:
    """Verdicts on units, bool [U]: gather, distinct windows, network and the worst of each unit on the device."""
    device, config = evaluation.context.device, evaluation.config
    histories = Histories.of(sessions, config.h, config.pad)
    keys, starts = to_device(histories.keys, device), to_device(histories.starts, device)
    codes = histories.vocabulary + (2 if histories.padded else 1)
    windows, inverse = distinct_windows(keys, starts, config.h + 1, codes)  # [D, h + 1], [N]
    batch = config.eval_batch if isinstance(config.eval_batch, int) else 512
    with full_fp32(), threads_for(batch, device):
        parts = [_alarms(evaluation, windows[at : at + batch]) for at in range(0, len(windows), batch)]
    alarms = torch.cat([torch.empty(0, dtype=torch.bool, device=device), *parts])[inverse]  # [N]
    before = torch.cat([alarms.new_zeros(1, dtype=torch.int64), alarms.cumsum(0)])  # [N + 1]
    bounds = before[to_device(histories.offsets, device)]  # [U + 1]
    verdicts: NDArray[np.bool_] = (bounds[1:] > bounds[:-1]).cpu().numpy()
    return verdicts


def _alarms(evaluation: Evaluation, rows: Tensor) -> Tensor:
    """Alarms bool [B] of windows [B, h + 1]: a tie counts against the key that came, an unknown key alarms."""
    logits, came = logits_of(evaluation.network, rows[:, :-1]).float(), rows[:, -1]
    own = logits.gather(1, came.clamp(max=logits.shape[1] - 1)[:, None])
    return ((logits >= own).sum(1) > evaluation.config.g) | (came >= logits.shape[1])


def cuda_graph(work: Callable[[], Tensor]) -> tuple[Tensor, Callable[[], Any]]:
    """Capture the kernels of `work` once, so that a replay is one launch; gives its output and the replay."""
    # A capture must not see what libraries set up at their first call.
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = work()
    return out, graph.replay


class Replayed(nn.Module):
    """A network whose forward of one batch size is captured and replayed; fewer rows fill only its beginning."""

    @torch.inference_mode()
    def __init__(self, network: nn.Module, batch: int, h: int, capture: Capture = cuda_graph) -> None:
        super().__init__()
        self.network = network
        self.into = torch.zeros(batch, h, dtype=torch.int64, device=next(network.parameters()).device)
        self.out, self.replay = capture(lambda: network(self.into))

    def forward(self, histories: Tensor) -> Tensor:
        """Logits float [B, K] of histories int64 [B, h], B at most the batch that was captured."""
        self.into[: len(histories)] = histories
        self.replay()
        return self.out[: len(histories)].clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> nn.Module:
        """The network itself, as a graph cannot be copied: near ties are settled by it on the CPU."""
        return copy.deepcopy(self.network, memo)
