"""PLELog: what clusters say of units without a label, and a GRU that learns from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from one_thread import one_thread  # noqa: F401 (a fixture)

from logbench import Context, IncompatibleError, Sessions
from logbench.torch import SequenceClassifier
from logbench_supervised import PleLogConfig
from logbench_supervised.guessing import clustered, guessed
from logbench_supervised.plelog import Network, PleLog

SMALL = PleLogConfig(
    length=12, cluster=10, components=3, hidden=6, layers=1, batch=20, lr=2e-2, stop="passes", passes=15
)
SAID = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)


def told(units: list[list[int]], labels: list[int] | None = None) -> Sessions:
    """Units of 6 known keys, each with a vector."""
    flat = np.array([key for unit in units for key in unit], np.int32)
    sessions = Sessions.of(units, 6, vectors=SAID, vector_ids=flat)
    return sessions if labels is None else replace(sessions, labels=np.array(labels, np.int8))


def drawn(seed: int, count: int = 160) -> Sessions:
    """Units of two kinds of length 3 … 8; those with keys 4 and 5, a quarter, are anomalous."""
    rng = np.random.default_rng(seed)
    kinds = [[0, 1, 2, 3] if at % 4 else [0, 4, 5, 4] for at in range(count)]
    return told([[*kind, *[1] * rng.integers(0, 2)] for kind in kinds], [int(at % 4 == 0) for at in range(count)])


def some_known(sessions: Sessions, every: int = 5) -> Sessions:
    """Only every fifth label, as under a label budget."""
    assert sessions.labels is not None
    labels = np.where(np.arange(len(sessions)) % every == 0, sessions.labels, -1).astype(np.int8)
    return replace(sessions, labels=labels)


@pytest.mark.parametrize(
    ("cluster", "same", "label", "taught"),
    [
        (0, False, -1, 0.1),  # its cluster has a known normal unit
        (0, True, -1, 0.1),
        (1, False, -1, 0.9),  # its cluster has none
        (1, True, -1, 0.9),
        (-1, True, -1, 0.0),  # noise that equals a known normal unit: without doubt
        (-1, False, -1, 1.0),  # noise that does not
        (2, False, -1, 0.9),  # its cluster has a known anomaly alone
        (1, False, 0, 0.0),  # a label that is known goes first
        (0, False, 1, 1.0),
        (-1, False, 1, 1.0),
    ],
)
def test_cluster_known_normal_and_noise_say_what_a_unit_is_taught(
    cluster: int, same: bool, label: int, taught: float
) -> None:
    """The unit asked for belongs to its cluster by .8; cluster 0 has a known normal unit, noise has one, too."""
    clusters, strength = np.array([0, -1, 2, cluster]), np.array([1.0, 0.0, 1.0, 0.8 if cluster >= 0 else 0.0])
    labels = np.array([0, 0, 1, label], np.int8)
    if (cluster, label) == (1, 0):
        clusters[3] = 1  # the only one of its cluster
    found = guessed(clusters, strength, labels, np.array([True, True, False, same]))
    assert found[:3].tolist() == [0, 0, 1] and found[3] == pytest.approx(taught)


def test_a_unit_that_belongs_nowhere_by_number_is_taught_nothing_sure() -> None:
    found = guessed(np.array([0, 1]), np.array([np.nan, np.nan]), np.array([-1, -1], np.int8), np.zeros(2, bool))
    assert found.tolist() == [0.5, 0.5]


def test_clusters_are_the_groups_there_are_and_a_seed_fixes_them() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat([0, 1, 2], 60)
    sums = rng.normal(size=(3, 8))[groups] * 10 + rng.normal(size=(180, 8))
    sums = np.concatenate([sums, [[1000.0] * 8]])
    found, strength = clustered(sums, SMALL, 0)
    assert found[-1] == -1 and strength[-1] == 0
    for group in range(3):
        inside = found[:-1][groups == group]
        assert (inside == np.bincount(inside[inside >= 0]).argmax()).mean() > 0.8
    again, _ = clustered(sums, SMALL, 0)
    np.testing.assert_array_equal(found, again)
    nothing, _ = clustered(np.ones((12, 4)), SMALL, 0)
    assert len(nothing) == 12


def test_known_normal_units_teach_what_is_anomalous() -> None:
    """No label of an anomaly is seen: what is in no cluster with a known normal unit is one."""
    model, train = PleLog(SMALL), some_known(drawn(1))
    facts = model.fit(train, Context())
    new = drawn(2)
    assert new.labels is not None
    assert ((model.score(new.unlabelled(), Context()).primary > 0.5) == new.labels).all()
    assert facts["labelled"] == 32 and facts["guessed_normal"] + facts["guessed_anomalous"] == 160 - 24
    assert facts["guessed_anomalous"] == 40


class Taught(SequenceClassifier[PleLogConfig]):
    """The same network and rows, taught its labels and nothing else."""

    name, keys_only = "plelog", False
    build, rows, lengths, encoder, optimiser = (
        PleLog.build, PleLog.rows, PleLog.lengths, PleLog.encoder, PleLog.optimiser,
    )  # fmt: skip


def test_with_all_labels_it_is_a_supervised_network() -> None:
    train, new = drawn(1), drawn(3)
    found = []
    for kind in (PleLog, Taught):
        model: Any = kind(replace(SMALL, known="all", passes=2))
        facts = model.fit(train, Context())
        assert "clusters" not in facts
        found.append(model.score(new.unlabelled(), Context()).primary)
    np.testing.assert_array_equal(*found)


def test_of_too_many_units_some_are_clustered_and_the_others_without_a_label_do_not_train() -> None:
    train = some_known(drawn(1))
    notes: list[str] = []
    assert train.labels is not None and train.vectors is not None
    targets = PleLog(replace(SMALL, max_train=90)).targets(train, Context(seed=5, note=notes.append))
    assert notes == [
        "90 of 160 training units are clustered (max_train), drawn by the seed; others without a label do "
        "not train"
    ]
    normal = train.labels == 0
    some = np.sort(np.random.default_rng(5).choice(160, 90, replace=False))
    assert (targets[normal] == 0).all()
    assert np.array_equal(~np.isnan(targets), normal | np.isin(np.arange(160), some))
    units = [tuple(unit.keys.tolist()) for unit in train]
    sums = np.array([train.vectors[list(unit)].astype(np.float64).sum(0) for unit in units])
    clusters, strength = clustered(sums[some], SMALL, 5)
    same = np.array([unit in {units[at] for at in np.flatnonzero(normal)} for unit in units])
    known = np.where(normal, 0, -1).astype(np.int8)
    np.testing.assert_allclose(targets[some], guessed(clusters, strength, known[some], same[some]), rtol=1e-9)
    notes.clear()
    PleLog(replace(SMALL, max_train=160)).targets(train, Context(note=notes.append))
    assert not notes


def test_labels_of_anomalies_count_only_where_they_are_asked_for() -> None:
    """Unit 5 is labelled an anomaly, and lies in a cluster of known normal units."""
    train = some_known(drawn(1))
    assert train.labels is not None
    train.labels[5] = 1
    without = replace(train, labels=np.where(train.labels == 1, np.int8(-1), train.labels))
    targets = [PleLog(SMALL).targets(one, Context()) for one in (train, without)]
    np.testing.assert_array_equal(*targets)
    assert targets[0][5] < 0.5
    assert PleLog(replace(SMALL, known="all")).targets(train, Context())[5] == 1


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def by_formula(network: Network, steps: Any) -> Any:
    """Logits [2] of the events of one unit, float64 [L, W]: gate by gate, in the order of torch's weights."""
    weights = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    for layer in range(network.gru.num_layers):
        both = []
        for suffix, turn in (("", 1), ("_reverse", -1)):
            into, back = (weights[f"gru.weight_{kind}_l{layer}{suffix}"] for kind in ("ih", "hh"))
            added, kept = (weights[f"gru.bias_{kind}_l{layer}{suffix}"] for kind in ("ih", "hh"))
            state, states = np.zeros(back.shape[1]), []
            for step in steps[::turn]:
                (reset, update, new), (r, u, n) = (
                    np.split(into @ step + added, 3),
                    np.split(back @ state + kept, 3),
                )
                share = sigmoid(update + u)
                state = share * state + (1 - share) * np.tanh(new + sigmoid(reset + r) * n)
                states.append(state)
            both.append(states[::turn])
        steps = np.concatenate(both, 1)
    weighed = np.zeros(len(steps))
    if "guide" in weights:
        beside = np.concatenate([np.tile(weights["guide"], (len(steps), 1)), steps], 1)
        weighed = np.tanh(beside @ weights["weigh.weight"][0] + weights["weigh.bias"])
    share = np.exp(weighed) / np.exp(weighed).sum()
    return weights["output.weight"] @ (share @ steps) + weights["output.bias"]


@pytest.mark.parametrize("attend", ["learnt", "mean"])
def test_the_network_gives_what_the_formulas_give_for_each_unit_alone(attend: Any) -> None:
    torch.manual_seed(0)
    network = Network(5, replace(SMALL, layers=2, attend=attend)).double().eval()
    model, units = PleLog(SMALL), [[0, 5, 1], [2], [4, 4, 3, 2, 1, 0, 0, 5]]
    given = told(units)
    steps, there = model.encoder(given, "cpu")(torch.from_numpy(model.rows(given)).long())
    for unit, found in zip(units, network(steps.double(), there).detach().numpy(), strict=True):
        vectors = SAID[unit] / np.sqrt((SAID[unit].astype(np.float64) ** 2).mean(1, keepdims=True))
        np.testing.assert_allclose(found, by_formula(network, vectors), atol=1e-6)


def test_attention_is_trained_and_a_mean_has_nothing_to_train() -> None:
    torch.manual_seed(0)
    learnt, mean = (Network(5, replace(SMALL, attend=one)) for one in ("learnt", "mean"))  # type: ignore[arg-type]
    learnt(torch.randn(4, 8, 5), torch.ones(4, 8, dtype=torch.bool))[:, 1].sum().backward()
    for part in (learnt.guide, learnt.weigh.weight):  # type: ignore[union-attr]
        assert part is not None and part.grad is not None and float(part.grad.abs().max()) > 0
    sizes = [sum(one.numel() for one in network.parameters()) for network in (learnt, mean)]
    assert sizes[0] - sizes[1] == 12 + (24 + 1), (
        "a guide as wide as both directions, and what weighs it and a step"
    )


def test_vectors_are_looked_up_as_far_as_the_longest_unit_of_a_batch() -> None:
    model, units = PleLog(SMALL), told([[0, 1], [2], [0, 1, 2, 3, 4]])
    rows = torch.from_numpy(model.rows(units)).long()
    assert rows.shape == (3, SMALL.length)
    encode = model.encoder(units, "cpu")
    for batch, lengths in ((rows[:2], [2, 1]), (rows[1:2], [1]), (rows, [2, 1, 5])):
        vectors, there = encode(batch)
        assert vectors.shape == (len(batch), max(lengths), 5) and there.sum(1).tolist() == lengths
        assert torch.equal(vectors.any(2), there)


def test_what_fills_up_a_unit_does_not_count() -> None:
    torch.manual_seed(0)
    network = Network(5, SMALL).double().eval()
    steps = torch.randn(2, 4, 5, dtype=torch.float64)
    there = torch.tensor([[True] * 4, [True, True, False, False]])
    wide = torch.cat([steps, torch.randn(2, 3, 5, dtype=torch.float64)], 1), torch.nn.functional.pad(there, (0, 3))
    torch.testing.assert_close(network(steps, there), network(*wide), rtol=0, atol=1e-12)
    alone = network(steps[1:, :2], there[1:, :2])
    torch.testing.assert_close(network(steps, there)[1:], alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("attend", ["learnt", "mean"])
def test_gradients_are_those_of_small_steps(attend: Any) -> None:
    torch.manual_seed(0)
    network = Network(3, replace(SMALL, hidden=2, attend=attend)).double()
    there = torch.tensor([[True] * 3, [True, False, False]])
    steps = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda given: network(given, there), (steps,))


def test_nothing_is_guessed_without_any_label() -> None:
    with pytest.raises(IncompatibleError, match="needs labels"):
        PleLog(SMALL).fit(drawn(1).unlabelled(), Context())
