"""Supervised models: what they learn, against numpy; what they refuse; rows, padding, unseen keys, saving."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rows import KEYS, BagConfig, BagModel, CountModel, RecurrentModel, bag, counted, descent, labelled, recurrent
from torch import Tensor, nn
from torch.nn import functional as F

import logbench
from logbench import ConfigError, Context, DataError, IncompatibleError, PluginError, Sessions, oversampled
from logbench.torch import SequenceClassifier, new_network, padded


def newton(rows: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Probabilities of the logistic regression without penalty, by Newton's method on every unit."""
    design = np.hstack([rows, np.ones((len(rows), 1))])
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ weights))
        hessian = design.T @ (design * (p * (1 - p))[:, None])
        weights += np.linalg.pinv(hessian) @ design.T @ (labels - p)
    return 1 / (1 + np.exp(-design @ weights))


@pytest.mark.parametrize(("model", "width"), [(BagModel, 1), (BagModel, 2), (CountModel, 1)])
def test_a_linear_network_finds_the_logistic_regression(model: Any, width: int) -> None:
    train = labelled(1)
    config = bag(width=width, lr=0.1, passes=150, batch=200, decay=0.1, decay_at=(80, 120))
    fitted = model(config)
    facts = fitted.fit(train, Context())
    expected = newton(counted(train), train.labels)
    np.testing.assert_allclose(fitted.score(train, Context()).primary, expected, atol=2e-3)
    loss = -np.log(np.where(train.labels == 1, expected, 1 - expected)).mean()
    assert facts["train_loss"] == pytest.approx(loss, rel=1e-3)
    assert (facts["labelled"], facts["anomalies"]) == (len(train), int(train.labels.sum()))  # type: ignore[union-attr]
    assert facts["distinct"] < len(train)


class Guesses(CountModel):
    """Teaches every unit a share of its own, or nothing."""

    def targets(self, train: Sessions, context: Context) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.where(train.lengths > 2, 0.2 + 0.7 * (train.lengths % 2), np.nan)


def test_targets_other_than_labels_are_what_is_learnt() -> None:
    train = labelled(1)
    model = Guesses(bag(lr=0.1, passes=150, batch=200, decay=0.1, decay_at=(80, 120)))
    facts = model.fit(replace(train, labels=np.full(len(train), -1, np.int8)), Context())
    some = train.lengths > 2
    assert 0 < some.sum() < len(train)
    taught = model.targets(train, Context())[some]
    expected = newton(counted(train)[some], taught)
    np.testing.assert_allclose(model.score(train, Context()).primary[some], expected, atol=0.02)
    assert (facts["labelled"], facts["anomalies"]) == (0, 0)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"balanced": True},
        {"anomaly_weight": 3.0},
        {"oversample": 0.45},
        {"oversample": 0.45, "balanced": True},
    ],
    ids=str,
)
def test_a_step_on_distinct_rows_is_a_step_on_all_units(more: dict[str, Any]) -> None:
    train = labelled(2)
    labels = torch.tensor(train.labels.tolist(), dtype=torch.float32)  # type: ignore[union-attr]
    times = torch.ones(len(train))
    if "oversample" in more:
        times = torch.from_numpy(oversampled(train.labels, 0.45, 0)).float()  # type: ignore[arg-type]
        assert float(times.max()) > 1
    share = float((labels * times).sum() / times.sum())
    weights = torch.where(labels == 1, more.get("anomaly_weight", 1.0), 1.0)
    if "balanced" in more:
        weights = torch.where(labels == 1, 0.5 / share, 0.5 / (1 - share))
    model = BagModel(bag(batch=10 * len(train), stop="steps", steps=1, **more))
    model.optimiser = descent(0.5)  # type: ignore[method-assign]
    facts = model.fit(train, Context(held_out=train))
    network = new_network(lambda: model.build(KEYS), 0, "cpu")
    rows = torch.from_numpy(padded(train, 8)).long()
    losses = F.binary_cross_entropy_with_logits(network(rows)[:, 0], labels, reduction="none")
    ((losses * weights * times).sum() / times.sum()).backward()  # type: ignore[no-untyped-call]
    for mine, before in zip(model.network.parameters(), network.parameters(), strict=True):  # type: ignore[union-attr]
        torch.testing.assert_close(mine, before - 0.5 * before.grad, rtol=1e-5, atol=1e-6)
    after = F.binary_cross_entropy_with_logits(model.network(rows)[:, 0], labels, reduction="none")  # type: ignore[misc]
    assert facts["validation_loss"] == pytest.approx((after * weights).mean().item(), rel=1e-4), (
        "held out as it is"
    )
    assert facts.get("repeated") == (int(times.sum()) - len(train) if "oversample" in more else None)


def test_two_kinds_of_class_weights_are_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="balanced=true and anomaly_weight=2 exclude each other"):
        BagModel(bag(balanced=True, anomaly_weight=2.0)).fit(labelled(1), Context())


def test_held_out_labels_choose_the_pass_whose_weights_stay() -> None:
    train, held = labelled(3, units=20), labelled(4)
    held = replace(held, labels=np.where(np.arange(len(held)) % 10 == 0, -1, held.labels).astype(np.int8))
    config = recurrent(lr=0.05, stop="validation", passes=100, patience=3)
    stopped = RecurrentModel(config)
    facts = stopped.fit(train, Context(held_out=held))
    assert facts["passes"] == facts["best_pass"] + 3 < 100
    known = held.take(held.labels >= 0)
    scores = stopped.score(known, Context()).primary
    losses = -np.log(np.where(known.labels == 1, scores, 1 - scores))
    assert facts["validation_loss"] == pytest.approx(losses.mean(), rel=1e-4)
    again = RecurrentModel(replace(config, stop="passes", passes=facts["best_pass"]))
    again.fit(train, Context())
    np.testing.assert_array_equal(scores, again.score(known, Context()).primary)


def test_what_cannot_be_learnt_is_one_clear_line() -> None:
    train = labelled(1)
    one, none = replace(train, labels=np.ones(len(train), np.int8)), replace(train, labels=None)
    with pytest.raises(IncompatibleError, match="needs normal and anomalous training units, got 0 and 120"):
        BagModel(bag()).fit(one, Context())
    with pytest.raises(IncompatibleError, match="content=labelled"):
        BagModel(bag()).fit(none, Context())
    unknown = replace(train, labels=np.full(len(train), -1, np.int8))
    for held in (None, unknown, Sessions.of([], KEYS, labels=np.empty(0, np.int8))):
        with pytest.raises(IncompatibleError, match=r"bag.stop=validation .*held_out"):
            BagModel(bag(stop="validation")).fit(train, Context(held_out=held))


def test_units_without_a_label_or_an_event_do_not_train_and_an_empty_unit_scores_0() -> None:
    train = labelled(1)
    assert train.labels is not None
    walks = [train.keys[a:b].tolist() for a, b in zip(train.offsets, train.offsets[1:], strict=False)]
    labels = np.append(train.labels, [-1, 1, 0]).astype(np.int8)
    more = Sessions.of([*walks, [0, 0], [], []], KEYS, labels=labels)
    one, other = RecurrentModel(recurrent()), RecurrentModel(recurrent())
    one.fit(train, Context())
    other.fit(more, Context())
    asked = Sessions.of([[], [1, 2], []], KEYS)
    scores = one.score(asked, Context()).primary
    np.testing.assert_array_equal(scores, other.score(asked, Context()).primary)
    assert scores[0] == scores[2] == 0 < scores[1]
    assert len(one.score(Sessions.of([], KEYS), Context()).primary) == 0


@pytest.mark.parametrize("keep", ["first", "last"])
def test_of_longer_units_the_network_sees_the_first_or_last_events(keep: Any) -> None:
    train = labelled(5)
    model = RecurrentModel(recurrent(length=3, keep=keep))
    facts = model.fit(train, Context())
    assert facts["truncated"] == int((train.lengths > 3).sum())
    scores = model.score(train, Context())
    walks = [train.keys[a:b].tolist() for a, b in zip(train.offsets, train.offsets[1:], strict=False)]
    short = Sessions.of([walk[:3] if keep == "first" else walk[-3:] for walk in walks], KEYS)
    np.testing.assert_array_equal(scores.primary, model.score(short, Context()).primary)
    assert scores.unjudged.tolist() == [max(len(walk) - 3, 0) for walk in walks]  # type: ignore[union-attr]
    assert model.score(short, Context()).unjudged is None


def test_scores_without_unseen_keys_are_those_of_units_without_them() -> None:
    model = RecurrentModel(recurrent())
    model.fit(labelled(5, unseen=True), Context())
    given = labelled(6, unseen=True)
    scores = model.score(given, Context())
    walks = [given.keys[a:b] for a, b in zip(given.offsets, given.offsets[1:], strict=False)]
    bare = Sessions.of([walk[walk < KEYS].tolist() for walk in walks], KEYS)
    np.testing.assert_array_equal(scores.ignoring, model.score(bare, Context()).primary)  # type: ignore[arg-type]
    assert (scores.ignoring != scores.primary).any()
    far = replace(given, keys=np.where(given.keys >= KEYS, given.keys + 1000, given.keys).astype(np.int32))
    np.testing.assert_array_equal(scores.primary, model.score(far, Context()).primary)


def test_a_score_does_not_depend_on_the_batch_or_on_other_units() -> None:
    model = RecurrentModel(recurrent())
    model.fit(labelled(5), Context())
    given = labelled(7, units=70)
    expected = model.score(given, Context()).primary
    for size in (1, 3, 64):
        model.config = replace(model.config, eval_batch=size)
        np.testing.assert_array_equal(model.score(given, Context()).primary, expected)
    alone = [model.score(given.take(np.array([unit])), Context()).primary[0] for unit in range(5)]
    assert alone == expected[:5].tolist()
    network, rows = model.network, torch.from_numpy(padded(given, 8)).long()
    with torch.inference_mode():
        logits = network(rows)[:, 0].double()  # type: ignore[misc]
    np.testing.assert_allclose(expected, torch.sigmoid(logits).numpy(), rtol=1e-5)


def test_a_seed_gives_the_same_scores_and_leaves_global_random_state() -> None:
    torch.manual_seed(5)
    before, train = torch.get_rng_state(), labelled(5)
    scores = []
    for seed in (3, 3, 4):
        model = RecurrentModel(recurrent())
        model.fit(train, Context(seed=seed))
        scores.append(model.score(train, Context()).primary.tolist())
    assert scores[0] == scores[1] != scores[2]
    assert torch.equal(before, torch.get_rng_state())


def test_a_saved_network_keeps_its_shape_and_takes_the_other_options_of_today(tmp_path: Path) -> None:
    model, given = BagModel(bag(length=5, keep="last", width=2)), labelled(8, unseen=True)
    model.fit(labelled(5), Context())
    model.save(tmp_path)
    again = BagModel(BagConfig(eval_batch=7))
    again.load(tmp_path)
    assert (again.config.length, again.config.keep, again.config.width) == (5, "last", 2)
    assert (again.config.eval_batch, again.keys) == (7, KEYS)
    np.testing.assert_array_equal(model.score(given, Context()).primary, again.score(given, Context()).primary)
    with pytest.raises(DataError, match="trained on 5 keys, not on 6"):
        again.score(Sessions.of([[1]], 6), Context())
    (tmp_path / "bag.json").unlink()
    with pytest.raises(DataError, match="not a saved bag model"):
        again.load(tmp_path)


def test_mixed_precision_in_scoring_says_what_it_changes() -> None:
    model, given = BagModel(bag(lr=0.1)), labelled(8)
    model.fit(labelled(5), Context())
    exact = model.score(given, Context())
    assert "eval_amp" not in exact.facts
    model.config = replace(model.config, eval_amp="bf16")
    mixed = model.score(given, Context())
    assert mixed.facts["eval_amp"] == "bf16"
    change = np.abs(mixed.primary - exact.primary).max()
    assert mixed.facts["largest_change"] == pytest.approx(change) and change < 0.05


class Odd(nn.Module):
    """Gives whatever shape the test asks for, or insists on single precision."""

    def __init__(self, keys: int, shape: tuple[int, ...] | None) -> None:
        super().__init__()
        self.shape, self.output = shape, nn.Linear(keys + 2, 1)

    def forward(self, keys: Tensor) -> Tensor:
        logits: Tensor = self.output(F.one_hot(keys, self.output.in_features).sum(1).float())
        return logits if self.shape is None else logits.expand(-1, *self.shape[1:])


class OddModel(SequenceClassifier[BagConfig]):
    """See `Odd`."""

    name = "odd"
    shape: tuple[int, ...] | None = None

    def build(self, keys: int) -> Odd:
        return Odd(keys, self.shape)


def test_a_network_that_answers_anything_else_is_one_clear_line() -> None:
    model = OddModel(bag(passes=1))
    model.shape, model.double = (-1, 3), False  # type: ignore[misc]
    with pytest.raises(PluginError, match=r"odd: the network must give logits .* got \[\d+, 3\]"):
        model.fit(labelled(1), Context())


def test_a_network_that_cannot_score_in_double_precision_says_so_or_scores_in_single() -> None:
    model, train = OddModel(bag(passes=1)), labelled(1)
    with pytest.raises(PluginError, match="double") as error:
        model.fit(train, Context())
    assert "\n" not in str(error.value)
    model.double = False  # type: ignore[misc]
    model.fit(train, Context())
    rows = torch.from_numpy(padded(train, 8)).long()
    expected = torch.sigmoid(model.network(rows)[:, 0]).tolist()  # type: ignore[misc]
    np.testing.assert_allclose(model.score(train, Context()).primary, expected, rtol=1e-5)


def test_in_a_run_labels_held_out_end_training_and_a_score_stands_alone() -> None:
    protocol = {"content": "labelled", "train": "ratio", "train_ratio": 0.5, "held_out": 0.2}
    settings = {"dataset": {"blocks": 600}, "protocol": {**protocol, "threshold": "fixed"}}
    model = BagModel(bag(length=30, stop="validation", lr=0.1, passes=5))
    (record,) = logbench.run(model, dataset="hdfs-sim", settings=settings, out=None)
    assert record.status == "ok", record.error
    assert record.audit["labels"] == "training and held-out units" and record.audit["alone"]["differ"] == 0
    assert 1 <= record.training["best_pass"] <= 5 == len(record.training["validation_by_pass"])
    assert record.threshold["value"] == 0.5
