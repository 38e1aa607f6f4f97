"""Training: what it learns, what ends it, what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from next_key import SMALL, SmallModel, expanded, sessions, small_network
from torch.nn import functional as F

from logbench import ConfigError, Context, IncompatibleError, Sessions
from logbench.torch import Trainer, weighted_loss


def test_training_learns_and_a_seed_fixes_it_without_touching_global_random_state() -> None:
    torch.manual_seed(123)
    before = torch.get_rng_state()
    held, test = sessions(8), sessions(9)
    results = []
    for seed in (4, 4, 5):
        model = SmallModel(replace(SMALL, steps=200))
        facts = model.fit(sessions(1), Context(seed=seed, held_out=held))
        results.append((facts["validation_loss"], model.score(test, Context()).others["nll"].tolist()))
    assert results[0] == results[1] != results[2]
    assert torch.equal(before, torch.get_rng_state())
    windows, weights = expanded(held)
    untrained = weighted_loss(small_network(seed=4), (windows, weights)).item()
    assert results[0][0] < 0.7 * untrained
    loss = weighted_loss(model.network, (windows, weights)).item()  # type: ignore[arg-type]
    assert results[2][0] == pytest.approx(loss, rel=1e-4)


def test_facts_say_how_training_ended() -> None:
    train = sessions(1)
    windows, distinct = len(train.histories(4)), len(train.histories(4).distinct)
    facts = SmallModel(replace(SMALL, steps=7)).fit(train, Context())
    assert (facts["windows"], facts["distinct"], facts["optimiser_steps"]) == (windows, distinct, 7)
    assert facts["stop_reason"] == "7 steps" and facts["amp"] == "off" and "validation_loss" not in facts
    facts = SmallModel(replace(SMALL, stop="passes", passes=2, batch=50)).fit(train, Context())
    assert facts["optimiser_steps"] == 2 * -(-windows // 50) and facts["stop_reason"] == "2 passes"
    config = replace(SMALL, stop="passes", passes=2, batch=50, sampling="distinct")
    assert SmallModel(config).fit(train, Context())["optimiser_steps"] == 2 * -(-distinct // 50)


def test_early_stopping_restores_the_best_weights() -> None:
    few, held = sessions(1, units=8), sessions(8)
    config = replace(SMALL, stop="validation", passes=200, patience=4, lr=5e-2)
    stopped, again = SmallModel(config), SmallModel(replace(config, stop="passes"))
    facts = stopped.fit(few, Context(held_out=held))
    assert facts["passes"] == facts["best_pass"] + 4
    assert facts["stop_reason"] == "validation loss did not fall for 4 passes"
    again.config = replace(again.config, passes=facts["best_pass"])
    again.fit(few, Context(held_out=held))
    for mine, theirs in zip(stopped.network.parameters(), again.network.parameters(), strict=True):  # type: ignore[union-attr]
        assert torch.equal(mine, theirs)


def test_stopping_on_validation_needs_held_out_windows() -> None:
    for held in (None, Sessions.of([[1, 2]], 7)):
        with pytest.raises(ConfigError, match="held_out"):
            SmallModel(replace(SMALL, stop="validation")).fit(sessions(1), Context(held_out=held))


def test_the_learning_rate_decays_at_the_given_passes() -> None:
    train = sessions(1, units=10)
    rates = []
    trainer = Trainer(torch.nn.Linear(1, 1), lambda _: torch.zeros(()), replace(SMALL, lr=0.32, warm_up=5), "cpu")
    for done in range(1, 8):
        rates.append(trainer.optimiser.param_groups[0]["lr"])
        trainer.decay(done)
    assert rates == pytest.approx([0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.32])
    frozen = replace(SMALL, stop="passes", passes=5, decay=1e-30, decay_at=(2,))
    decayed, short = SmallModel(frozen), SmallModel(replace(frozen, passes=2, decay_at=()))
    decayed.fit(train, Context())
    short.fit(train, Context())
    for mine, theirs in zip(decayed.network.parameters(), short.network.parameters(), strict=True):  # type: ignore[union-attr]
        torch.testing.assert_close(mine, theirs, atol=1e-12, rtol=0)


def test_no_training_window_is_one_clear_line() -> None:
    for dedup in (True, False):
        with pytest.raises(IncompatibleError, match="none of the 2 training units has more than h = 4 events"):
            SmallModel(replace(SMALL, dedup=dedup)).fit(Sessions.of([[0, 1], [1, 0, 1]], 2), Context())


def test_a_diverging_loss_is_one_clear_line() -> None:
    model = SmallModel(replace(SMALL, lr=1e37, steps=90))
    with pytest.raises(ConfigError, match="lr"):
        model.fit(sessions(1), Context())


def test_cross_entropy_is_over_known_keys_only() -> None:
    network = small_network(seed=0)
    windows = torch.tensor([[7, 0, 7, 1, 2]])
    logits = network(windows[:, :-1])
    assert logits.shape == (1, 7)
    loss = weighted_loss(network, (windows, torch.ones(1)))
    torch.testing.assert_close(loss, F.cross_entropy(logits, torch.tensor([2])))
