"""Weights set by a formula, so that networks can be compared with figures of published ones."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import pytest
import real_data
import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


def filled(network: N, zero: tuple[str, int] | None = None) -> N:
    """The network in evaluation mode, its n-th weight .1 · sin(n), n from 1 in the order of its parameters.

    Args:
        zero: name of a weight, and the row of it that is zero.
    """
    done = 0
    with torch.no_grad():
        for weight in network.parameters():
            numbers = torch.arange(done + 1, done + 1 + weight.numel(), dtype=torch.float64)
            weight.copy_((0.1 * numbers.sin()).reshape(weight.shape))
            done += weight.numel()
        if zero is not None:
            network.get_parameter(zero[0])[zero[1]] = 0
    return network.eval()


def fixture(name: str) -> dict[str, Any]:
    """A published network's forward pass: `params`, `input`, `first` outputs, `sum`, `sumsq`; skips without it."""
    file = real_data.DATA.parent / "reference" / "fixtures" / "deep_forward.json"
    if not file.is_file():
        pytest.skip(f"needs {file}")
    found: dict[str, Any] = json.loads(file.read_text())[name]
    return found
