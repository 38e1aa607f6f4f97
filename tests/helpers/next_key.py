"""Sequences that can be learnt, a small next-key model, and its scores by a plain loop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench import Context, Sessions, option
from logbench.torch import NextKeyConfig, NextKeyModel, new_network


@dataclass(frozen=True)
class SmallConfig(NextKeyConfig):
    """One option beside those of every next-key model."""

    hidden: int = option(12, "units of the layer", ge=1)


SMALL = SmallConfig(h=4, g=2, hidden=12, steps=60, batch=16, eval_batch=32, lr=1e-2, stop="steps")


class SmallNetwork(nn.Module):
    """One LSTM layer that shares no steps, so that nothing here leans on a network that does."""

    def __init__(self, keys: int, hidden: int) -> None:
        super().__init__()
        self.codes = keys + 2
        self.lstm, self.output = nn.LSTM(self.codes, hidden, batch_first=True), nn.Linear(hidden, keys)

    def forward(self, histories: Tensor) -> Tensor:
        states, _ = self.lstm(F.one_hot(histories, self.codes).to(self.output.weight.dtype))
        answer: Tensor = self.output(states[:, -1])
        return answer


class SmallModel(NextKeyModel[SmallConfig]):
    """What a plugin writes."""

    name, fixed = "small", ("hidden",)

    def build(self, keys: int) -> SmallNetwork:
        return SmallNetwork(keys, self.config.hidden)


def small_network(keys: int = 7, seed: int = 0) -> SmallNetwork:
    return new_network(partial(SmallNetwork, keys, SMALL.hidden), seed, "cpu")


def fitted(config: SmallConfig = SMALL, seed: int = 0, **context: Any) -> SmallModel:
    model = SmallModel(config)
    model.fit(sessions(1), Context(seed=seed, **context))
    return model


def walks(units: int, keys: int, seed: int, longest: int = 25) -> list[list[int]]:
    """Sequences that mostly count upwards, so that there is something to learn and much that repeats."""
    rng = np.random.default_rng(seed)
    result = []
    for length in rng.integers(1, longest, units):
        steps = rng.choice([1, 1, 1, 1, 2, 5], size=length)
        result.append((np.cumsum(steps) % keys).tolist())
    return result


def sessions(seed: int = 0, units: int = 80, keys: int = 7, unseen: bool = False) -> Sessions:
    sequences = walks(units, keys, seed)
    if unseen:
        rng = np.random.default_rng(seed)
        sequences = [[k if rng.random() > 0.03 else keys + int(rng.integers(3)) for k in s] for s in sequences]
    return Sessions.of(sequences, keys)


def one_by_one(model: NextKeyModel[Any], given: Sessions) -> list[tuple[float, int, float, int, float]]:
    """For each unit (primary, event, ignoring, ignoring_event, nll), window by window in plain Python."""
    network, h, known = model.network, model.config.h, given.vocabulary
    assert network is not None
    answers = []
    for begin, end in zip(given.offsets[:-1], given.offsets[1:], strict=True):
        before = [known + 1] * h if model.config.pad else []
        keys = [*before, *(min(int(k), known) for k in given.keys[begin:end])]
        best, at, seen, seen_at, nll = 0.0, -1, 0.0, -1, 0.0
        for event in range(h, len(keys)):
            logits = network(torch.tensor([keys[event - h : event]]))[0].tolist()
            came = keys[event]
            if came == known:
                rank, loss = np.inf, np.inf
            else:
                rank = 1 + sum(1 for k, v in enumerate(logits) if k != came and v >= logits[came])
                top = max(logits)
                loss = top + np.log(sum(np.exp(v - top) for v in logits)) - logits[came]
                if rank > seen:
                    seen, seen_at = rank, event - len(before)
            if rank > best:
                best, at = rank, event - len(before)
            nll = max(nll, loss)
        answers.append((best, at, seen, seen_at, nll))
    return answers


def columns(model: NextKeyModel[Any], given: Sessions, context: Context | None = None) -> list[np.ndarray]:
    scores = model.score(given, context or Context())
    return [scores.primary, scores.event, scores.ignoring, scores.ignoring_event]  # type: ignore[list-item]


def expanded(given: Sessions) -> tuple[Tensor, Tensor]:
    """Every window with a known next key, and weights that make a mean, by slicing lists."""
    rows = []
    for begin, end in zip(given.offsets[:-1], given.offsets[1:], strict=True):
        keys = given.keys[begin:end].tolist()
        rows += [keys[i : i + 5] for i in range(len(keys) - 4) if keys[i + 4] < given.vocabulary]
    windows = torch.tensor(rows).clamp(max=given.vocabulary)
    return windows, torch.full((len(rows),), 1 / len(rows))
