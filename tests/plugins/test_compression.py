"""Smaller networks are what their rung says, and each rung's verdicts are counted against the first's."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import polars as pl
import pytest
import torch
from one_thread import one_thread  # noqa: F401 (a fixture)
from torch.nn import functional as F

from logbench import Context, Sessions
from logbench_deeplog import DeepLogConfig
from logbench_deeplog.ladder import compression, rungs, smaller
from logbench_deeplog.ladder.checkpointing import checkpointed, saved_for_backward
from logbench_deeplog.model import DeepLog
from logbench_deeplog.network import Network

KEYS = 6
CONFIG = DeepLogConfig(h=3, g=2, hidden=8, batch=16, steps=4)


def units(seed: int, count: int = 30) -> Sessions:
    rng = np.random.default_rng(seed)
    sequences = [rng.integers(0, KEYS + (i % 7 == 0), rng.integers(4, 12)).tolist() for i in range(count)]
    return replace(Sessions.of(sequences, KEYS), labels=(np.arange(count) % 3 == 0).astype(np.int8))


def fitted(config: DeepLogConfig = CONFIG) -> DeepLog:
    model = DeepLog(config)
    model.fit(units(0).unlabelled(), Context())
    return model


def histories(rows: int = 20) -> torch.Tensor:
    return torch.randint(0, KEYS + 1, (rows, CONFIG.h), generator=torch.Generator().manual_seed(3))


def test_pruned_weights_stay_zero_while_the_others_train() -> None:
    model = fitted()
    assert isinstance(model.network, Network)
    small = smaller.pruned(model, units(0).unlabelled(), Context(), 0.6).network
    assert isinstance(small, Network)
    matrices = [(a, b) for a, b in zip(model.network.parameters(), small.parameters(), strict=True) if a.ndim > 1]
    every = torch.cat([a.detach().abs().flatten() for a, _ in matrices])
    smallest = np.sort(every.numpy())[int(0.6 * len(every)) - 1]
    for before, after in matrices:
        assert torch.equal(after == 0, before.abs() <= smallest)
        assert not torch.equal(after[after != 0], before[after != 0])


@pytest.mark.parametrize("way", ["one-hot", "embedding"])
def test_units_that_do_nothing_can_be_left_out(way: str) -> None:
    config = replace(CONFIG, input=way, lr=1e-12)  # type: ignore[arg-type]
    model = DeepLog(config)
    model.keys = KEYS
    torch.manual_seed(1)
    network = Network(KEYS, config)
    idle = torch.tensor([0, 3, 4, 6])
    with torch.no_grad():
        for name, weight in network.lstm.named_parameters():
            weight.unflatten(0, (4, -1))[:, idle] = 0
            if name.startswith("weight_hh") or name == "weight_ih_l1":
                weight[:, idle] = 0
    model.network = network.eval()
    small = smaller.narrowed(model, units(0).unlabelled(), Context(), 0.5)
    assert isinstance(small.network, Network)
    assert small.network.lstm.hidden_size == 4
    assert torch.allclose(small.network(histories()), network(histories()), atol=1e-5)


def test_students_are_smaller_and_have_learnt() -> None:
    model, train = fitted(replace(CONFIG, steps=60)), units(0).unlabelled()
    for kind, hidden in ((Network, 4), (smaller.GruNetwork, 8)):
        found = smaller.student(model, train, Context(), hidden, kind).network
        assert isinstance(found, kind)
        assert found.lstm.hidden_size == hidden
        fresh = kind(KEYS, replace(CONFIG, hidden=hidden))
        assert model.network is not None
        taught = model.network(histories()).softmax(1)
        assert F.cross_entropy(found(histories()), taught) < F.cross_entropy(fresh(histories()), taught)


def test_checkpoints_change_neither_logits_nor_gradients() -> None:
    network = Network(KEYS, CONFIG)
    rows = torch.randint(0, KEYS, (5, 17))
    whole = network(rows)
    parts = checkpointed(network, rows, 4)
    assert torch.allclose(whole, parts, atol=1e-6)
    wanted = torch.autograd.grad(whole.square().sum(), list(network.parameters()))
    found = torch.autograd.grad(parts.square().sum(), list(network.parameters()))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(wanted, found, strict=True))


def test_checkpoints_hold_less() -> None:
    row = saved_for_backward(fitted(), units(0).unlabelled(), Context())
    whole, less = row["training"]["kept_mb"]
    assert less < whole / 3
    assert row["training"]["largest_gradient_difference"] < 1e-5


def test_verdicts_are_the_models_and_f1_is_that_of_counts() -> None:
    model, test = fitted(), units(5, 60)
    assert model.network is not None
    found = test.histories(CONFIG.h)
    windows = found.distinct_windows.astype(np.int64)
    rank, size, _ = rungs._torch(model.network, KEYS, "cpu")
    verdicts = compression._verdicts(rank, windows, found, CONFIG.g)
    expected = model.score(test.unlabelled(), Context()).primary > CONFIG.g
    assert np.array_equal(verdicts, expected)
    assert size == 4 * sum(one.numel() for one in model.network.parameters())
    other = verdicts.copy()
    other[:5] = ~other[:5]
    facts = compression._quality(other, verdicts, test)
    assert test.labels is not None
    frame = pl.DataFrame({"label": test.labels, "verdict": other})
    hits = len(frame.filter((pl.col("label") == 1) & pl.col("verdict")))
    assert facts["f1"] == pytest.approx(2 * hits / (int(other.sum()) + int(test.labels.sum())))
    assert facts["verdicts_changed"] == 5


@pytest.mark.slow
def test_every_rung_is_shown_or_says_why_not() -> None:
    model, test = fitted(), units(5, 60)
    rows = compression.compress(model, units(0).unlabelled(), test, Context(), 0.02, lambda *_: None)
    names = [row["name"] for row in rows]
    assert {"torch, fp32", "bf16", "fp16", "torch.compile", "student, 4 units"} <= {*names}
    for row in rows[:-1]:
        assert row["skipped"] or {"size_bytes", "per_s_1", "per_s_512", "f1", "verdicts_changed"} <= row.keys()
    by_name = {row["name"]: row for row in rows}
    assert by_name["torch, fp32"]["verdicts_changed"] == 0
    if all(find_spec(one) for one in ("onnx", "onnxscript", "onnxruntime")):
        assert by_name["onnxruntime, fp32"]["verdicts_changed"] == 0
        assert not by_name["onnxruntime INT8, dynamic"]["skipped"]
