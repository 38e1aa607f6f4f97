"""Gradient checkpointing of long histories: what a step keeps for its backward pass, and that gradients stay."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from logbench.torch import new_network

from ..network import Network

if TYPE_CHECKING:
    from logbench import Context, Sessions

    from ..model import DeepLog

# A history so long that memory counts, and rows of a step.
HISTORY, ROWS = 200, 128


def checkpointed(network: Network, histories: Tensor, pieces: int) -> Tensor:
    """Logits float [B, K] of histories int64 [B, h]: states inside a piece are computed again for gradients.

    Chen et al. (2016, arXiv 1604.06174): √h pieces keep about 2 √h steps in place of h.
    """
    state: tuple[Tensor, Tensor] | None = None
    last = torch.empty(0)

    def piece(keys: Tensor, *before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states, (hidden, memory) = network.lstm(network.encode(keys), before or None)
        return states[:, -1], hidden, memory

    for keys in histories.chunk(pieces, 1):
        last, *after = checkpoint(piece, keys, *(state or ()), use_reentrant=False)
        state = after[0], after[1]
    answer: Tensor = network.output(last)
    return answer


def saved_for_backward(model: DeepLog, train: Sessions, context: Context) -> dict[str, Any]:
    """The rung: MB that one step holds without and with it, seconds of a step, and how far gradients differ.

    With it, these are what is kept at the ends of pieces, and one piece, while its states are computed again.
    """
    network = new_network(lambda: Network(model.keys, model.config), context.seed, context.device).train()
    keys = torch.from_numpy(train.clipped_keys.astype("int64")).clamp(max=model.keys - 1)
    keys = keys.repeat(-(-ROWS * (HISTORY + 1) // len(keys)))[: ROWS * (HISTORY + 1)]
    windows = keys.reshape(ROWS, -1).to(context.device)
    pieces = round(HISTORY**0.5)
    whole = _step(network, windows, network)
    piece = _step(network, windows[:, -1 - -(-HISTORY // pieces) :], network)
    less = _step(network, windows, lambda histories: checkpointed(network, histories, pieces))
    away = max(float((a - b).abs().max()) for a, b in zip(whole[2], less[2], strict=True))
    return {
        "name": "gradient checkpointing",
        "skipped": "",
        "training": {
            "history": HISTORY,
            "rows": ROWS,
            "kept_mb": [whole[0], less[0] + piece[0]],
            "seconds": [whole[1], less[1]],
            "largest_gradient_difference": away,
        },
        "note": f"training alone, h {HISTORY}: holds {whole[0]:.1f} → {less[0] + piece[0]:.1f} MB in a step of "
        f"{ROWS} rows, "
        f"{less[1] / whole[1]:.1f} × the time; gradients within {away:.0e}, so no verdict changes",
    }


def _step(
    network: Network, windows: Tensor, forward: Callable[[Tensor], Tensor]
) -> tuple[float, float, list[Tensor]]:
    """MB kept for the backward pass, seconds, and gradients of one step."""
    kept: dict[int, int] = {}
    weights = {one.untyped_storage().data_ptr() for one in network.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    network.zero_grad()
    began = time.perf_counter()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = F.cross_entropy(forward(windows[:, :-1]), windows[:, -1])
    loss.backward()  # type: ignore[no-untyped-call]
    took = time.perf_counter() - began
    gradients = [one.grad.clone() for one in network.parameters() if one.grad is not None]
    return sum(kept.values()) / 1e6, took, gradients
