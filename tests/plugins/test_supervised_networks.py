"""Deep models that learn from labels: published forward passes, padding, what they can learn, new wordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from one_thread import one_thread  # noqa: F401 (a fixture)
from reference_weights import filled

from logbench import ConfigError, Context, Sessions
from logbench_supervised import CnnConfig, LogRobustConfig, MlpConfig
from logbench_supervised.cnn import Cnn
from logbench_supervised.cnn import Network as CnnNetwork
from logbench_supervised.logrobust import LogRobust
from logbench_supervised.logrobust import Network as RobustNetwork
from logbench_supervised.mlp import Mlp

CNN = CnnConfig(length=8, heights=(2, 3), filters=8, embedding=8, batch=32, passes=60, lr=1e-2)
ROBUST = LogRobustConfig(length=8, hidden=8, batch=32, passes=60, lr=1e-2)
MLP = MlpConfig(batch=32, passes=200, lr=1e-2)
MODELS = (Cnn(CNN), LogRobust(ROBUST), LogRobust(replace(ROBUST, variant="logdeep")), Mlp(MLP))
NAMES = ("cnn", "attention", "logdeep", "mlp")
TEMPLATES = ("open block <*>", "receive block <*>", "failed to serve <*>", "delete block <*>", "wait")
WORDS = ("open", "block", "receive", "failed", "serve", "delete", "wait")


def told(units: list[list[int]], labels: list[int] | None = None, texts: dict[int, str] | None = None) -> Sessions:
    """Units of keys; `texts` gives those of unknown keys."""
    said = {**dict(enumerate(TEMPLATES)), **(texts or {})}
    flat = [key for unit in units for key in unit]
    distinct = list(dict.fromkeys(said[key] for key in flat))
    return replace(
        Sessions.of(units, len(TEMPLATES)),
        labels=None if labels is None else np.array(labels, np.int8),
        templates=TEMPLATES,
        vectors=np.array([[word in text.split() for word in WORDS] for text in distinct], np.float32),
        vector_ids=np.array([distinct.index(said[key]) for key in flat], np.int32),
    )


def drawn(seed: int, count: int = 200) -> Sessions:
    """Units of 2 … 10 events; a unit is anomalous where key 2 is in it."""
    rng = np.random.default_rng(seed)
    units = [rng.choice([0, 1, 3, 4], rng.integers(2, 11)).tolist() for _ in range(count)]
    for unit in units[: count // 4]:
        unit[rng.integers(min(len(unit), 8))] = 2
    return told(units, [int(2 in unit) for unit in units])


def scores(model: Any, sessions: Sessions) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = model.score(sessions.unlabelled(), Context()).primary
    return found


def test_with_the_same_weights_the_networks_give_what_the_published_ones_give() -> None:
    """Those of deep-loglizer (revision 1069a1e, probabilities) and of logdeep (ec18b29, logits)."""
    cnn = filled(CnnNetwork(14, 1, CnnConfig(heights=(2, 3, 4))), zero=("embedding.weight", 1))
    assert sum(weight.numel() for weight in cnn.parameters()) == 38_466
    units = torch.tensor([[2, 2, 2, 3, 4, 5, 4, 5, 4, 5]])
    np.testing.assert_allclose(cnn(units).softmax(1)[0].detach(), [0.490853, 0.509147], atol=1e-5)
    robust = filled(RobustNetwork(300, LogRobustConfig(variant="logdeep", layers=2)))
    assert sum(weight.numel() for weight in robust.parameters()) == 352_514
    steps = 0.05 * torch.arange(50 * 300, dtype=torch.float64).cos().reshape(1, 50, 300).float()
    last = robust.lstm(steps)[0][:, -1]
    np.testing.assert_allclose(robust.output(last)[0].detach(), [0.117161, 0.066207], atol=1e-5)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_what_makes_a_unit_anomalous_is_learnt(model: Any) -> None:
    model.fit(drawn(1), Context())
    assert ((scores(model, drawn(1)) > 0.5) == drawn(1).labels.astype(bool)).all()  # type: ignore[union-attr]
    new = drawn(2)
    assert new.labels is not None
    assert ((scores(model, new) > 0.5) == new.labels).mean() > 0.95


@pytest.mark.parametrize("model", (MODELS[0], MODELS[1]), ids=NAMES[:2])
def test_what_fills_up_a_unit_does_not_count(model: Any) -> None:
    """The rows of a wider model begin alike and end in more of it."""
    model.fit(drawn(1), Context())
    wide = type(model)(replace(model.config, length=40))
    wide.network, wide.keys, wide.width = model.network, model.keys, model.width
    short = told([[0, 1, 3], [2, 4], [0, 0, 1, 3, 4, 2, 1, 0]])
    np.testing.assert_allclose(scores(model, short), scores(wide, short), atol=1e-12)


def test_weights_of_steps_sum_to_one_over_the_events_there() -> None:
    network = RobustNetwork(32, ROBUST).double().eval()
    torch.manual_seed(0)
    steps = torch.randn(1, 8, 32, dtype=torch.float64)
    there = torch.tensor([[1, 1, 1, 0, 0, 0, 0, 0]], dtype=torch.bool)
    alone = network.lstm(steps[:, :3])[0][0]
    told_by = torch.tanh(alone @ network.weigh.weight[0])  # type: ignore[union-attr]
    weights = told_by.exp() / told_by.exp().sum()
    expected = network.output((weights[:, None] * alone).sum(0))
    torch.testing.assert_close(network(steps, there)[0], expected)
    mean = RobustNetwork(32, replace(ROBUST, attend="mean")).double().eval()
    mean.load_state_dict(network.state_dict(), strict=False)
    torch.testing.assert_close(mean(steps, there)[0], mean.output(alone.mean(0)))


def test_attention_is_trained_and_a_mean_has_nothing_to_train() -> None:
    learnt, mean = (RobustNetwork(32, replace(ROBUST, attend=one)) for one in ("learnt", "mean"))  # type: ignore[arg-type]
    torch.manual_seed(0)
    steps, there = torch.randn(4, 8, 32), torch.ones(4, 8, dtype=torch.bool)
    learnt(steps, there)[:, 1].sum().backward()
    assert learnt.weigh is not None and float(learnt.weigh.weight.grad.abs().max()) > 0  # type: ignore[union-attr]
    assert mean.weigh is None and len([*learnt.parameters()]) == len([*mean.parameters()]) + 1


@pytest.mark.parametrize("length", [1e-3, 1.0, 1e3])
def test_an_embedding_may_have_vectors_of_any_length(length: float) -> None:
    """Networks begin with weights for columns near 1: shorter vectors are hardly seen for many passes."""
    rng = np.random.default_rng(0)
    given = replace(drawn(1), vectors=length * rng.normal(size=(len(drawn(1).vectors), 300)).astype(np.float32))  # type: ignore[arg-type]
    model = LogRobust(replace(ROBUST, passes=1))
    rows = torch.from_numpy(model.rows(given)).long()
    steps, there = model.encoder(given, "cpu")(rows)
    squares = steps[there].square().mean(1)
    torch.testing.assert_close(squares, torch.ones_like(squares))
    assert not steps[~there].any()


def test_mlp_gives_what_numpy_gives_for_the_counts_of_keys() -> None:
    model = Mlp(MLP)
    model.fit(drawn(1), Context())
    assert model.network is not None
    inward, first, outward, second = (one.detach().double().numpy() for one in model.network.parameters())
    units = [[0, 1, 1, 3], [2, 2, 2, 9, 4], [8]]  # 8 and 9 share the column of unknown keys
    counts = np.array([[1, 2, 0, 1, 0, 0], [0, 0, 3, 0, 1, 1], [0, 0, 0, 0, 0, 1]])
    logits = np.maximum(counts @ inward.T + first, 0) @ outward[0] + second
    for order in (1, -1):
        found = scores(model, told([unit[::order] for unit in units], texts={8: "wait", 9: "wait"}))
        np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), rtol=1e-5)


def right(model: Any, units: list[list[int]], labels: list[int]) -> float:
    """Share of the units on the right side of .5, once the model has learnt them."""
    model.fit(told(units, labels), Context())
    return float(((scores(model, told(units)) > 0.5) == labels).mean())


def test_filters_of_two_events_tell_an_order_that_those_of_one_cannot() -> None:
    """The same five keys; anomalous is 1 right before 0."""
    rng = np.random.default_rng(0)
    orders = [[0, 1], [1, 0]] * 40
    units = [
        [*others[:at], *pair, *others[at:]]
        for pair in orders
        for others, at in [(rng.permutation([2, 3, 4]).tolist(), rng.integers(4))]
    ]
    labels = [int(pair == [1, 0]) for pair in orders]
    assert right(Cnn(CNN), units, labels) == 1
    alone = Cnn(replace(CNN, heights=(1,)))
    assert right(alone, units, labels) < 0.7
    np.testing.assert_array_equal(*(scores(alone, told([unit])) for unit in ([0, 1, 2, 3, 4], [4, 1, 3, 0, 2])))


def test_hidden_units_of_mlp_tell_what_one_cannot() -> None:
    """Anomalous is one of keys 0 and 1 without the other: no weighted sum of counts says so."""
    units = [[4, *keys] for keys in ([], [0], [1], [0, 1])] * 20
    labels = [0, 1, 1, 0] * 20
    assert right(Mlp(MLP), units, labels) == 1
    assert right(Mlp(replace(MLP, hidden=1)), units, labels) < 0.8


def test_an_ablated_logrobust_trains() -> None:
    model = LogRobust(replace(ROBUST, attend="mean"))
    model.fit(drawn(1), Context())
    assert ((scores(model, drawn(1)) > 0.5) == drawn(1).labels).mean() > 0.95


def test_a_new_wording_is_read_by_its_words() -> None:
    """Key 7 was never seen; its vector says what an anomalous template says, or what a normal one does."""
    model = LogRobust(ROBUST)
    model.fit(drawn(1), Context())
    same = told([[0, 1, 7, 4]], texts={7: "failed to serve it"})
    other = told([[0, 1, 7, 4]], texts={7: "open a block"})
    assert scores(model, same)[0] > 0.5 > scores(model, other)[0]
    np.testing.assert_allclose(scores(model, same), scores(model, told([[0, 1, 2, 4]])), atol=0.05)


@pytest.mark.parametrize("model", (MODELS[0], MODELS[3]), ids=(NAMES[0], NAMES[3]))
def test_an_unknown_key_moves_no_score_by_chance(model: Any) -> None:
    """As no training unit has one, its weights are those that the network began with."""
    found = []
    for seed in (0, 1):
        model.fit(drawn(1), Context(seed=seed))
        network = model.network
        weights = network.embedding.weight[5] if isinstance(model, Cnn) else network[0].weight[:, 5]
        found.append(weights.detach())
    assert not found[0].any() and not found[1].any()


def test_saved_models_score_alike(tmp_path: Path) -> None:
    for model, name in zip(MODELS, NAMES, strict=True):
        model.fit(drawn(1), Context())  # type: ignore[attr-defined]
        (tmp_path / name).mkdir()
        model.save(tmp_path / name)  # type: ignore[attr-defined]
        again = type(model)(model.config)  # type: ignore[attr-defined]
        again.load(tmp_path / name)
        np.testing.assert_array_equal(scores(model, drawn(3)), scores(again, drawn(3)))


@pytest.mark.parametrize("heights", [(), (0,), (9,)])
def test_heights_fit_into_a_unit(heights: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"^cnn\.heights = .*: needed is one height or more, each from 1 to"):
        Cnn(replace(CNN, heights=heights)).fit(drawn(1), Context())
