"""Every deep network: the gradients of its weights are those of small steps, and what a longer look adds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from one_thread import one_thread  # noqa: F401 (a fixture)
from torch import Tensor, nn
from torch.func import functional_call

from logbench import Context, Sessions
from logbench_deeplog import DeepLogConfig
from logbench_deeplog.model import DeepLog
from logbench_deeplog.network import Network as DeepLogNetwork
from logbench_nextkey import LogAnomalyConfig, LogGptConfig, LstmNextConfig, TransformerNextConfig
from logbench_nextkey.loganomaly import Network as LogAnomalyNetwork
from logbench_nextkey.loggpt import Network as LogGptNetwork
from logbench_nextkey.lstm_next import LstmNext
from logbench_nextkey.lstm_next import Network as LstmNetwork
from logbench_nextkey.transformer_next import Network as TransformerNetwork
from logbench_nextkey.transformer_next import TransformerNext
from logbench_reconstruction import AutoencoderConfig
from logbench_reconstruction.autoencoder import Autoencoder, Counts, Read
from logbench_supervised import CnnConfig, LogRobustConfig, MlpConfig, NeuralLogConfig
from logbench_supervised.cnn import Network as CnnNetwork
from logbench_supervised.logrobust import Network as LogRobustNetwork
from logbench_supervised.mlp import Mlp
from logbench_supervised.neurallog import Network as NeuralLogNetwork

KEYS = torch.tensor([[0, 1, 2, 3], [3, 3, 1, 0]])
STEPS = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(2, 4, 3).sin()
THERE = torch.tensor([[True] * 4, [True, True, False, False]])
LSTM = LstmNextConfig(h=4, embedding=3, hidden=2, layers=1)
CAUSAL = TransformerNextConfig(h=4, embedding=4, feedforward=4, layers=1)
READ = AutoencoderConfig(input="sequence", hidden=2, narrow=2, embedding=3)
BLOCK = NeuralLogConfig(length=4, heads=1, feedforward=4, dense=2)
NETWORKS: dict[str, tuple[nn.Module, tuple[Tensor, ...]]] = {
    "deeplog": (DeepLogNetwork(4, DeepLogConfig(hidden=2, layers=1)), (KEYS,)),
    "loganomaly": (LogAnomalyNetwork(4, 3, LogAnomalyConfig(hidden=2, layers=1)), (KEYS,)),
    "lstm-next": (LstmNetwork(4, 6, LSTM), (KEYS,)),
    "lstm-next, attention": (LstmNetwork(4, 6, replace(LSTM, attention=True)), (KEYS,)),
    "transformer-next": (TransformerNetwork(4, 6, CAUSAL), (KEYS,)),
    "transformer-next, dlz": (TransformerNetwork(4, 6, replace(CAUSAL, variant="dlz")), (KEYS,)),
    "loggpt": (LogGptNetwork(4, LogGptConfig(length=8, hidden=4, heads=2, layers=1)), (KEYS,)),
    "autoencoder": (Counts(4, AutoencoderConfig(hidden=3, narrow=2)), (STEPS.flatten(1)[:, :5],)),
    "autoencoder, sequence": (Read(6, 5, READ, detach=False), (KEYS,)),
    "cnn": (CnnNetwork(6, 5, CnnConfig(heights=(2, 3), filters=2, embedding=3, length=4)), (KEYS,)),
    "logrobust": (LogRobustNetwork(3, LogRobustConfig(hidden=2, layers=1)), (STEPS, THERE)),
    "mlp": (Mlp(MlpConfig(hidden=3)).build(4), (STEPS.flatten(1)[:, :5],)),
    "neurallog": (NeuralLogNetwork(3, BLOCK), (STEPS, THERE)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_of_a_network_are_those_of_small_steps(name: str) -> None:
    """Of all its weights at once, along one direction."""
    network, given = NETWORKS[name]
    network = network.double().eval()
    random = torch.Generator().manual_seed(0)
    weights = {
        key: torch.randn(one.shape, generator=random, dtype=torch.float64) / 2
        for key, one in network.named_parameters()
    }
    along = {key: torch.randn(one.shape, generator=random, dtype=torch.float64) for key, one in weights.items()}
    for codes in (one for one in network.modules() if isinstance(one, nn.Embedding)):
        if codes.padding_idx is not None:  # never learnt
            (key,) = (key for key, one in network.named_parameters() if one is codes.weight)
            along[key][codes.padding_idx] = 0
    if name == "loganomaly":
        network.get_buffer("vectors").normal_(generator=random)

    def answer(step: float) -> Tensor:
        moved = {key: one + step * along[key] for key, one in weights.items()}
        found = functional_call(network, moved, given)
        whole: Tensor = found if isinstance(found, Tensor) else torch.cat([one.double() for one in found], 1)
        return (whole * torch.arange(1, whole.numel() + 1).reshape(whole.shape)).sum()

    for one in weights.values():
        one.requires_grad_(True)
    gradients = torch.autograd.grad(answer(0.0), list(weights.values()))
    exact = sum(float((one * along[key]).sum()) for one, key in zip(gradients, weights, strict=True))
    step = 1e-6
    by_steps = float((answer(step) - answer(-step)).detach()) / (2 * step)
    assert exact == pytest.approx(by_steps, rel=1e-5) and exact != 0


HISTORIES = {
    "deeplog": lambda h: DeepLog(DeepLogConfig(h=h, g=1, hidden=8, layers=1, steps=150, batch=16, lr=2e-2)),
    "lstm-next": lambda h: LstmNext(replace(LSTM, h=h, g=1, hidden=8, steps=150, batch=16)),
    "transformer-next": lambda h: TransformerNext(replace(CAUSAL, h=h, g=1, steps=250, batch=16)),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_longer_history_tells_what_one_key_cannot(name: str) -> None:
    """After key 2 comes that of 3 and 4 which the key before it tells."""
    train = Sessions.of([[first, 2, first + 3] for first in (0, 1)] * 20, 5)
    surprise = []
    for h in (2, 1):
        model: Any = HISTORIES[name](h)
        model.fit(train, Context())
        surprise.append(model.score(train, Context()).others["nll"].max())
    assert surprise[0] < 0.1 and surprise[1] > 0.6, "of two at chance one has at least ln 2"


@pytest.mark.parametrize(
    "config",
    [
        AutoencoderConfig(hidden=32, narrow=8, batch=8, passes=300, lr=5e-3),
        replace(READ, hidden=4, narrow=4, batch=8, passes=200, lr=1e-2, length=8),
    ],
    ids=["counts", "sequence"],
)
def test_an_autoencoder_learns_few_units_by_heart(config: AutoencoderConfig) -> None:
    train = Sessions.of([[0, 1], [1, 1, 2], [3, 0, 2]] * 4, 4)
    fresh, model = Autoencoder(replace(config, passes=1, lr=1e-12)), Autoencoder(config)
    for one in (fresh, model):
        one.fit(train, Context())
    assert model.score(train, Context()).primary.max() < 1e-3
    assert model.score(train, Context()).primary.max() < fresh.score(train, Context()).primary.min() / 20
