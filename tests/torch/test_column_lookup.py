"""Columns that are looked up against one-hot vectors that are multiplied."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from next_key import walks
from torch import nn
from torch.nn import functional as F

from logbench import Context, Sessions
from logbench.torch import NextKeyModel, SharedPrefixLSTM, column_lookup, new_network, running_counts
from logbench.torch.column_lookup import looks_up, states_of_columns
from logbench_deeplog import DeepLogConfig
from logbench_deeplog.model import DeepLog
from logbench_nextkey import LogAnomalyConfig
from logbench_nextkey.loganomaly import LogAnomaly

KEYS = 9


def lstm(layers: int = 2) -> nn.LSTM:
    return new_network(lambda: nn.LSTM(KEYS, 6, layers, batch_first=True), 0, "cpu")


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_states_and_gradients_are_those_of_products(layers: int, dtype: torch.dtype) -> None:
    own = lstm(layers).to(dtype)
    columns = torch.from_numpy(np.random.default_rng(0).integers(-1, KEYS, (20, 5)))
    given = F.one_hot(columns + 1, KEYS + 1)[..., 1:].to(dtype)
    found: list[Any] = []
    for states in (own(given)[0], states_of_columns(own, columns)):
        own.zero_grad()
        (states * torch.linspace(-1, 1, 6, dtype=dtype)).sum().backward()
        found.append((states.detach(), [weight.grad for weight in own.parameters()]))
    (mine, gradients), (theirs, others) = found
    torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-7)
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_running_sums_are_those_of_running_counts() -> None:
    own, histories = lstm(), torch.from_numpy(np.random.default_rng(0).integers(0, KEYS + 2, (20, 5)))
    counts = running_counts(histories, KEYS + 2)[..., :KEYS]
    columns = histories.where(histories < KEYS, -1)
    torch.testing.assert_close(states_of_columns(own, columns, summed=True), own(counts)[0], rtol=1e-5, atol=1e-6)


def test_shared_prefixes_take_columns_for_one_hot_vectors() -> None:
    own, output = lstm(), nn.Linear(6, KEYS)
    columns = torch.tensor([*range(KEYS), -1])
    given = torch.cat([torch.eye(KEYS), torch.zeros(1, KEYS)])
    first, second = (SharedPrefixLSTM(own, output, inputs) for inputs in (columns, given))
    assert torch.equal(first.table, second.table)


def test_graphs_and_quantised_networks_have_layers_of_their_own() -> None:
    assert looks_up(lstm(), column_lookup.MANY) and not looks_up(lstm(), column_lookup.MANY - 1)
    assert not looks_up(nn.Linear(2, 2), 10**6)


MODELS: list[Any] = [
    partial(DeepLog, DeepLogConfig(h=3, hidden=5, steps=20, batch=8)),
    partial(DeepLog, DeepLogConfig(h=3, hidden=5, steps=20, batch=8, pad=True)),
    partial(LogAnomaly, LogAnomalyConfig(h=3, hidden=5, steps=20, batch=8, pad=True)),
    partial(LogAnomaly, LogAnomalyConfig(h=3, hidden=5, steps=20, batch=8, counts=False)),
]


@pytest.mark.parametrize("build", MODELS)
def test_models_of_many_keys_are_those_of_few(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = walks(60, KEYS, 3)
    rows[5][:1] = [KEYS + 3]
    vectors = np.random.default_rng(0).normal(size=(KEYS + 4, 3)).astype(np.float32)
    ids = np.array([key for row in rows for key in row], np.int32)
    given = Sessions.of(rows, KEYS, vectors=vectors, vector_ids=ids)
    found = []
    for least in (10**9, 1):
        monkeypatch.setattr(column_lookup, "MANY", least)
        model: NextKeyModel[Any] = build()
        model.fit(given, Context())
        assert model.network is not None
        found.append((model.score(given, Context()), model.network.state_dict()))
    (mine, weights), (theirs, others) = found
    for name, weight in weights.items():
        torch.testing.assert_close(weight, others[name], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(mine.primary, theirs.primary)
    np.testing.assert_allclose(mine.others["nll"], theirs.others["nll"], rtol=1e-4, atol=1e-5)
