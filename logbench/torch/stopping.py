"""When training ends, and which weights it leaves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor, nn

from .collective import agreed

if TYPE_CHECKING:
    from .options import TrainingConfig


@dataclass
class Stopper:
    """Decides after each pass; keeps the weights of the lowest validation loss where that is what stops.

    Attributes:
        validate: the validation loss of the present weights, of a network in evaluation mode.
        losses: of each pass so far, where validation is what stops.
        best_pass: the pass with the lowest, from 1.
    """

    config: TrainingConfig
    validate: Callable[[], float] | None
    losses: list[float] = field(default_factory=list)
    best: float = math.inf
    best_pass: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def after_pass(self, passes: int, network: nn.Module) -> str | None:
        """Why to stop now, or None."""
        if self.config.stop == "validation":
            assert self.validate is not None
            loss = agreed(validation_loss(network, self.validate))
            self.losses.append(loss)
            if loss < self.best:
                self.best, self.best_pass = loss, passes
                self.weights = {name: value.clone() for name, value in network.state_dict().items()}
            elif passes - self.best_pass >= self.config.patience:
                return f"validation loss did not fall for {self.config.patience} passes"
        if self.config.stop != "steps" and passes >= self.config.passes:
            return f"{passes} passes"
        return None

    def restore(self, network: nn.Module) -> None:
        """Put back the weights of the best pass, if there is one."""
        if self.weights:
            network.load_state_dict(self.weights)


def validation_loss(network: nn.Module, validate: Callable[[], float]) -> float:
    """What `validate` gives of the network in evaluation mode; its mode is put back."""
    training = network.training
    network.eval()
    try:
        return validate()
    finally:
        network.train(training)
