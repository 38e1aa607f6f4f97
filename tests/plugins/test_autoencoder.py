"""The autoencoder: a published forward pass, padding, and units unlike those of training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from one_thread import one_thread  # noqa: F401 (a fixture)
from reference_weights import filled

from logbench import Context, Sessions
from logbench_reconstruction import AutoencoderConfig
from logbench_reconstruction.autoencoder import Autoencoder, Read

COUNTS = AutoencoderConfig(hidden=16, narrow=3, batch=32, passes=200, lr=1e-2)
SEQUENCE = AutoencoderConfig(input="sequence", hidden=6, narrow=3, length=8, embedding=6, batch=32, passes=30)
BOTH = pytest.mark.parametrize("config", [COUNTS, SEQUENCE], ids=["counts", "sequence"])


def usual(seed: int, count: int = 150) -> Sessions:
    rng = np.random.default_rng(seed)
    return Sessions.of([[0, *[1] * rng.integers(1, 4), 2] for _ in range(count)], vocabulary=4)


def fitted(config: AutoencoderConfig) -> Autoencoder:
    model = Autoencoder(config)
    model.fit(usual(1), Context())
    return model


def scores(model: Autoencoder, sessions: Sessions) -> np.ndarray[Any, Any]:
    return model.score(sessions, Context()).primary


def test_with_the_same_weights_the_network_gives_what_the_published_one_gives() -> None:
    """deep-loglizer's (revision 1069a1e), whose error of one window is .059258."""
    network = Read(14, 1, AutoencoderConfig(input="sequence", hidden=128, narrow=64))
    assert sum(weight.numel() for weight in network.parameters()) == 594_688
    wanted, given = filled(network, zero=("embedding.weight", 1))(torch.tensor([[2, 2, 2, 3, 4, 5, 4, 5, 4, 5]]))
    assert float((given - wanted).detach().square().mean()) == pytest.approx(0.059258, abs=1e-5)


def test_the_target_is_given_and_not_learnt() -> None:
    """The published code shrinks what it is to give back, until there is no error left."""
    network = Read(6, 5, SEQUENCE)
    wanted, given = network(torch.tensor([[0, 1, 2]]))
    assert not wanted.requires_grad and given.requires_grad


def test_counts_unlike_those_of_training_are_given_back_worst() -> None:
    model = fitted(COUNTS)
    odd = Sessions.of([[0, 2, 2, 2, 2], [3, 3, 3], [9, 1, 2]], vocabulary=4)
    assert scores(model, usual(2)).max() < scores(model, odd).min()


@BOTH
def test_a_unit_scores_alike_however_much_fills_it_up(config: AutoencoderConfig) -> None:
    model = fitted(config)
    wide = Autoencoder(replace(config, length=40))
    wide.network, wide.keys = model.network, model.keys
    np.testing.assert_allclose(scores(model, usual(2)), scores(wide, usual(2)), atol=1e-12)


def test_counts_know_no_order_and_what_an_lstm_read_does() -> None:
    there, back = (Sessions.of([unit], vocabulary=4) for unit in ([0, 1, 1, 2], [2, 1, 0, 1]))
    by_counts, by_sequence = (
        fitted(replace(config, batch=256, passes=30, lr=1e-2)) for config in (COUNTS, SEQUENCE)
    )
    assert scores(by_counts, there) == scores(by_counts, back)
    assert scores(by_sequence, there) != pytest.approx(scores(by_sequence, back), rel=0.01)


@BOTH
def test_a_saved_model_scores_alike(config: AutoencoderConfig, tmp_path: Path) -> None:
    model, again = fitted(config), Autoencoder(config)
    model.save(tmp_path)
    again.load(tmp_path)
    np.testing.assert_array_equal(scores(model, usual(3)), scores(again, usual(3)))


def test_events_beyond_those_that_it_sees_are_not_judged() -> None:
    """Of counts it sees all."""
    given = Sessions.of([[0] * 3, [1] * 11, [1] * 8], vocabulary=4)
    by_sequence = fitted(SEQUENCE).score(given, Context())
    assert by_sequence.unjudged is not None and by_sequence.unjudged.tolist() == [0, 3, 0]
    assert fitted(COUNTS).score(given, Context()).unjudged is None
