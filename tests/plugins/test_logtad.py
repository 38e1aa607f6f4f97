"""LogTAD: its network by numpy, its centre, what it learns, padding, batches and order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from numpy_lstm import lstm_states
from one_thread import one_thread  # noqa: F401 (a fixture)

from logbench import Context, Sessions
from logbench_oneclass import LogTadConfig
from logbench_oneclass.logtad import LogTad, Network

SMALL = LogTadConfig(length=8, hidden=6, layers=2, dropout=0.2, batch=32, passes=20, lr=1e-2)
KEYS, WIDTH = 5, 4
VECTORS = np.random.default_rng(3).normal(size=(KEYS + 2, WIDTH)).astype(np.float32)

Array = NDArray[np.float64]


def told(units: list[list[int]]) -> Sessions:
    """Units of keys; each key has a vector, unknown ones too."""
    given = Sessions.of(units, KEYS)
    return replace(given, vectors=VECTORS, vector_ids=given.keys.astype(np.int32))


def drawn(seed: int, count: int = 60, unknown: bool = False) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(KEYS + 2 * unknown, size=rng.integers(1, 12)).tolist() for _ in range(count)]


def fitted(config: LogTadConfig = SMALL, units: list[list[int]] | None = None) -> LogTad:
    model = LogTad(config)
    model.fit(told(units or drawn(1)), Context())
    return model


def scores(model: LogTad, units: list[list[int]]) -> Array:
    return model.score(told(units), Context()).primary


def place(network: Network, keys: list[int]) -> Array:
    """Where a unit lies: gate by gate, step by step, in the order of torch's weights."""
    weights = {name: value.double().numpy() for name, value in network.state_dict().items()}
    steps = [VECTORS[key] / np.linalg.norm(VECTORS[key].astype(float)) for key in keys]
    steps = lstm_states(weights, "lstm", steps, network.lstm.num_layers, network.lstm.bias)
    mean: Array = np.mean(steps, axis=0)
    return mean


@pytest.mark.parametrize("bias", [True, False])
def test_a_score_is_how_far_a_unit_lies_from_the_centre(bias: bool) -> None:
    model, units = fitted(replace(SMALL, bias=bias)), drawn(2, unknown=True)
    network = model.network
    assert isinstance(network, Network)
    centre = network.centre.double().numpy()
    expected = [((place(network, unit[:8]) - centre) ** 2).mean() for unit in units]
    given = model.score(told(units), Context())
    np.testing.assert_allclose(given.primary, expected, rtol=1e-4)
    known = [[key for key in unit if key < KEYS] for unit in units]
    without = [((place(network, unit[:8]) - centre) ** 2).mean() if unit else 0.0 for unit in known]
    np.testing.assert_allclose(given.ignoring, without, rtol=1e-4)  # type: ignore[arg-type]
    assert given.unjudged is not None
    assert given.unjudged.tolist() == [max(len(unit) - 8, 0) for unit in units]


def test_the_centre_is_where_training_units_lie_before_training_and_nowhere_near_zero() -> None:
    units = [*drawn(1), *[[0, 1]] * 20]
    for least in (0.0, 0.05):
        config = replace(SMALL, least=least)
        fresh, model = LogTad(replace(config, lr=1e-12)), LogTad(config)
        for one in (fresh, model):
            one.fit(told(units), Context(seed=4))
        assert isinstance(fresh.network, Network) and isinstance(model.network, Network)
        mean = np.mean([place(fresh.network, unit[:8]) for unit in units], axis=0)
        expected = np.where(mean < 0, -1, 1) * np.maximum(abs(mean), least)
        np.testing.assert_allclose(model.network.centre.numpy(), expected, atol=1e-5)


def test_normal_units_come_close_and_what_says_something_else_stays_far() -> None:
    """Keys 2 … 4 never train; key 2 says what key 0 does, so that a unit lies alike with either."""
    vectors = np.eye(KEYS + 2, WIDTH, dtype=np.float32)
    vectors[2] = vectors[0]

    def of(units: list[list[int]]) -> Sessions:
        given = Sessions.of(units, KEYS)
        return replace(given, vectors=vectors, vector_ids=given.keys.astype(np.int32))

    train = of([[0, *[1] * n, 0] for n in (1, 2, 3)] * 20)
    before, after = (LogTad(replace(SMALL, lr=lr, passes=150, dropout=0)) for lr in (1e-12, 1e-2))
    for model in (before, after):
        model.fit(train, Context())
    assert after.score(train, Context()).primary.max() < 0.01 * before.score(train, Context()).primary.min()
    usual, alike, other = after.score(of([[0, 1, 1, 0], [2, 1, 1, 2], [3, 1, 1, 3]]), Context()).primary
    assert alike == usual and other > 10 * usual


def test_an_lstm_reads_order() -> None:
    """Where the mean of the vectors of events cannot tell units apart."""
    there, back = scores(fitted(), [[0, 1, 2, 3], [3, 2, 1, 0]])
    assert abs(there - back) > 1e-4 * there


def test_gradients_are_those_of_small_steps() -> None:
    network = Network(3, replace(SMALL, hidden=2, layers=1)).double()
    steps = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    there = torch.tensor([[True] * 3, [True, True, False]])
    assert torch.autograd.gradcheck(lambda given: network(given, there), (steps,))


def test_padding_batches_order_and_repeats_change_no_score(tmp_path: Path) -> None:
    model, units = fitted(), drawn(2)
    usual = scores(model, units)
    for other in (replace(SMALL, length=40), replace(SMALL, eval_batch=1), replace(SMALL, eval_batch=7)):
        changed: Any = LogTad(other)
        changed.network, changed.keys, changed.width = model.network, model.keys, model.width
        short = [unit for unit in units if len(unit) <= 8]
        np.testing.assert_array_equal(scores(changed, short), scores(model, short))
    order = np.random.default_rng(0).permutation(len(units))
    np.testing.assert_array_equal(scores(model, [units[at] for at in order]), usual[order])
    np.testing.assert_array_equal(scores(model, units * 2), np.tile(usual, 2))
    np.testing.assert_array_equal(scores(fitted(units=drawn(1)[::-1]), units), usual)
    model.save(tmp_path)
    again = LogTad(replace(SMALL, hidden=9))
    again.load(tmp_path)
    np.testing.assert_array_equal(scores(again, units), usual)
    assert scores(model, [[]]).tolist() == [0.0]
