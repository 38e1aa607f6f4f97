"""The learning rate of published classifiers of sequences: it rises, then falls to 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logbench.torch import AdamW, FactorSchedule

if TYPE_CHECKING:
    from torch import nn

    from logbench.torch import Optimiser, Schedule


def rising_and_falling(network: nn.Module, lr: float, steps: int) -> tuple[Optimiser, Schedule]:
    """AdamW, whose learning rate rises to `lr` over a tenth of the steps and falls to 0 over the others.

    As in the code of NeuralLog and LADE. So no late step that a few rare units drive decides what the network ends
    as, which it does under a rate that stays.
    """
    optimiser, rise = AdamW(network.parameters(), lr), max(steps // 10, 1)
    return optimiser, FactorSchedule(
        optimiser, lambda step: min((step + 1) / rise, max(steps - step, 0) / max(steps - rise, 1))
    )
