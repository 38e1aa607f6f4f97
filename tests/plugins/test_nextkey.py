"""LogAnomaly: its network by numpy, its vectors, and what each of its two halves is for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from next_key import columns, one_by_one, sessions
from numpy.typing import NDArray
from numpy_lstm import lstm_states
from one_thread import one_thread  # noqa: F401 (a fixture)
from reference_weights import filled, fixture

from logbench import Context, IncompatibleError, Sessions
from logbench_nextkey import LogAnomalyConfig
from logbench_nextkey.loganomaly import LogAnomaly, Network

SMALL = LogAnomalyConfig(h=4, g=2, hidden=6, steps=60, batch=16, lr=1e-2)
WIDTH = 16
# One vector a key, those of keys 1 and 2 alike but for their length; the last one is what unknown keys have.
VECTORS = np.random.default_rng(3).normal(size=(8, WIDTH)).astype(np.float32)
VECTORS[2] = 3 * VECTORS[1]

Array = NDArray[np.float64]


def told(seed: int, unseen: bool = False) -> Sessions:
    given = sessions(seed, unseen=unseen)
    return replace(given, vectors=VECTORS, vector_ids=np.minimum(given.keys, 7).astype(np.int32))


def fitted(config: LogAnomalyConfig = SMALL) -> LogAnomaly:
    model = LogAnomaly(config)
    model.fit(told(1), Context())
    return model


def lstm(weights: dict[str, Array], name: str, steps: Array, layers: int) -> Array:
    """Last hidden state [H] of an LSTM over inputs [h, I], gate by gate, in the order of torch's weights."""
    last: Array = lstm_states(weights, name, steps, layers)[-1]
    return last


def test_the_network_gives_what_numpy_gives() -> None:
    network = Network(5, WIDTH, replace(SMALL, layers=2))
    for number, weight in enumerate(network.parameters()):
        torch.nn.init.uniform_(weight, -0.5, 0.5, generator=torch.Generator().manual_seed(number))
    network.vectors.normal_(generator=torch.Generator().manual_seed(9))
    weights = {key: value.double().numpy() for key, value in network.state_dict().items()}
    for history in ([0, 1, 2, 3], [4, 4, 4, 4], [6, 6, 5, 1], [5, 0, 5, 0]):
        counts = np.array([[history[: end + 1].count(key) for key in range(5)] for end in range(4)], dtype=float)
        meaning = lstm(weights, "meaning", weights["vectors"][history], 2)
        quantity = lstm(weights, "quantity", counts, 2)
        expected = weights["output.weight"] @ np.concatenate([meaning, quantity]) + weights["output.bias"]
        found = network(torch.tensor([history]))[0].detach().numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_logdeep_s_variant_is_its_network_and_needs_no_templates() -> None:
    wanted = fixture("logdeep.loganomaly")
    network = filled(Network(28, 0, LogAnomalyConfig(variant="logdeep")))
    assert sum(weight.numel() for weight in network.parameters()) == wanted["params"] == 104_476
    counts = np.bincount(wanted["input"]["ids"], minlength=28)
    assert wanted["input"]["counts"] == counts.tolist()
    found = network(torch.tensor([wanted["input"]["ids"]]))[0].detach().double().numpy()
    np.testing.assert_allclose(found[:8], wanted["first"], atol=1e-5)
    assert float(found.sum()) == pytest.approx(wanted["sum"], abs=1e-4)
    model = LogAnomaly(replace(SMALL, variant="logdeep"))
    model.fit(sessions(1), Context())
    assert model.score(sessions(2), Context()).primary.max() > 1
    with pytest.raises(
        IncompatibleError, match=r"^loganomaly reads vectors of templates, .*; set loganomaly\.variant=logdeep$"
    ):
        LogAnomaly(SMALL).fit(sessions(1), Context())


def test_scores_are_those_of_a_plain_loop_over_windows() -> None:
    for config in (
        replace(SMALL, variant="logdeep"),
        SMALL,
        replace(SMALL, pad=True),
        replace(SMALL, dedup=False),
    ):
        model, given = fitted(config), told(2, unseen=True)
        expected = [np.array(column) for column in zip(*one_by_one(model, given), strict=True)]
        assert np.isinf(expected[0]).any() and (expected[0] > 2).sum() > 3
        for mine, theirs in zip(columns(model, given), expected, strict=False):
            np.testing.assert_array_equal(mine, theirs)


def test_vectors_are_those_of_the_keys_and_nothing_has_none() -> None:
    model = fitted()
    assert model.network is not None
    vectors = model.network.get_buffer("vectors").numpy()
    expected = VECTORS[:7] / np.linalg.norm(VECTORS[:7].astype(float), axis=1, keepdims=True)
    np.testing.assert_allclose(vectors[:7], expected, atol=1e-6)
    assert vectors.shape == (9, 16) and not vectors[7:].any()
    np.testing.assert_allclose(vectors[1] @ vectors[2], 1, atol=1e-6)  # of one direction


def test_a_saved_model_scores_as_before(tmp_path: Path) -> None:
    model, given = fitted(), told(2, unseen=True)
    model.save(tmp_path)
    again = LogAnomaly(replace(SMALL, hidden=9, g=4))
    again.load(tmp_path)
    assert (again.config.hidden, again.width, again.config.g) == (6, WIDTH, 4)
    for mine, theirs in zip(columns(model, given), columns(again, given), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def after_twins() -> Sessions:
    """Key 2 follows key 0, key 3 follows its twin 1, which has the same vector."""
    return of_twins([[twin, twin, twin + 2] for twin in (0, 1)] * 20)


def of_twins(units: list[list[int]]) -> Sessions:
    given = Sessions.of(units, 4)
    return replace(
        given, vectors=np.eye(3, dtype=np.float32), vector_ids=np.maximum(given.keys - 1, 0).astype(np.int32)
    )


def losses(model: LogAnomaly) -> tuple[pl.Series, Array]:
    """What is likeliest after two of a twin, and how surprising what came is."""
    given = of_twins([[0, 0, 2], [1, 1, 3]])
    likeliest = model.expected(given, np.array([2, 2]), Context())
    return likeliest, model.score(given, Context()).others["nll"]


def test_counts_tell_apart_what_words_cannot_and_words_alone_tell_nothing() -> None:
    model = LogAnomaly(replace(SMALL, h=2, g=1, steps=150))
    model.fit(after_twins(), Context())
    likeliest, surprise = losses(model)
    assert likeliest.to_list() == [[2], [3]] and surprise.max() < 0.1
    assert isinstance(model.network, Network)
    with torch.no_grad():
        model.network.output.weight[:, SMALL.hidden :] = 0  # counts no longer reach the guess
    _, blind = losses(model)
    assert blind.max() > 0.6  # a guess between two has at least ln 2 for one of them
    without = LogAnomaly(replace(model.config, counts=False))
    without.fit(after_twins(), Context())
    assert losses(without)[1].max() > 0.6
