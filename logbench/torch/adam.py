"""Adam (Kingma and Ba, ICLR 2015) and AdamW (Loshchilov and Hutter, ICLR 2019), without what those of torch load.

The first call of any `torch.optim.Optimizer` imports `torch._dynamo`: more than a thousand modules, a second. So
steps here are by the functions of torch that those classes call, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.adamw import adamw


class Adam:
    """Steps as those of `torch.optim.Adam`, bit for bit, without its second of loading.

    Args:
        parameters: what moves, as `network.parameters()` has it.
        lr: learning rate; `param_groups` has it, where it may be changed.
        betas: of the running means of gradients and of their squares.
        eps: what is added to the root of the second.

    Attributes:
        param_groups: one, with `params` and `lr`, as optimisers of torch have it.

    Examples:
        >>> import torch
        >>> network = torch.nn.Linear(2, 1)
        >>> optimiser = Adam(network.parameters(), lr=0.01)
        >>> network(torch.ones(1, 2)).sum().backward()
        >>> optimiser.step()
    """

    # Share of the learning rate by which weights shrink in a step, and the function of torch that moves them.
    _decay = 0.0
    _move: Callable[..., None] = staticmethod(adam)

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.betas, self.eps = betas, eps
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
        self._move(
            moved,
            [parameter.grad for parameter in moved],
            [mean for mean, _, _ in states],
            [square for _, square, _ in states],
            [],
            [steps for _, _, steps in states],
            has_complex=False,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=self.param_groups[0]["lr"],
            weight_decay=self._decay,
            eps=self.eps,
            maximize=False,
        )

    def _of(self, parameter: nn.Parameter) -> tuple[Tensor, Tensor, Tensor]:
        """Running means of a parameter's gradient and of its square, and its steps so far."""
        if parameter not in self._state:
            mean, square = (torch.zeros_like(parameter, memory_format=torch.preserve_format) for _ in range(2))
            self._state[parameter] = mean, square, torch.tensor(0.0)
        return self._state[parameter]


class AdamW(Adam):
    """Steps as those of `torch.optim.AdamW`, bit for bit: weights shrink by 0.01 × `lr` before each.

    Its arguments and attributes are those of `Adam`.

    Examples:
        >>> import torch
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> optimiser = AdamW([weight], lr=0.1)
        >>> weight.grad = torch.zeros(1)
        >>> optimiser.step()
        >>> round(weight.item(), 3)
        0.999
    """

    _decay = 0.01
    _move = staticmethod(adamw)
