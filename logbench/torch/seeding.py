"""Random numbers from a seed, with torch's global random state put back afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed what torch draws within, on the CPU and on `device`: dropout, masks, new weights.

    Torch's global random state is put back afterwards (on MPS only that of the CPU).

    Examples:
        >>> with seeded(3):
        ...     first = torch.rand(2)
        >>> with seeded(3):
        ...     print(torch.equal(first, torch.rand(2)))
        True
    """
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if device == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device == "cuda":
            torch.cuda.manual_seed(seed)
        elif device == "mps":
            torch.mps.manual_seed(seed)  # not put back: torch forks no state of MPS
        yield


def new_network(build: Callable[[], N], seed: int, device: str) -> N:
    """The network that `build` makes, with the same weights for a seed on every device.

    Global random state is kept.

    Example:

        network = new_network(lambda: nn.Linear(300, 2), context.seed, context.device)
    """
    with seeded(seed):
        network = build()
    return network.to(device)
