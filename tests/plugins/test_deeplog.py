"""DeepLog against independent computations: a plain batch-1 loop, full gradients, brute force."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import real_data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from logbench import ConfigError, Context, DataError, IncompatibleError, Sessions
from logbench_deeplog import DeepLogConfig, logbench_models
from logbench_deeplog.batches import BruteBatches, DistinctBatches
from logbench_deeplog.memory import fastest_batch, in_batches
from logbench_deeplog.model import DeepLog
from logbench_deeplog.network import Network
from logbench_deeplog.precision import Precision
from logbench_deeplog.prefix import PrefixForward, sort_windows
from logbench_deeplog.sampling import batches_of, shuffle_distinct, spread_windows
from logbench_deeplog.scoring import judge
from logbench_deeplog.training import new_network, weighted_loss

DATA = real_data.DATA / "deeplog_archive"
SMALL = DeepLogConfig(h=4, g=2, hidden=12, steps=60, batch=16, eval_batch=32, lr=1e-2, stop="steps")
INPUTS = ("one-hot", "embedding", "scalar")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from more, and waiting threads disturb whatever else runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def walks(units: int, keys: int, seed: int, longest: int = 25) -> list[list[int]]:
    """Sequences that mostly count upwards, so that there is something to learn and much that repeats."""
    rng = np.random.default_rng(seed)
    result = []
    for length in rng.integers(1, longest, units):
        steps = rng.choice([1, 1, 1, 1, 2, 5], size=length)
        result.append((np.cumsum(steps) % keys).tolist())
    return result


def sessions(seed: int = 0, units: int = 80, keys: int = 7, unseen: bool = False) -> Sessions:
    sequences = walks(units, keys, seed)
    if unseen:
        rng = np.random.default_rng(seed)
        sequences = [[k if rng.random() > 0.03 else keys + int(rng.integers(3)) for k in s] for s in sequences]
    return Sessions.of(sequences, keys)


def fitted(config: DeepLogConfig = SMALL, seed: int = 0, **context: Any) -> DeepLog:
    model = DeepLog(config)
    model.fit(sessions(1), Context(seed=seed, **context))
    return model


def one_by_one(model: DeepLog, given: Sessions) -> list[tuple[float, int, float, int, float]]:
    """For each unit (primary, event, ignoring, ignoring_event, nll), window by window in plain Python."""
    network, h, known = model.network, model.config.h, given.vocabulary
    assert network is not None
    answers = []
    for begin, end in zip(given.offsets[:-1], given.offsets[1:], strict=True):
        before = [known + 1] * h if model.config.pad else []
        keys = [*before, *(min(int(k), known) for k in given.keys[begin:end])]
        best, at, seen, seen_at, nll = 0.0, -1, 0.0, -1, 0.0
        for event in range(h, len(keys)):
            logits = network(torch.tensor([keys[event - h : event]]))[0].tolist()
            came = keys[event]
            if came == known:
                rank, loss = np.inf, np.inf
            else:
                rank = 1 + sum(1 for k, v in enumerate(logits) if k != came and v >= logits[came])
                top = max(logits)
                loss = top + np.log(sum(np.exp(v - top) for v in logits)) - logits[came]
                if rank > seen:
                    seen, seen_at = rank, event - len(before)
            if rank > best:
                best, at = rank, event - len(before)
            nll = max(nll, loss)
        answers.append((best, at, seen, seen_at, nll))
    return answers


def columns(model: DeepLog, given: Sessions, context: Context | None = None) -> list[np.ndarray]:
    scores = model.score(given, context or Context())
    return [scores.primary, scores.event, scores.ignoring, scores.ignoring_event]  # type: ignore[list-item]


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("dedup", [True, False])
@pytest.mark.parametrize("pad", [True, False])
def test_scores_are_those_of_a_plain_loop_over_windows_one_by_one(kind: str, dedup: bool, pad: bool) -> None:
    model = fitted(replace(SMALL, input=kind, dedup=dedup, pad=pad))
    given = sessions(2, units=40, unseen=True)
    scores = model.score(given, Context())
    assert np.isinf(scores.primary).any() and (scores.primary > model.config.g).sum() > 3
    expected = [np.array(column) for column in zip(*one_by_one(model, given), strict=True)]
    got = [scores.primary, scores.event, scores.ignoring, scores.ignoring_event]
    for mine, theirs in zip(got, expected, strict=False):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_allclose(scores.others["nll"], expected[4], rtol=1e-4, atol=1e-5)
    assert scores.facts["windows"] == np.maximum(given.lengths - (0 if pad else 4), 0).sum()
    assert pad == (scores.unjudged is None)
    if scores.unjudged is not None:
        assert (given.lengths - scores.unjudged).sum() == scores.facts["windows"]


@pytest.mark.parametrize("batch", [1, 3, 512, "auto"])
def test_no_batch_size_and_no_deduplication_changes_a_score(batch: Any) -> None:
    model, given = fitted(), sessions(3, units=300, unseen=True)
    first = columns(model, given)
    for dedup in (True, False):
        model.config = replace(SMALL, eval_batch=batch, dedup=dedup)
        for mine, theirs in zip(columns(model, given), first, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_a_near_tie_is_settled_alike_for_all_batch_sizes_and_counted() -> None:
    model, given = fitted(replace(SMALL, g=3)), sessions(4, units=100)
    assert model.network is not None
    with torch.no_grad():  # keys 0 … 3 get nearly the same logit always, apart by less than fp32 can tell
        output = model.network.output
        output.weight[1:4] = output.weight[0]
        output.bias[:4] = torch.tensor([1.0, 1.0 + 1e-6, 1.0 + 2e-6, 1.0 - 1e-6])
    outcomes = []
    for dedup, batch in [(True, 1), (True, 512), (False, 1), (False, 100)]:
        model.config = replace(model.config, dedup=dedup, eval_batch=batch)
        scores = model.score(given, Context())
        outcomes.append((scores.primary.tolist(), scores.event.tolist(), scores.facts["near_boundary"]))  # type: ignore[union-attr]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0][2] > 0


def test_judge_counts_ties_against_the_key_that_came() -> None:
    logits = torch.tensor([[1.0, 1.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0], [5.0, 1.0, 1.0, 1.0]])
    rank, nll, low, high = judge(logits, torch.tensor([0, 3, 4]), 1e-5)
    assert rank.tolist() == [3, 4, 5] and low.tolist() == [2, 1, 5] and high.tolist() == [3, 4, 5]
    assert nll[1].item() == pytest.approx(np.log(4)) and nll[2].item() == np.inf


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=30),
    st.sampled_from(INPUTS),
    st.integers(1, 3),
)
def test_shared_prefixes_give_the_logits_of_torch_lstm(rows: list[list[int]], kind: Any, layers: int) -> None:
    network = new_network(3, replace(SMALL, input=kind, layers=layers), seed=1, device="cpu")
    windows = np.array(rows, dtype=np.int32)
    windows = windows[sort_windows(windows)]
    assert windows.tolist() == sorted(rows)
    histories = torch.from_numpy(windows).long()
    with torch.no_grad():
        logits, place = PrefixForward(network)(histories)
        torch.testing.assert_close(logits[place], network(histories), atol=1e-5, rtol=1e-5)
    assert len(logits) == len({tuple(row) for row in rows})


@pytest.mark.parametrize("kind", ["one-hot", "embedding"])
def test_an_unknown_key_in_a_history_is_no_input(kind: Any) -> None:
    network = new_network(3, replace(SMALL, input=kind), seed=1, device="cpu")
    assert not network.encode(torch.tensor([3])).any()
    assert network.encode(torch.tensor([0])).any()


# Training


def gradients(network: Network, windows: Tensor, weights: Tensor) -> list[Tensor]:
    network.zero_grad()
    weighted_loss(network, windows, weights).backward()
    return [p.grad.clone() for p in network.parameters() if p.grad is not None]


def expanded(given: Sessions) -> tuple[Tensor, Tensor]:
    """Every window with a known next key, and weights that make a mean, by slicing lists."""
    rows = []
    for begin, end in zip(given.offsets[:-1], given.offsets[1:], strict=True):
        keys = given.keys[begin:end].tolist()
        rows += [keys[i : i + 5] for i in range(len(keys) - 4) if keys[i + 4] < given.vocabulary]
    windows = torch.tensor(rows).clamp(max=given.vocabulary)
    return windows, torch.full((len(rows),), 1 / len(rows))


@pytest.mark.parametrize("sampling", ["windows", "distinct"])
@pytest.mark.parametrize("dedup", [True, False])
def test_the_full_batch_gradient_is_that_of_all_windows(sampling: Any, dedup: bool) -> None:
    given = sessions(5, unseen=True)
    network = new_network(7, SMALL, seed=0, device="cpu")
    config = replace(SMALL, batch=10**6, sampling=sampling)
    batches = (DistinctBatches if dedup else BruteBatches)(given.histories(4), config, 0, "cpu")
    [(windows, weights)] = batches.one_pass()
    every, mean = expanded(given)
    assert batches.windows == len(every) and len(windows) == (batches.distinct if dedup else len(every))
    for mine, theirs in zip(gradients(network, windows, weights), gradients(network, every, mean), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(("dedup", "sampling"), [(True, "windows"), (True, "distinct"), (False, "windows")])
def test_the_steps_of_a_pass_have_the_full_gradient_as_their_mean(dedup: bool, sampling: Any) -> None:
    given = sessions(6)
    network = new_network(7, SMALL, seed=0, device="cpu")
    config = replace(SMALL, batch=13, sampling=sampling)
    batches = (DistinctBatches if dedup else BruteBatches)(given.histories(4), config, 3, "cpu")
    steps = [gradients(network, *batch) for batch in batches.one_pass()]
    assert len(steps) == batches.steps > 10
    means = [torch.stack(parts).mean(0) for parts in zip(*steps, strict=True)]
    for mine, theirs in zip(means, gradients(network, *expanded(given)), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-3)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(1, 50), st.integers(0, 99))
def test_spread_windows_deals_out_each_occurrence_once_and_evenly(
    counts: list[int], batch: int, seed: int
) -> None:
    counted = np.array(counts)
    steps, total = batches_of(sum(counts), batch), np.zeros(len(counts))
    for rows, weights in spread_windows(counted, batch, np.random.default_rng(seed)):
        copies = weights * sum(counts) / steps
        np.testing.assert_allclose(copies, np.round(copies), atol=1e-3)
        assert (np.abs(copies - counted[rows] / steps) < 1 + 1e-3).all()
        total[rows] += copies
    np.testing.assert_allclose(total, counts, rtol=1e-4)


@pytest.mark.parametrize("draw", [spread_windows, shuffle_distinct])
def test_each_single_step_is_unbiased(draw: Any) -> None:
    counts, losses = np.array([50, 1, 1, 7, 2, 20]), np.array([0.1, 5.0, 3.0, 1.0, 4.0, 0.5])
    rng = np.random.default_rng(0)
    batch = 27 if draw is spread_windows else 2  # both make 3 equally large steps
    firsts = []
    for _ in range(4000):
        rows, weights = next(iter(draw(counts, batch, rng)))
        firsts.append((weights * losses[rows]).sum())
    wanted = (counts * losses).sum() / counts.sum()
    assert abs(np.mean(firsts) - wanted) < 4 * np.std(firsts) / np.sqrt(len(firsts))


def test_training_learns_and_a_seed_fixes_it_without_touching_global_random_state() -> None:
    torch.manual_seed(123)
    before = torch.get_rng_state()
    held, test = sessions(8), sessions(9)
    results = []
    for seed in (4, 4, 5):
        model = DeepLog(replace(SMALL, steps=200))
        facts = model.fit(sessions(1), Context(seed=seed, held_out=held))
        results.append((facts["validation_loss"], model.score(test, Context()).others["nll"].tolist()))
    assert results[0] == results[1] != results[2]
    assert torch.equal(before, torch.get_rng_state())
    windows, weights = expanded(held)
    untrained = weighted_loss(new_network(7, SMALL, 4, "cpu"), windows, weights).item()
    assert results[0][0] < 0.7 * untrained
    loss = weighted_loss(model.network, windows, weights).item()  # type: ignore[arg-type]
    assert results[2][0] == pytest.approx(loss, rel=1e-4)


def test_facts_say_how_training_ended() -> None:
    train = sessions(1)
    windows, distinct = len(train.histories(4)), len(train.histories(4).distinct)
    facts = DeepLog(replace(SMALL, steps=7)).fit(train, Context())
    assert (facts["windows"], facts["distinct"], facts["optimiser_steps"]) == (windows, distinct, 7)
    assert facts["stop_reason"] == "7 steps" and facts["amp"] == "off" and "validation_loss" not in facts
    facts = DeepLog(replace(SMALL, stop="passes", passes=2, batch=50)).fit(train, Context())
    assert facts["optimiser_steps"] == 2 * -(-windows // 50) and facts["stop_reason"] == "2 passes"
    config = replace(SMALL, stop="passes", passes=2, batch=50, sampling="distinct")
    assert DeepLog(config).fit(train, Context())["optimiser_steps"] == 2 * -(-distinct // 50)


def test_early_stopping_restores_the_best_weights() -> None:
    few, held = sessions(1, units=8), sessions(8)
    config = replace(SMALL, stop="validation", passes=200, patience=4, lr=5e-2)
    stopped, again = DeepLog(config), DeepLog(replace(config, stop="passes"))
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
            DeepLog(replace(SMALL, stop="validation")).fit(sessions(1), Context(held_out=held))


def test_the_learning_rate_decays_at_the_given_passes() -> None:
    train = sessions(1, units=10)
    frozen = replace(SMALL, stop="passes", passes=5, decay=1e-30, decay_at=(2,))
    decayed, short = DeepLog(frozen), DeepLog(replace(frozen, passes=2, decay_at=()))
    decayed.fit(train, Context())
    short.fit(train, Context())
    for mine, theirs in zip(decayed.network.parameters(), short.network.parameters(), strict=True):  # type: ignore[union-attr]
        torch.testing.assert_close(mine, theirs, atol=1e-12, rtol=0)


@pytest.mark.parametrize("kind", ["bf16", "fp16"])
@pytest.mark.parametrize("dedup", [True, False])
def test_mixed_precision_trains_and_reports_changed_verdicts(kind: Any, dedup: bool) -> None:
    config = replace(SMALL, amp=kind, eval_amp=kind, steps=150, dedup=dedup)
    model, held = DeepLog(config), sessions(8)
    facts = model.fit(sessions(1), Context(held_out=held))
    exact = DeepLog(replace(config, amp="off", eval_amp="off")).fit(sessions(1), Context(held_out=held))
    assert facts["amp"] == kind and facts["validation_loss"] == pytest.approx(exact["validation_loss"], rel=0.15)
    mixed = model.score(held, Context())
    model.config = replace(config, eval_amp="off")
    changed = (mixed.primary > SMALL.g) != (model.score(held, Context()).primary > SMALL.g)
    assert mixed.facts["eval_amp"] == kind and mixed.facts["verdicts_changed"] == changed.sum()


def test_amp_auto_is_off_on_a_cpu_and_the_scaler_scales_for_fp16_only() -> None:
    assert Precision.of("auto", "cpu").kind == "off"
    assert [Precision(kind, "cpu").scaler().is_enabled() for kind in ("off", "bf16", "fp16")] == [
        False,
        False,
        True,
    ]


# Memory


def test_out_of_memory_halves_the_batch_and_says_so() -> None:
    notes: list[str] = []

    def work(begin: int, end: int) -> tuple[Tensor, ...]:
        if end - begin > 10:
            raise torch.cuda.OutOfMemoryError("no memory")
        return (torch.arange(begin, end),)

    parts, batch = in_batches(95, 64, work, notes.append)
    assert parts[0].tolist() == list(range(95)) and batch == 8
    assert len(notes) == 3 and "batches of 8" in notes[-1]
    assert fastest_batch(95, work, "cpu", smallest=4) in (4, 8)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        in_batches(5, 4, lambda begin, end: work(0, 99), notes.append)


# Saving, expected keys, edges


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("pad", [True, False])
def test_a_saved_model_scores_the_same(kind: Any, pad: bool, tmp_path: Path) -> None:
    model = fitted(replace(SMALL, input=kind, hidden=8, embedding=5, pad=pad))
    model.save(tmp_path)
    if not pad:  # as they were saved before there was the choice
        saved = json.loads((tmp_path / "deeplog.json").read_text())
        del saved["pad"]
        (tmp_path / "deeplog.json").write_text(json.dumps(saved))
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}
    again, given = DeepLog(DeepLogConfig(g=2)), sessions(2, unseen=True)
    again.load(tmp_path)
    for mine, theirs in zip(columns(model, given), columns(again, given), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("name", "content"), [("deeplog.json", "{"), ("deeplog.json", "{}"), ("network.safetensors", "x"),
                          ("network.safetensors", None)]
)  # fmt: skip
def test_a_broken_saved_model_is_one_clear_line(tmp_path: Path, name: str, content: str | None) -> None:
    fitted().save(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match="not a saved deeplog model") as error:
        DeepLog(SMALL).load(tmp_path)
    assert "\n" not in str(error.value)


def test_expected_keys_are_the_likeliest_after_each_history() -> None:
    model, given = fitted(), sessions(2, units=60, unseen=True)
    events = np.random.default_rng(0).integers(0, 12, len(given))
    answer = model.expected(given, events, Context())
    assert str(answer.dtype) == "List(Int32)" and len(answer) == len(given)
    for unit, event, keys in zip(range(len(given)), events, answer.to_list(), strict=True):
        if event < 4 or event >= given.lengths[unit]:
            assert keys is None
            continue
        begin = given.offsets[unit] + event
        history = np.minimum(given.keys[begin - 4 : begin], 7)
        logits = model.network(torch.from_numpy(history)[None].long())[0].tolist()  # type: ignore[misc]
        assert keys == sorted(range(7), key=lambda key: -logits[key])[:2]
    assert model.expected(Sessions.of([], 7), np.empty(0, np.int64), Context()).to_list() == []


def test_with_padding_the_first_events_are_judged_by_what_comes_first_in_training() -> None:
    """Every training unit begins with 0 1 2; one event out of its place at the start is seen only with padding."""
    train = Sessions.of([[0, 1, 2, 3, 4, 3, 4]] * 40, 5)
    test = Sessions.of([[0, 1, 2, 3, 4, 3, 4], [3, 1, 2, 3, 4, 3, 4], [0, 4, 2, 3, 4, 3, 4], [2], []], 5)
    found: dict[bool, Any] = {}
    for pad in (True, False):
        model = DeepLog(replace(SMALL, pad=pad, steps=200, h=3))
        model.fit(train, Context())
        found[pad] = model.score(test, Context(events=True))
        keys = model.expected(test, np.array([0, 0, 1, 0, 0]), Context()).to_list()
        assert [key and key[0] for key in keys] == ([0, 0, 1, 0, None] if pad else [None] * 5)
    assert found[False].primary[3:].tolist() == [0, 0], "nothing to judge"
    assert found[False].unjudged.tolist() == [3, 3, 3, 1, 0]
    ranks = found[True].primary
    assert ranks[0] == 1 and (ranks[[1, 2, 3]] > 1).all() and ranks[4] == 0
    assert found[True].event[:4].tolist() == [0, 0, 1, 0]
    assert np.isfinite(found[True].events).all() and np.isneginf(found[False].events[:3]).all()


def test_what_is_not_judged_is_said_with_the_option_that_judges_it() -> None:
    said: dict[bool, list[str]] = {True: [], False: []}
    for pad, notes in said.items():
        fitted(replace(SMALL, pad=pad)).score(sessions(2), Context(note=notes.append))
    assert said[True] == [] and "first 4 events" in said[False][0] and "deeplog.pad=true" in said[False][0]


def test_no_training_window_is_one_clear_line() -> None:
    for dedup in (True, False):
        with pytest.raises(IncompatibleError, match="none of the 2 training units has more than h = 4 events"):
            DeepLog(replace(SMALL, dedup=dedup)).fit(Sessions.of([[0, 1], [1, 0, 1]], 2), Context())


@pytest.mark.parametrize("dedup", [True, False])
def test_no_unit_one_unit_and_short_units_are_scored(dedup: bool) -> None:
    model = fitted(replace(SMALL, dedup=dedup))
    empty = model.score(Sessions.of([], 7), Context())
    assert empty.primary.shape == (0,) and empty.facts["windows"] == 0
    short = model.score(Sessions.of([[1, 2], []], 7), Context())
    assert short.primary.tolist() == [0, 0] and short.event.tolist() == [-1, -1]  # type: ignore[union-attr]
    one = model.score(Sessions.of([[], [1, 2, 3, 4, 9], [1]], 7), Context())
    assert one.primary.tolist() == [0, np.inf, 0] and one.event.tolist() == [-1, 4, -1]  # type: ignore[union-attr]
    assert one.ignoring.tolist() == [0, 0, 0] and one.ignoring_event.tolist() == [-1, -1, -1]  # type: ignore[union-attr]


def test_one_known_key_alarms_on_unseen_keys_only_and_says_so() -> None:
    notes: list[str] = []
    model = DeepLog(replace(SMALL, g=1))
    model.fit(Sessions.of([[0] * 9] * 3, 1), Context(note=notes.append))
    assert model.score(Sessions.of([[0] * 6, [0] * 5 + [4]], 1), Context()).primary.tolist() == [1, np.inf]
    assert len(notes) == 1 and "only unseen keys can alarm" in notes[0]


def test_another_vocabulary_is_refused() -> None:
    with pytest.raises(DataError, match="7 keys"):
        fitted().score(sessions(1, keys=8), Context())


def test_a_diverging_loss_is_one_clear_line() -> None:
    model = DeepLog(replace(SMALL, lr=1e37, steps=90))
    with pytest.raises(ConfigError, match="lr"):
        model.fit(sessions(1), Context())


def test_progress_reaches_the_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[float, float | None, str]] = []
    clock = iter(range(10**6))
    monkeypatch.setattr("logbench_deeplog.ticker.time.monotonic", lambda: next(clock))
    fitted(
        replace(SMALL, steps=20), progress=lambda done, total=None, detail="": calls.append((done, total, detail))
    )
    assert [done for done, *_ in calls] == list(range(1, 21))
    assert all(total == 20 and detail.startswith("loss ") for _, total, detail in calls)


def test_traits_follow_the_configuration_and_listing_needs_no_torch() -> None:
    [component] = logbench_models()
    config = DeepLogConfig(h=3, g=5)
    assert component.traits.min_events(replace(config, pad=True)) == 1  # type: ignore[operator]
    assert component.traits.min_events(config) == 4 and component.traits.fixed_threshold(config) == 5.0  # type: ignore[operator, misc]
    assert isinstance(component.build(config), DeepLog)
    code = (
        "import sys, logbench_deeplog as deeplog; list(deeplog.logbench_models()); "
        "print({'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_random_normal_sessions_of_the_archive_reach_the_published_detection() -> None:
    if not DATA.is_dir():
        pytest.skip(f"needs the DeepLog archive in {DATA}")
    train, normal, abnormal = archive()
    order = np.random.default_rng(0).permutation(len(train))
    held, rest = train.take(order[:485]), train.take(order[485:])
    model = DeepLog(DeepLogConfig())
    model.fit(rest, Context(held_out=held))
    alarms = {name: model.score(part, Context()).primary > 9 for name, part in (("n", normal), ("a", abnormal))}
    false = (alarms["n"] | (normal.lengths <= 10)).sum() * 553_366 / len(normal)
    flagged = alarms["a"] | (abnormal.lengths <= 10)

    def f1(found: np.ndarray) -> float:
        return float(2 * found.sum() / (found.sum() + false + len(found)))

    assert f1(flagged) >= 0.94
    assert 0.90 <= f1(flagged[abnormal.lengths > 10]) <= 0.94
    assert 0.70 <= f1(flagged & (abnormal.lengths > 10)) <= 0.75


def archive() -> list[Sessions]:
    """Training, normal and abnormal sessions, keys numbered by the training sessions alone."""
    files = ("hdfs_train", "hdfs_test_normal_1pct", "hdfs_test_abnormal")
    lists = [[[int(key) for key in line.split()] for line in (DATA / f).read_text().splitlines()] for f in files]
    known = {key: number for number, key in enumerate(sorted({key for s in lists[0] for key in s}))}
    return [Sessions.of([[known.get(k, len(known)) for k in s] for s in part], len(known)) for part in lists]


def test_cross_entropy_is_over_known_keys_only() -> None:
    network = new_network(7, SMALL, seed=0, device="cpu")
    windows = torch.tensor([[7, 0, 7, 1, 2]])
    logits = network(windows[:, :-1])
    assert logits.shape == (1, 7)
    loss = weighted_loss(network, windows, torch.ones(1))
    torch.testing.assert_close(loss, F.cross_entropy(logits, torch.tensor([2])))
