"""An LSTM gate by gate and step by step, to hold torch's against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def sigmoid(x: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


def lstm_states(weights: Mapping[str, Any], name: str, steps: Any, layers: int, bias: bool = True) -> Any:
    """Hidden states [h, H] of the last layer over inputs [h, I], by weights in torch's order."""
    for layer in range(layers):
        into, back = weights[f"{name}.weight_ih_l{layer}"], weights[f"{name}.weight_hh_l{layer}"]
        shift = weights[f"{name}.bias_ih_l{layer}"] + weights[f"{name}.bias_hh_l{layer}"] if bias else 0.0
        hidden, cell = np.zeros(back.shape[1]), np.zeros(back.shape[1])
        states = []
        for step in steps:
            entering, forget, candidate, out = np.split(into @ step + back @ hidden + shift, 4)
            cell = sigmoid(forget) * cell + sigmoid(entering) * np.tanh(candidate)
            hidden = sigmoid(out) * np.tanh(cell)
            states.append(hidden)
        steps = np.array(states)
    return steps
