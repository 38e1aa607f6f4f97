"""Networks of deep-loglizer, and a causal transformer: published forward passes, places, what they learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from next_key import columns, one_by_one, sessions
from one_thread import one_thread  # noqa: F401 (a fixture)
from reference_weights import filled

from logbench import ConfigError, Context, Sessions
from logbench_nextkey import LstmNextConfig, TransformerNextConfig
from logbench_nextkey.lstm_next import LstmNext
from logbench_nextkey.lstm_next import Network as Lstm
from logbench_nextkey.transformer_next import Network as Transformer
from logbench_nextkey.transformer_next import TransformerNext

HISTORY = torch.tensor([[2, 2, 2, 3, 4, 5, 4, 5, 4, 5]])
LSTM = LstmNextConfig(h=4, g=2, embedding=6, hidden=5, steps=60, batch=16)
CAUSAL = TransformerNextConfig(h=4, g=2, embedding=8, feedforward=16, layers=1, steps=60, batch=16)
SMALL = (LSTM, replace(LSTM, attention=True), CAUSAL, replace(CAUSAL, variant="dlz"))


def model_of(config: Any) -> Any:
    return LstmNext(config) if isinstance(config, LstmNextConfig) else TransformerNext(config)


@pytest.mark.parametrize(
    ("network", "parameters", "first", "squares"),
    [
        (Lstm(12, 14, LstmNextConfig()), 565_198, [0.07121, 0.078672, 0.076922, 0.070964], 0.07179),
        (Lstm(12, 14, LstmNextConfig(attention=True)), 567_768, [0.071678, 0.078075, 0.077397, 0.070935], 0.07177),
        (
            Transformer(12, 14, TransformerNextConfig(variant="dlz")),
            26_318,
            [0.078877, 0.068682, 0.063879, 0.06368],
            0.07286,
        ),
    ],
    ids=["lstm", "lstm with attention", "transformer"],
)
def test_with_the_same_weights_the_network_gives_what_the_published_one_gives(
    network: torch.nn.Module, parameters: int, first: list[float], squares: float
) -> None:
    """Probabilities of deep-loglizer's networks (revision 1069a1e), 14 codes, of which 1 is padding."""
    assert sum(weight.numel() for weight in network.parameters()) == parameters
    found = filled(network, zero=("embedding.weight", 1))(HISTORY).softmax(1)[0].detach()
    np.testing.assert_allclose(found[:4], first, atol=1e-5)
    assert float(found.square().sum()) == pytest.approx(squares, abs=1e-5)


def test_a_bag_of_steps_knows_no_order_and_places_do() -> None:
    there, back = torch.tensor([[0, 1, 2, 3]]), torch.tensor([[3, 1, 0, 2]])
    bag, causal = (Transformer(5, 5, config).eval() for config in (SMALL[3], SMALL[2]))
    torch.testing.assert_close(bag(there), bag(back))
    assert float((causal(there) - causal(back)).detach().abs().max()) > 1e-3


def test_a_causal_step_without_places_knows_no_order_of_those_before_it() -> None:
    torch.manual_seed(0)
    there, back = torch.tensor([[0, 1, 2, 3]]), torch.tensor([[2, 0, 1, 3]])
    without, causal = (Transformer(5, 5, replace(CAUSAL, places=places)).eval() for places in (False, True))
    torch.testing.assert_close(without(there), without(back))
    assert float((causal(there) - causal(back)).detach().abs().max()) > 1e-3
    assert sum(one.numel() for one in causal.parameters()) - sum(one.numel() for one in without.parameters()) == 32


def test_a_causal_step_sees_none_after_it() -> None:
    network = Transformer(5, 5, CAUSAL).eval()
    seen: list[torch.Tensor] = []
    network.encoder.register_forward_hook(lambda _module, _given, answer: seen.append(answer.detach()))
    network(torch.tensor([[0, 1, 2, 3]]))
    network(torch.tensor([[0, 1, 4, 0]]))
    torch.testing.assert_close(seen[0][:, :2], seen[1][:, :2])
    assert float((seen[0] - seen[1])[:, 2:].abs().max()) > 1e-3


@pytest.mark.parametrize("config", SMALL, ids=["lstm", "attention", "causal", "bag"])
def test_scores_are_those_of_a_plain_loop_over_windows(config: Any) -> None:
    model, given = model_of(config), sessions(2, unseen=True)
    model.fit(sessions(1), Context())
    expected = [np.array(column) for column in zip(*one_by_one(model, given), strict=True)]
    for mine, theirs in zip(columns(model, given), expected, strict=False):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("config", SMALL, ids=["lstm", "attention", "causal", "bag"])
def test_sequences_that_never_vary_are_learnt_by_heart(config: Any) -> None:
    model = model_of(replace(config, h=2, g=1, steps=300, lr=1e-2))
    model.fit(Sessions.of([[0, 1, 2, 3, 4, 0]] * 30, vocabulary=5), Context())
    scores = model.score(Sessions.of([[0, 1, 2, 3, 4, 0], [0, 1, 3]], vocabulary=5), Context())
    assert scores.primary[0] == 1 and scores.others["nll"][0] < 0.1
    assert scores.primary[1] > 1


def test_heads_must_share_a_vector() -> None:
    model = TransformerNext(replace(CAUSAL, heads=3))
    with pytest.raises(ConfigError, match=r"^transformer-next\.embedding = 8 must be a multiple of .*heads = 3$"):
        model.fit(sessions(1), Context())
