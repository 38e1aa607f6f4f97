"""What processes that train one network together do at each step: share the rows, sum the gradients.

A loss is a sum over rows, so the sum of the gradients of all shares is the gradient of the whole batch (Li et al.,
PVLDB 2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import torch
from torch import Tensor, distributed

from ..base.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

B = TypeVar("B")


def place() -> tuple[int, int]:
    """Number of this process among those that train together, from 0, and how many they are; (0, 1) alone."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def share_of(batch: B, name: str) -> B:
    """This process's rows of a batch, a tuple of tensors [rows, …].

    Raises:
        ConfigError: it is none, so it cannot be shared.
    """
    rank, world = place()
    if world == 1:
        return batch
    if not isinstance(batch, tuple) or not all(isinstance(one, Tensor) and one.ndim for one in batch):
        raise ConfigError(f"{name}: its batches are no tuples of rows, so several devices cannot share them")
    return cast(B, tuple(one[rank::world] for one in batch))


def rows_of(batch: object) -> int:
    """Rows of a batch; 1 where that cannot be told."""
    return len(batch[0]) if isinstance(batch, tuple) and isinstance(batch[0], Tensor) else 1


def sum_gradients(network: nn.Module) -> None:
    """Make the gradients of this process the sum of those of all."""
    if place()[1] == 1:
        return
    trained = [one for one in network.parameters() if one.requires_grad]
    flat = torch.cat([(torch.zeros_like(one) if one.grad is None else one.grad).flatten() for one in trained])
    distributed.all_reduce(flat)
    parts = torch.split(flat, [one.numel() for one in trained])
    for parameter, part in zip(trained, parts, strict=True):
        parameter.grad = part.view_as(parameter).clone()


def total(value: Tensor) -> Tensor:
    """The sum of a value of all processes."""
    if place()[1] == 1:
        return value
    summed = value.detach().clone()
    distributed.all_reduce(summed)
    return summed


def agreed(value: float) -> float:
    """The first process's value, so that all stop at the same step."""
    if place()[1] == 1:
        return value
    told = torch.tensor([value], dtype=torch.float64, device="cuda" if _backend() == "nccl" else "cpu")
    distributed.broadcast(told, 0)
    return float(told)


def _backend() -> str:
    name: str = distributed.get_backend()
    return name
