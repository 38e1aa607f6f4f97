"""What training asks of an optimiser and of a schedule of its learning rate, and a schedule by a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Optimiser(Protocol):
    """What moves weights: `Adam`, `AdamW`, or any `torch.optim.Optimizer`.

    Example:

        optimiser: Optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    """

    param_groups: list[dict[str, Any]]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        ...

    def step(self) -> Any:
        """Move each parameter that has a gradient."""
        ...


class Schedule(Protocol):
    """What sets the learning rate: `FactorSchedule`, or any `torch.optim.lr_scheduler.LRScheduler`.

    Example:

        schedule: Schedule = FactorSchedule(optimiser, lambda step: 0.5 ** (step // 1000))
    """

    def step(self) -> None:
        """Set the learning rate of the next step."""
        ...


class FactorSchedule:
    """Learning rates as of `torch.optim.lr_scheduler.LambdaLR`, for our optimisers, too.

    Args:
        optimiser: its learning rates are multiplied.
        factor: number of steps so far → factor of the learning rates that the optimiser was made with.

    Examples:
        >>> import torch
        >>> from logbench.torch import Adam
        >>> optimiser = Adam(torch.nn.Linear(2, 1).parameters(), lr=0.1)
        >>> schedule = FactorSchedule(optimiser, lambda step: 0.5**step)
        >>> schedule.step()
        >>> optimiser.param_groups[0]["lr"]
        0.05
    """

    def __init__(self, optimiser: Optimiser, factor: Callable[[int], float]) -> None:
        self._groups, self._factor = optimiser.param_groups, factor
        self._rates = [group["lr"] for group in self._groups]
        self._steps = 0
        self._set()

    def step(self) -> None:
        """Set the learning rate of the next step."""
        self._steps += 1
        self._set()

    def _set(self) -> None:
        for group, rate in zip(self._groups, self._rates, strict=True):
            group["lr"] = rate * self._factor(self._steps)
