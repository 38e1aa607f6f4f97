"""Our Adam and AdamW move weights as torch's own classes do, and no model loads anything of torch.compile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from logbench.torch import Adam, AdamW, FactorSchedule

# One model with each optimiser and schedule that plugins have.
TRAINING = """
import sys, logbench
small = {"dataset": {"blocks": 120}, "protocol": {"train_units": 60, "content": "labelled"}}
for name in ("deeplog", "loggpt-small", "logbert-small", "cnn", "plelog"):
    own = {"stop": "steps", "steps": 1, **({"schedule": "noam"} if name == "logbert-small" else {})}
    (record,) = logbench.run(name, dataset="hdfs-sim", settings={**small, name: own}, out=None)
    assert record.status == "ok", record.error
print("torch" in sys.modules, "torch._dynamo" in sys.modules)
"""
SCHEDULES: list[Callable[[int], float]] = [
    lambda step: 0.75 ** (step // 5),
    lambda step: min((step + 1) / 3, (30 - step) / 27),
    lambda step: min((step + 1) ** -0.5, (step + 1) * 10**-1.5),
]


def weights(optimiser: Callable[[Any], Any], schedule: Callable[[Any], Any]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    network = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2), nn.Linear(2, 1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    steps = optimiser(list(network[:3].parameters()) + list(network[3].parameters()))
    rates = schedule(steps)
    for number in range(30):
        rows = torch.randn(4, 5, generator=generator)
        steps.zero_grad(set_to_none=number % 3 > 0)
        some = number % 5 == 4  # have no gradient
        output = network[:3](rows).sum() if some else network(rows).square().sum()
        output.backward()
        steps.step()
        if rates is None:
            steps.param_groups[0]["lr"] *= 0.9
        else:
            rates.step()
    return [parameter.detach() for parameter in network.parameters()]


@pytest.mark.parametrize("factor", [None, *SCHEDULES])
@pytest.mark.parametrize(("ours", "theirs"), [(Adam, torch.optim.Adam), (AdamW, torch.optim.AdamW)])
@pytest.mark.parametrize("options", [{}, {"betas": (0.9, 0.9), "eps": 1e-12}])
def test_weights_are_bit_for_bit_those_of_torchs_classes(
    ours: Any, theirs: Any, options: dict[str, Any], factor: Callable[[int], float] | None
) -> None:
    def nothing(steps: Any) -> None:
        return None

    mine = weights(
        lambda parameters: ours(parameters, 0.02, **options),
        nothing if factor is None else lambda steps: FactorSchedule(steps, factor),
    )
    other = weights(
        lambda parameters: theirs(parameters, 0.02, **options),
        nothing if factor is None else lambda steps: torch.optim.lr_scheduler.LambdaLR(steps, factor),
    )
    assert all(torch.equal(one, another) for one, another in zip(mine, other, strict=True))


def test_training_does_not_load_what_compiles() -> None:
    done = subprocess.run([sys.executable, "-c", TRAINING], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "False"], done.stderr
