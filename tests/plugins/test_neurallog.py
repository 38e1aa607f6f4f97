"""NeuralLog: its block against plain formulas, padding, what it reads, what it takes of long units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from one_thread import one_thread  # noqa: F401 (a fixture)

from logbench import Context, Sessions
from logbench_supervised import NeuralLogConfig
from logbench_supervised.neurallog import Network, NeuralLog

SMALL = NeuralLogConfig(
    length=8, heads=2, feedforward=16, dense=8, dropout=0, batch=32, lr=1e-2, stop="passes", passes=15
)
WIDTH = 6
SAID = np.random.default_rng(0).normal(size=(12, WIDTH)).astype(np.float32)  # vectors of 12 texts


def told(units: list[list[int]], labels: list[int] | None = None) -> Sessions:
    """Units of texts; texts from 5 on belong to keys that training never met."""
    flat = np.array([text for unit in units for text in unit], np.int32)
    return replace(
        Sessions.of(units, 5),
        labels=None if labels is None else np.array(labels, np.int8),
        vectors=SAID,
        vector_ids=flat,
    )


def drawn(seed: int, count: int = 120) -> Sessions:
    """Units of 2 … 8 texts, 0 or 1 the first and the other one the last; 1 before 0 is anomalous."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, 2, count).tolist()
    units = [[end, *rng.choice([2, 3, 4], rng.integers(0, 7)).tolist(), 1 - end] for end in ends]
    return told(units, ends)


def scores(model: Any, sessions: Sessions) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = model.score(sessions.unlabelled(), Context()).primary
    return found


def by_formula(network: Network, steps: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Logits [2] of the events of one unit, float64 [L, W]."""
    weights = {name: value.detach().numpy() for name, value in network.state_dict().items()}

    def linear(x: Any, name: str) -> Any:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normed(x: Any, name: str) -> Any:
        centred = x - x.mean(1, keepdims=True)
        return (
            centred / np.sqrt(x.var(1, keepdims=True) + 1e-6) * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        )

    scaled = steps / np.sqrt((steps**2).mean(1, keepdims=True))
    x = scaled + weights.get("places.weight", np.zeros_like(scaled))[: len(steps)]
    query, key, value = (linear(x, name) for name in ("query", "key", "value"))
    heads = []
    for part in np.split(np.arange(query.shape[1]), network.heads):
        alike = query[:, part] @ key[:, part].T / np.sqrt(len(part))
        told = np.exp(alike if network.attends else 0 * alike)
        heads.append(told / told.sum(1, keepdims=True) @ value[:, part])
    x = normed(x + linear(np.concatenate(heads, 1), "merge"), "norms.0")
    x = normed(x + linear(np.maximum(linear(x, "inner.0"), 0), "inner.2"), "norms.1")
    logits: np.ndarray[Any, Any] = linear(np.maximum(linear(x.mean(0), "dense"), 0), "output")
    return logits


@pytest.mark.parametrize("settings", [{}, {"head_width": 5}, {"attend": "mean"}, {"places": False}], ids=str)
def test_the_network_gives_what_the_formulas_give_for_each_unit_alone(settings: dict[str, Any]) -> None:
    """So no unit sees another, as it does where sessions of a batch attend to each other."""
    torch.manual_seed(0)
    network = Network(WIDTH, replace(SMALL, **settings)).double().eval()
    model = NeuralLog(SMALL)
    given = told([[0, 7, 1], [2], [4, 4, 3, 2, 1, 0, 0, 9]])
    batch = model.encoder(given, "cpu")(torch.from_numpy(model.rows(given)).long())
    logits = network(batch[0].double(), batch[1]).detach().numpy()
    for unit, found in zip([[0, 7, 1], [2], [4, 4, 3, 2, 1, 0, 0, 9]], logits, strict=True):
        np.testing.assert_allclose(found, by_formula(network, SAID[unit].astype(np.float64)), atol=1e-10)


def test_texts_are_not_lost_among_the_places_however_short_their_vectors() -> None:
    """An embedding's vectors may be of any length; a place's begin shorter by far, as in the published code."""
    torch.manual_seed(0)
    model, network = NeuralLog(SMALL), Network(64, SMALL)
    short = replace(told([[0, 1, 2]]), vectors=1e-3 * np.random.default_rng(0).normal(size=(12, 64)).astype("f4"))
    steps, _ = model.encoder(short, "cpu")(torch.tensor([[0, 1, 2]]))
    assert network.places is not None
    assert 10 * float(network.places.weight.detach().norm(dim=1).max()) < float(steps.norm(dim=2).min())


def test_what_a_text_says_is_learnt_from_short_vectors() -> None:
    """Text 2 anywhere is anomalous."""
    rng = np.random.default_rng(0)
    units = [rng.choice([0, 1, 3, 4], 8).tolist() for _ in range(160)]
    for unit in units[::4]:
        unit[rng.integers(8)] = 2
    given = told(units, [int(2 in unit) for unit in units])
    short = replace(given, vectors=0.1 * SAID)
    train, new = short.take(np.arange(120)), short.take(np.arange(120, 160))
    model = NeuralLog(replace(SMALL, lr=3e-3, passes=30))
    model.fit(train, Context())
    assert new.labels is not None
    assert ((scores(model, new) > 0.5) == new.labels).mean() > 0.95


def test_heads_have_the_width_that_is_asked_for() -> None:
    def count(config: NeuralLogConfig) -> int:
        return sum(weight.numel() for weight in Network(768, config).parameters())

    rest = 75 * 768 + (768 * 2048 + 2048) + (2048 * 768 + 768) + 4 * 768 + (768 * 32 + 32) + (32 * 2 + 2)
    assert count(NeuralLogConfig()) == rest + 4 * (768 * 768 + 768)
    wide = 12 * 768
    assert count(NeuralLogConfig(head_width=768)) == rest + 3 * (768 * wide + wide) + (wide * 768 + 768)


@pytest.mark.parametrize(("settings", "tells"), [({}, True), ({"places": False}, False)])
def test_places_tell_the_order_of_texts(settings: dict[str, Any], tells: bool) -> None:
    model = NeuralLog(replace(SMALL, passes=40, **settings))
    facts = model.fit(drawn(1), Context(held_out=drawn(2)))
    new = drawn(3)
    assert new.labels is not None and facts["labelled"] == 120
    right = float(((scores(model, new) > 0.5) == new.labels).mean())
    assert right > 0.9 if tells else right < 0.75


def test_equal_texts_are_equal_events_and_new_ones_are_read() -> None:
    """Text 9 says what text 2 says; the parser never met it."""
    same = SAID.copy()
    same[9] = same[2]
    model = NeuralLog(SMALL)
    model.fit(drawn(1), Context())
    given = [replace(told(units), vectors=same) for units in ([[0, 2, 1]], [[0, 9, 1]])]
    np.testing.assert_array_equal(*(scores(model, one) for one in given))


def test_the_last_texts_of_a_long_unit_count() -> None:
    model = NeuralLog(SMALL)
    model.fit(drawn(1), Context())
    long, short = [4, 4, 4, 0, 1, 2, 3, 4, 1, 0, 2], [0, 1, 2, 3, 4, 1, 0, 2]
    np.testing.assert_array_equal(scores(model, told([long])), scores(model, told([short])))
    unjudged = model.score(told([long]), Context()).unjudged
    assert unjudged is not None and unjudged.tolist() == [3]


def test_the_learning_rate_rises_and_falls() -> None:
    model = NeuralLog(SMALL)
    optimiser, schedule = model.optimiser(torch.nn.Linear(1, 1), 20)
    assert optimiser is not None and schedule is not None
    rates = []
    for _ in range(20):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    np.testing.assert_allclose(rates, [0.005, 0.01, *(0.01 * (20 - step) / 18 for step in range(2, 20))])


def test_saved_models_score_alike(tmp_path: Path) -> None:
    model, again = NeuralLog(SMALL), NeuralLog(replace(SMALL, heads=3, dense=4))
    model.fit(drawn(1), Context())
    model.save(tmp_path)
    again.load(tmp_path)
    np.testing.assert_array_equal(scores(model, drawn(3)), scores(again, drawn(3)))
