"""Our Adam moves weights as torch's own class does, and loads nothing of torch.compile."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch import nn

from logbench.torch.adam import Adam

TRAINING = """
import sys, torch
from logbench.torch.training import Trainer
from logbench.torch import TrainingConfig
network = torch.nn.Linear(3, 2)
trainer = Trainer(network, lambda rows: network(rows).square().sum(), TrainingConfig(), "cpu")
trainer.step(torch.ones(4, 3))
print(network.weight.grad is not None, "torch._dynamo" in sys.modules)
"""


def weights(ours: bool) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    network = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2), nn.Linear(2, 1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    parts = list(network[:3].parameters()) + list(network[3].parameters())
    optimiser = Adam(parts, 0.02) if ours else torch.optim.Adam(parts, 0.02)
    for number in range(30):
        rows = torch.randn(4, 5, generator=generator)
        optimiser.zero_grad(set_to_none=number % 3 > 0)
        output = (
            network[:3](rows).sum() if number % 5 == 4 else network(rows).square().sum()
        )  # some have no gradient
        output.backward()
        optimiser.step()
        optimiser.param_groups[0]["lr"] *= 0.9
    return [parameter.detach() for parameter in network.parameters()]


def test_weights_are_bit_for_bit_those_of_torchs_class() -> None:
    for mine, theirs in zip(weights(ours=True), weights(ours=False), strict=True):
        assert torch.equal(mine, theirs)


def test_training_does_not_load_what_compiles() -> None:
    done = subprocess.run([sys.executable, "-c", TRAINING], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "False"], done.stderr
