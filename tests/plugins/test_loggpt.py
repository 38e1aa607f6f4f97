"""LogGPT's causal model of whole units: its structure, scores against a plain loop, what it remembers."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from one_thread import one_thread  # noqa: F401 (a fixture)
from walks import KEYS, walks

from logbench import ConfigError, Context, Sessions
from logbench_nextkey import LogGptConfig, LogGptSmallConfig
from logbench_nextkey.loggpt import LogGpt, LogGptSmall, Network

SMALL = LogGptConfig(length=12, hidden=12, layers=2, heads=2, lr=1e-2, stop="passes", passes=3)


def fitted(config: LogGptConfig = SMALL) -> LogGpt:
    model = LogGpt(config)
    model.fit(walks(1), Context(held_out=walks(2)))
    return model


def test_the_network_is_gpt_2_of_the_published_size() -> None:
    counts = [
        sum(weight.numel() for weight in Network(14, config).parameters())
        for config in (LogGptConfig(), LogGptSmallConfig())
    ]
    assert counts == [295_860, 119_940]


def gpt_2(network: Network, codes: list[int], heads: int) -> np.ndarray[Any, Any]:
    """Logits [L, V] after each code, step by step, as GPT-2 defines them (pre-norm, tanh form of GELU, tied)."""
    weights = {name: value.detach().double().numpy() for name, value in network.state_dict().items()}

    def normed(x: Any, name: str) -> Any:
        deviation = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return (x - x.mean(-1, keepdims=True)) / deviation * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def linear(x: Any, name: str) -> Any:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    x = weights["codes.weight"][codes] + weights["places.weight"][: len(codes)]
    width = x.shape[1] // heads
    for layer in range(len(network.layers.layers)):
        at = f"layers.layers.{layer}"
        inner = normed(x, f"{at}.norm1") @ weights[f"{at}.self_attn.in_proj_weight"].T
        query, key, value = np.split(inner + weights[f"{at}.self_attn.in_proj_bias"], 3, axis=1)
        seen = np.zeros_like(x)
        for step in range(len(codes)):
            for head in range(heads):
                part = slice(head * width, (head + 1) * width)
                told = np.exp(key[: step + 1, part] @ query[step, part] / math.sqrt(width))
                seen[step, part] = told @ value[: step + 1, part] / told.sum()
        x = x + linear(seen, f"{at}.self_attn.out_proj")
        wide = linear(normed(x, f"{at}.norm2"), f"{at}.linear1")
        gelu = wide / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)))
        x = x + linear(gelu, f"{at}.linear2")
    logits: np.ndarray[Any, Any] = normed(x, "layers.norm") @ weights["codes.weight"].T
    return logits


def test_the_network_gives_what_the_formulas_of_gpt_2_give() -> None:
    network = fitted().network
    assert isinstance(network, Network)
    logits = network.double()(torch.tensor([[0, 3, 6, 1, 7, 7], [2, 2, 2, 5, 0, 4]])).detach().numpy()
    np.testing.assert_allclose(logits[0, :4], gpt_2(network, [2, 5, 8, 1], 2), atol=1e-10)  # 6: unknown, 1
    np.testing.assert_allclose(logits[1], gpt_2(network, [2, 7, 7, 7, 10, 5], 2), atol=1e-10)


def test_scores_are_those_of_a_plain_loop_over_events() -> None:
    """Each key is guessed from a row that ends before it."""
    model, given = fitted(), walks(3, unknown=True)
    scores = model.score(given, Context())
    double = Network(KEYS, SMALL).double().eval()
    double.load_state_dict(model.network.state_dict())  # type: ignore[union-attr]
    expected = []
    for unit in given:
        keys, worst = np.minimum(unit.keys[:12], KEYS), 0
        for at, key in enumerate(keys):
            row = double(torch.tensor(np.append(keys[:at], 0)[None]))[0, at, 5:].detach().numpy()
            worst = max(worst, np.inf if key == KEYS else int((row >= row[key]).sum()))
        expected.append(worst)
    assert scores.primary.tolist() == expected and len({*expected}) > 3
    assert scores.unjudged is not None and scores.unjudged.tolist() == np.maximum(given.lengths - 12, 0).tolist()
    order = np.random.default_rng(0).permutation(len(given))
    assert model.score(given.take(order), Context()).primary.tolist() == scores.primary[order].tolist()


def test_the_loss_is_the_mean_over_known_and_unknown_keys_but_not_over_what_fills_up() -> None:
    """In training over those of the batch; in validation over those of a unit, whichever are beside it."""
    model, given = fitted(replace(SMALL, dropout=0)), walks(4, unknown=True)
    network = model.network
    assert isinstance(network, Network)
    expected = []
    for unit in given:
        row = np.minimum(unit.keys[:12], KEYS)
        chances = network(torch.tensor(row[None]))[0].softmax(1).detach().numpy()
        expected.append([-np.log(chances[at, 1 if key == KEYS else key + 5]) for at, key in enumerate(row)])
    rows, means = torch.from_numpy(model.rows(given)).long(), [np.mean(unit) for unit in expected]
    np.testing.assert_allclose(model.losses(network, rows).detach(), means, rtol=1e-4)
    np.testing.assert_allclose(model.losses(network, rows[:2]).detach(), means[:2], rtol=1e-4)
    network.train()
    trained = float(model.losses(network, rows).detach().mean())
    assert trained == pytest.approx(np.mean(np.concatenate(expected)), rel=1e-5)


def test_what_stands_far_back_is_remembered() -> None:
    """The last key is that of the first three, which no window of 10 keys holds; which that is, is chance.

    A model that forgets loses the entropy of one choice of two once more.
    """
    train = Sessions.of([[*[first] * 3, *[2] * 10, first] for first in (0, 1)] * 20, 3)
    model = LogGpt(replace(SMALL, length=14, hidden=16, layers=1, dropout=0, lr=3e-2, passes=60))
    model.fit(train, Context())
    assert isinstance(model.network, Network)
    loss = float(model.losses(model.network, torch.from_numpy(model.rows(train)).long()).detach().mean())
    assert 0.999 * np.log(2) / 14 <= loss < 1.1 * np.log(2) / 14


def test_saved_models_score_alike(tmp_path: Path) -> None:
    model, again = fitted(), LogGpt(replace(SMALL, hidden=24, layers=1))
    model.save(tmp_path)
    again.load(tmp_path)
    np.testing.assert_array_equal(*(one.score(walks(5), Context()).primary for one in (model, again)))


def test_heads_must_share_a_vector() -> None:
    with pytest.raises(ConfigError, match=r"^loggpt-small\.hidden = 60 must be a multiple of .*heads = 7$"):
        LogGptSmall(LogGptSmallConfig(heads=7)).fit(walks(1), Context(held_out=walks(2)))
