"""Adam (Kingma and Ba, ICLR 2015) by torch's own function, without what its class loads for torch.compile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

BETAS, EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """Steps as `torch.optim.Adam` with its defaults does them, bit for bit.

    The first call of any `torch.optim.Optimizer` imports `torch._dynamo`: more than a thousand modules, a second.

    Attributes:
        param_groups: one, with `params` and `lr`, as optimisers of torch have it.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": list(parameters), "lr": lr}]
        self._state: dict[nn.Parameter, tuple[Tensor, Tensor, Tensor]] = {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        for parameter in self.param_groups[0]["params"]:
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.zero_()

    @torch.no_grad()
    def step(self) -> None:
        """Move each parameter that has a gradient."""
        moved = [parameter for parameter in self.param_groups[0]["params"] if parameter.grad is not None]
        states = [self._of(parameter) for parameter in moved]
        adam(
            moved,
            [parameter.grad for parameter in moved],
            [mean for mean, _, _ in states],
            [square for _, square, _ in states],
            [],
            [steps for _, _, steps in states],
            has_complex=False,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self.param_groups[0]["lr"],
            weight_decay=0.0,
            eps=EPSILON,
            maximize=False,
        )

    def _of(self, parameter: nn.Parameter) -> tuple[Tensor, Tensor, Tensor]:
        """Running means of a parameter's gradient and of its square, and its steps so far."""
        if parameter not in self._state:
            mean, square = (torch.zeros_like(parameter, memory_format=torch.preserve_format) for _ in range(2))
            self._state[parameter] = mean, square, torch.tensor(0.0)
        return self._state[parameter]
