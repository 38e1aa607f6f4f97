"""LogBERT: the published forward pass, what is hidden, what is learnt, and scores against a plain loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from one_thread import one_thread  # noqa: F401 (a fixture)
from reference_weights import filled
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from walks import KEYS, walks

from logbench import ConfigError, Context, Sessions
from logbench_masked import LogBertConfig, LogBertSmallConfig
from logbench_masked.hiding import disguised, drawn
from logbench_masked.logbert import LogBert, LogBertSmall
from logbench_masked.network import Block, Network, Norm

PUBLISHED = LogBertConfig(variant="logbert")
SMALL = LogBertConfig(length=12, hidden=16, layers=1, heads=2, dropout=0, draws=4, stop="passes", passes=3)


def fitted(config: LogBertConfig = SMALL, seed: int = 0) -> LogBert:
    model = LogBert(config)
    model.fit(walks(1), Context(seed=seed, held_out=walks(2)))
    return model


def test_with_the_same_weights_the_network_gives_what_the_published_one_gives() -> None:
    """Log-probabilities at the 10 places and the unit's state, of the code at revision a845e61."""
    assert [sum(w.numel() for w in Network(keys, PUBLISHED).parameters()) for keys in (14, 28)] == [
        2_119_700,
        2_126_882,
    ]
    network = filled(Network(14, replace(PUBLISHED, hidden=32, layers=2)))
    assert sum(weight.numel() for weight in network.parameters()) == 18_516
    states = network(torch.tensor([[3, 8, 8, 8, 4, 9, 10, 4, 10, 11, 0, 0]]))[0].detach()
    guesses = network.output(states[:10]).log_softmax(1).detach()
    first = [-3.668438, -3.532121, -3.218661, -2.887012, -2.66659, -2.596473, -2.643708, -2.76591]
    np.testing.assert_allclose(guesses[0, :8], first, atol=1e-5)
    assert (float(guesses.sum()), float(guesses.square().sum())) == pytest.approx((-570.36104, 1735.24418))
    unit = [0.3295, 0.578626, -0.64723, 0.792173, 0.318946, 1.299022, -0.239803, 0.357402]
    np.testing.assert_allclose(states[0, :8], unit, atol=1e-5)
    assert (float(states[0].sum()), float(states[0].square().sum())) == pytest.approx((15.82796, 20.68609))
    torch.testing.assert_close(guesses.exp().sum(1), torch.ones(10))


@pytest.mark.parametrize("variant", ["paper", "logbert"])
def test_scores_are_those_of_a_plain_loop_over_units_and_draws(variant: str) -> None:
    """One unit and one draw at a time, nothing filled up, ranks by counting."""
    model = fitted(replace(SMALL, variant=variant))  # type: ignore[arg-type]
    given, network = walks(3, unknown=True), model.network
    assert isinstance(network, Network)
    scores = model.score(given, Context())
    double = LogBert(model.config).build(KEYS).double().eval()
    double.load_state_dict(network.state_dict())
    expected = []
    for unit in given:
        keys, missed, hidden = unit.keys[:12], 0, 0
        for draw in network.draws[:, : len(keys)].tolist():
            codes = [4 if hide else 1 if key >= KEYS else key + 5 for key, hide in zip(keys, draw, strict=True)]
            logits = double.output(double(torch.tensor([[3, *codes]]))[0, 1:]).detach().numpy()[:, 5:]
            for key, hide, row in zip(keys, draw, logits, strict=True):
                hidden += hide
                missed += hide and (key >= KEYS or (row >= row[key]).sum() > int(network.found))
        expected.append(missed / hidden)
    np.testing.assert_allclose(scores.primary, expected, atol=1e-7)
    assert len(set(scores.primary)) > 5
    assert scores.unjudged is not None and scores.unjudged.tolist() == np.maximum(given.lengths - 12, 0).tolist()
    alone = [model.score(given.take(np.array([unit])), Context()).primary[0] for unit in range(8)]
    assert alone == scores.primary[:8].tolist()
    network.draws.zero_()
    assert not model.score(given, Context()).primary.any()  # nothing hidden, nothing missed


def test_each_place_is_hidden_in_as_many_draws_as_any_other() -> None:
    torch.manual_seed(0)
    times = drawn(8, 300, 0.65).sum(0)
    assert set(times.tolist()) == {5, 6} and float(times.double().mean()) == pytest.approx(8 * 0.65, abs=0.1)
    assert drawn(3, 50, 1.0).all()
    again = [fitted(seed=seed).network.draws for seed in (0, 0, 1)]  # type: ignore[union-attr, operator]
    assert torch.equal(again[0], again[1]) and not torch.equal(again[0], again[2])


def test_what_is_disguised_is_mostly_masked_and_nothing_else_changes() -> None:
    torch.manual_seed(0)
    codes = torch.cat([torch.full((1, 1), 3), torch.full((1, 40_000), 7)], 1)
    hidden = torch.rand(1, 40_000) < 0.5
    events = disguised(codes, hidden, 5, 10)[:, 1:]
    assert (events[~hidden] == 7).all() and events.min() >= 4
    shares = [float((events[hidden] == code).double().mean()) for code in (4, 7, 9)]
    np.testing.assert_allclose(shares, [0.8, 0.1 + 0.01, 0.01], atol=0.01)
    assert disguised(codes, hidden, 0, 10)[:, 1:].min() < 4  # the published code's


@pytest.mark.parametrize("sphere", [0.0, 0.5])
def test_the_loss_is_that_of_a_plain_loop_over_hidden_keys(sphere: float) -> None:
    """In evaluation, where the first draw hides: each unit's mean over hidden keys, and its distance from the
    centre, whichever units are beside it.
    """
    model = fitted(replace(SMALL, sphere=sphere))
    network, given = model.network.double(), walks(4)  # type: ignore[union-attr]
    assert isinstance(network, Network)
    expected = []
    for unit in given:
        keys, draw = unit.keys[:12], network.draws[0].tolist()
        codes = [4 if hide else key + 5 for key, hide in zip(keys, draw, strict=False)]
        states = network(torch.tensor([[3, *codes]]))[0].detach()
        chances = network.output(states[1:]).softmax(1).detach()
        losses = [-float(chances[at, key + 5].log()) for at, key in enumerate(keys) if draw[at]]
        far = float((states[0] - network.centre).square().mean())
        expected.append((np.mean(losses) if losses else 0.0) + sphere * far)
    rows = torch.from_numpy(model.rows(given)).long()
    np.testing.assert_allclose(model.losses(network, rows).detach(), expected, rtol=1e-6)
    np.testing.assert_allclose(model.losses(network, rows[:3]).detach(), expected[:3], rtol=1e-6)


def test_the_sphere_draws_units_to_the_centre() -> None:
    far = []
    for sphere in (0.0, 10.0):
        model = fitted(replace(SMALL, sphere=sphere, passes=15, lr=5e-3))
        rows = torch.from_numpy(model.rows(walks(2))).long()
        with torch.no_grad():
            network = model.network
            assert isinstance(network, Network)
            model.config = replace(model.config, sphere=1.0)
            with_it, without = model.losses(network, rows), replace(model.config, sphere=0.0)
            model.config = without
            far.append(float((with_it - model.losses(network, rows)).mean()))
    assert far[1] < far[0] / 5


def test_units_are_learnt_by_heart() -> None:
    train = Sessions.of([((start + np.arange(12)) % 8).tolist() for start in range(8)], 8)
    config = replace(SMALL, hidden=32, layers=2, heads=4, mask=0.3, sphere=0, g=1, lr=1e-2)
    model = LogBert(replace(config, passes=300, decay_at=(150,)))
    model.fit(train, Context())
    assert model.network is not None
    assert float(model.losses(model.network, torch.from_numpy(model.rows(train)).long()).detach().mean()) < 0.05
    assert not model.score(train, Context()).primary.any()


def test_what_follows_tells_what_was_hidden() -> None:
    """The first key is one of two by chance; the second tells which."""
    train = Sessions.of([[0, 2], [1, 3]] * 30, 4)
    model = LogBert(replace(SMALL, mask=0.5, lr=1e-2, stop="steps", steps=60, g=1))
    model.fit(train, Context())
    network = model.network
    assert isinstance(network, Network)
    network.draws[:] = torch.arange(12) == 0
    found = model.score(Sessions.of([[0, 2], [1, 3], [1, 2], [0, 3]], 4), Context()).primary
    assert found.tolist() == [0, 0, 1, 1]


def test_what_fills_up_a_unit_does_not_count() -> None:
    network = fitted().network.double()  # type: ignore[union-attr]
    codes = torch.tensor([[3, 5, 4, 7]])
    wide = torch.nn.functional.pad(codes, (0, 9))
    torch.testing.assert_close(network(codes), network(wide)[:, :4], rtol=0, atol=1e-12)


def test_finding_g_makes_no_column_a_key_for_every_event() -> None:
    """Units of 60 events, 500 keys: more values than logits of one draw would be a table of events by keys."""
    keys, units, length, draws = 500, 8, 60, 4
    flat = np.random.default_rng(0).integers(0, keys, (units, length)).tolist()
    model = LogBert(replace(SMALL, length=length, draws=draws, g=1, passes=1))
    model.fit(Sessions.of(flat, keys), Context())
    assert isinstance(model.network, Network)
    largest = 0

    class Watched(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal largest
            answer = func(*args, **(kwargs or {}))
            largest = max(
                [largest, *(one.numel() for one in tree_leaves(answer) if isinstance(one, torch.Tensor))]
            )
            return answer

    with Watched():
        model._found(model.network, Sessions.of(flat, keys), Context())
    assert units * length * 20 < largest <= units * length * (keys + 5)


def test_g_is_the_smallest_that_leaves_few_keys_of_held_out_units_unfound() -> None:
    held = walks(2)
    for missed in (0.05, 0.3):
        model = fitted(replace(SMALL, missed=missed, passes=8))
        network = model.network
        assert isinstance(network, Network)
        g, shares = int(network.found), []
        for value in (g - 1, g):
            network.found.fill_(value)
            hidden = [int(network.draws[:, :length].sum()) for length in np.minimum(held.lengths, 12)]
            shares.append((model.score(held, Context()).primary * hidden).sum() / sum(hidden))
        assert shares[1] <= missed + 1e-6 and (g == 1 or shares[0] > missed)
    assert int(fitted(replace(SMALL, g=5)).network.found) == 5  # type: ignore[union-attr, arg-type]
    facts = LogBert(SMALL).fit(Sessions.of([[0] * 20, [1, 2]], KEYS), Context())
    assert facts["truncated"] == 1 and 1 <= facts["g"] <= KEYS


def test_the_published_learning_rate_rises_and_falls() -> None:
    model = LogBert(replace(SMALL, schedule="noam", warmup=10))
    optimiser, schedule = model.optimiser(model.build(KEYS), 100)
    assert optimiser is not None and schedule is not None
    rates = []
    for _ in range(40):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    steps = np.arange(1, 41)
    np.testing.assert_allclose(rates, 16**-0.5 * np.minimum(steps**-0.5, steps * 10**-1.5))


@pytest.mark.parametrize("part", [Norm(4), Block(replace(SMALL, variant="logbert", hidden=4))])
def test_gradients_are_those_of_small_steps(part: torch.nn.Module) -> None:
    torch.manual_seed(0)
    steps = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    more = (torch.tensor([[True] * 3, [True, True, False]]),) if isinstance(part, Block) else ()
    assert torch.autograd.gradcheck(lambda given: part.double()(given, *more), (steps,))


def test_saved_models_score_alike(tmp_path: Path) -> None:
    model, again = fitted(), LogBert(replace(SMALL, hidden=32, draws=2))
    model.save(tmp_path)
    again.load(tmp_path)
    np.testing.assert_array_equal(*(one.score(walks(5), Context()).primary for one in (model, again)))


def test_heads_must_share_a_vector_and_errors_name_the_model() -> None:
    with pytest.raises(ConfigError, match=r"^logbert-small\.hidden = 64 must be a multiple of twice .*heads = 3$"):
        LogBertSmall(LogBertSmallConfig(heads=3)).fit(walks(1), Context(held_out=walks(2)))
