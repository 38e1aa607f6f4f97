"""DeepLog's model of values against independent computations: numpy, a plain LSTM, series of known noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from one_thread import one_thread  # noqa: F401 (a fixture)
from scipy.stats import chi2, norm
from torch import nn

import logbench
from logbench import Context, Sessions
from logbench_deeplog import ValuesConfig
from logbench_deeplog.values.chosen import Chosen
from logbench_deeplog.values.limits import Limits, upper_quantile
from logbench_deeplog.values.model import Values
from logbench_deeplog.values.network import KeyLSTMs
from logbench_deeplog.values.numbers import nominal, numbers_of
from logbench_deeplog.values.series import Series

SMALL = ValuesConfig(hidden=16, steps=400, batch=64, lr=5e-3)
QUICK = replace(SMALL, hidden=4, steps=5)


def series(units: int, length: int, seed: int, a: float = 20.0, b: float = 0.6, noise: float = 3.0) -> np.ndarray:
    """Values [units, length], each a + b · the one before + noise; they start from their own distribution."""
    rng = np.random.default_rng(seed)
    values = np.empty((units, length))
    values[:, 0] = rng.normal(a / (1 - b), noise / (1 - b * b) ** 0.5, units)
    for at in range(1, length):
        values[:, at] = a + b * values[:, at - 1] + rng.normal(0, noise, units)
    return values


def entries(values: np.ndarray, **columns: Any) -> Sessions:
    """A session a row, an entry `took <*> ms` a value."""
    messages = [f"took {value:.3f} ms" for value in values.ravel()]
    keys = [[0] * values.shape[1]] * len(values)
    return Sessions.of(keys, 1, templates=("took <*> ms",), messages=messages, **columns)


def fitted(train: Sessions, config: ValuesConfig = SMALL) -> Values:
    model = Values(config)
    model.fit(train, Context())
    return model


def test_a_series_reaches_the_variance_of_its_noise_and_six_deviations_alarm_alone() -> None:
    model = Values(SMALL)
    facts = model.fit(entries(series(100, 50, 0)), Context())
    [values] = model.features
    assert facts["train_loss"] * values.scale[0] ** 2 == pytest.approx(9.0, rel=0.1)
    assert model.limits[0].mean * values.scale[0] ** 2 == pytest.approx(9.0, rel=0.15)
    test = series(20, 50, 1)
    assert (model.score(entries(test), Context()).primary <= 1).all()
    test[7, 25] = test.mean() + 6 * test.std()
    scores = model.score(entries(test), Context(events=True))
    assert scores.events is not None
    assert np.flatnonzero(scores.events > 1).tolist() == [7 * 50 + 25], "it, and none of those after it"
    assert (
        np.flatnonzero(scores.primary > 1).tolist() == [7] and scores.event is not None and scores.event[7] == 25
    )
    expected = 20 + 0.6 * test[7, 24]
    [text] = model.explain(entries(test[7:8]), np.array([25]), Context())
    assert text.startswith(f"values: value 1 {test[7, 25]:.3f}, expected ")
    assert float(text.split()[-1]) == pytest.approx(expected, abs=3)


def test_a_shift_that_stays_alarms_where_it_begins_alone() -> None:
    model = fitted(entries(series(60, 40, 0, b=0.95, a=2.5, noise=0.5)))
    test = series(1, 40, 1, b=0.95, a=2.5, noise=0.5)
    test[0, 20:] += 6 * test.std()
    levels = model.judge(entries(test), Context()).level
    assert np.flatnonzero(levels > 1).tolist() == [20]


def test_the_limits_are_those_of_numpy_and_of_the_true_distribution() -> None:
    errors = np.random.default_rng(0).chisquare(1, 2000)
    config = ValuesConfig(confidence=0.99)
    limits = Limits.of(errors, config)
    assert (limits.mean, limits.std, limits.count) == (np.mean(errors), np.std(errors), 2000)
    assert limits.gaussian == pytest.approx(np.mean(errors) + norm.ppf(0.99) * np.std(errors))
    assert limits.quantile == np.sort(errors)[int(np.ceil(0.99 * 1999))]
    assert limits.most == max(limits.gaussian, limits.quantile) and limits.least == 0
    assert upper_quantile(errors, 0.9999) == pytest.approx(chi2.ppf(0.9999, 1), rel=0.2), "too few to count"
    sides = Limits.of(errors + 5, replace(config, two_sided=True, interval="gaussian"))
    low = np.mean(errors + 5) - norm.ppf(0.995) * np.std(errors)
    assert sides.least == pytest.approx(low) and sides.level(np.array([low * 0.9]))[0] > 1
    assert (sides.level(np.array([low * 1.1, sides.most])) <= 1).all()


def test_each_key_runs_and_trains_as_an_lstm_of_its_own() -> None:
    torch.manual_seed(0)
    both = KeyLSTMs(2, 3, 5, 2)
    histories = torch.randn(2, 7, 4, 3)
    for key in range(2):
        lstm, out = nn.LSTM(3, 5, 2, batch_first=True), nn.Linear(5, 3)
        with torch.no_grad():
            for layer, (weight, bias) in enumerate(zip(both.weights, both.biases, strict=True)):
                width = weight.shape[1] - 5
                getattr(lstm, f"weight_ih_l{layer}").copy_(weight[key, :width].T)
                getattr(lstm, f"weight_hh_l{layer}").copy_(weight[key, width:].T)
                getattr(lstm, f"bias_ih_l{layer}").copy_(bias[key, 0])
                getattr(lstm, f"bias_hh_l{layer}").zero_()
            out.weight.copy_(both.out[key].T)
            out.bias.copy_(both.out_bias[key, 0])
        wanted = out(lstm(histories[key])[0][:, -1])
        torch.testing.assert_close(both(histories)[key], wanted)
        torch.testing.assert_close(both(histories[key : key + 1], key)[0], wanted)
    double = KeyLSTMs(2, 1, 2, 1).double()
    given = torch.randn(2, 2, 2, 1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: double(x), (given, *double.parameters()))


def test_no_order_of_sessions_changes_anything() -> None:
    values = series(30, 12, 0).round(2)
    first = fitted(entries(values), QUICK)
    order = np.random.default_rng(1).permutation(30)
    other = fitted(entries(values[order]), QUICK)
    assert other.limits == first.limits and other.features == first.features
    test = entries(series(5, 12, 2))
    np.testing.assert_array_equal(
        first.judge(test, Context()).level, other.judge(test, Context()).level
    )  # fmt: skip


MIXED = ("sent <*> of <*> to <*> port <*>", "up <*>", "idle", "state <*>")


def mixed(units: int, seed: int, **columns: Any) -> Sessions:
    """Keys with a constant, a value, a name and a port; one with a word; one with nothing; one that comes once."""
    rng = np.random.default_rng(seed)
    keys, messages = [], []
    for unit in range(units):
        for round_ in range(6):
            messages += [
                f"sent {rng.normal(5, 1):.2f} of 64 to host{unit} port {rng.integers(30_000, 60_000)}",
                f"up {rng.integers(3)}" if round_ % 2 else "up none",
                "idle",
            ]
        messages.append(f"state {rng.normal():.2f}")
        keys.append([0, 1, 2] * 6 + [3])
    return Sessions.of(keys, 4, templates=MIXED, messages=messages, **columns)


def test_only_numbers_that_measure_are_values_and_the_record_says_so() -> None:
    model = Values(QUICK)
    facts = model.fit(mixed(20, 0), Context())
    assert facts["values"] == {"0": ["value 1", "value 2"]} and facts["nominal"] == {"0": ["value 4"]}
    assert facts["no_value_model"] == {"no values": [1, 2], "fewer than 2 pairs": [3]}
    assert facts["training_coverage"] == pytest.approx(5 / 19, abs=1e-4)
    limits = facts["limits"]["0"]
    assert limits["count"] == 20, "the last of 5 pairs of each session"
    assert facts["interval"] == "both" and facts["parameters"] == sum(
        w.numel() for w in model.network.parameters()
    )
    scores = model.score(mixed(5, 1), Context())
    assert scores.facts["coverage"] == pytest.approx(5 / 19, abs=1e-4)
    assert np.isfinite(scores.primary).all(), "a constant gives no NaN"
    kept = Values(replace(QUICK, nominal=1.0))
    assert kept.fit(mixed(20, 0), Context())["values"]["0"] == ["value 1", "value 2", "value 4"]


def test_times_are_values_where_the_log_has_them() -> None:
    seconds = np.tile(np.arange(19), 20) * 1_000_000
    train = mixed(20, 0, times=seconds.astype(np.int64))
    model = Values(replace(QUICK, steps=200))
    facts = model.fit(train, Context())
    assert facts["values"] == {"0": ["value 1", "value 2", "time"], "1": ["time"], "2": ["time"]}
    elapsed = {since: numbers_of(train, since).values[:, -1] for since in ("entry", "key")}  # type: ignore[arg-type]
    assert np.isnan(elapsed["entry"][0]) and (elapsed["entry"][1:19] == 1).all() and np.isnan(elapsed["entry"][19])
    assert np.isnan(elapsed["key"][:3]).all() and (elapsed["key"][3:18] == 3).all()
    late = seconds[:19].copy()
    late[11:] += 3_600_000_000  # an hour before the fourth `idle`
    test = mixed(1, 5, times=late.astype(np.int64))
    scores = model.score(test, Context())
    assert scores.primary[0] > 1 and scores.event is not None and scores.event[0] == 11
    assert "time 3601 s, expected 1 s" in model.explain(test, np.array([11]), Context())[0]


def test_an_entry_without_any_value_scores_nothing_and_is_not_covered() -> None:
    model = fitted(entries(series(20, 12, 0)), QUICK)
    test = Sessions.of([[0, 0, 0]], 1, templates=("took <*> ms",), messages=["took x ms", "took y ms", "took ms"])
    scores = model.score(test, Context(events=True))
    assert scores.primary.tolist() == [0] and scores.facts["coverage"] == 0
    assert scores.event is not None and scores.event.tolist() == [-1] and np.isneginf(scores.events).all()
    assert scores.unjudged is not None and scores.unjudged.tolist() == [3]
    assert model.explain(test, np.array([2]), Context()).to_list() == [None]
    masked = test = entries(np.array([[50.0, 50.0, 50.0]]))
    assert np.isfinite(model.judge(masked, Context()).level[1:]).all()


def test_what_is_held_out_is_the_end_of_each_series() -> None:
    sessions = Sessions.of([[0] * 12, [0] * 3, [0, 1, 0], [0], [1, 1], [1, 1]], 2)
    found = Series.of(sessions)
    held = found.held_out(found.place > 0)
    ends = {(int(sessions.units[e]), int(p)) for e, p in zip(found.events[held], found.place[held], strict=True)}
    # 11 pairs hold out 2; 2 pairs hold out 1; one pair none; of key 1, with one pair a series, one of them
    assert {end for end in ends if sessions.keys[sessions.offsets[end[0]] + 1] == 0} == {(0, 10), (0, 11), (1, 2)}
    assert len(ends) == 4


def test_of_too_many_keys_with_values_the_rarest_are_not_judged_and_a_note_says_how_many() -> None:
    rng = np.random.default_rng(0)
    keys = [[key for key, often in ((0, 3), (1, 6), (2, 4), (3, 6)) for _ in range(often)] for _ in range(12)]
    messages = [f"took {value:.3f} ms" for value in rng.normal(5, 1, 12 * 19)]
    given = Sessions.of(keys, 4, templates=("took <*> ms",) * 4, messages=messages)
    notes: list[str] = []
    model = Values(replace(QUICK, max_models=2))
    facts = model.fit(given, Context(note=notes.append))
    assert facts["value_models"] == 2 and facts["no_value_model"]["beyond max_models"] == [0, 2]
    assert notes == ["the rarest 2 keys with values are not judged (max_models)"]
    judged = np.isfinite(model.judge(given, Context()).level)
    assert set(given.keys[judged].tolist()) == {1, 3}
    assert "beyond max_models" not in Chosen.of(given, QUICK).facts["no_value_model"]


@pytest.mark.parametrize(
    ("numbers", "is_nominal"),
    [
        (np.random.default_rng(0).integers(32_768, 61_000, 5000), True),
        (np.arange(500), True),
        (np.random.default_rng(0).normal(0.6, 0.2, 500), False),
        (np.random.default_rng(0).integers(0, 300, 5000), False),
        (np.full(50, 67_108_864), False),
        (np.array([7]), False),
    ],
    ids=["ports", "ids", "seconds", "milliseconds", "constant", "one"],
)
def test_whole_numbers_that_hardly_repeat_are_names(numbers: np.ndarray, is_nominal: bool) -> None:
    assert nominal(numbers.astype(np.float64), 0.9) == is_nominal


def test_a_saved_model_scores_the_same_and_one_without_values_scores_nothing(tmp_path: Path) -> None:
    model, test = fitted(entries(series(20, 12, 0)), QUICK), entries(series(5, 12, 1))
    model.save(tmp_path)
    again = Values(ValuesConfig())
    again.load(tmp_path)
    np.testing.assert_array_equal(model.judge(test, Context()).level, again.judge(test, Context()).level)
    notes: list[str] = []
    empty = Values(QUICK)
    empty.fit(Sessions.of([[0, 0]], 1, templates=("idle",), messages=["idle"] * 2), Context(note=notes.append))
    assert notes and (empty.score(test, Context()).primary == 0).all()
    (tmp_path / "empty").mkdir()
    empty.save(tmp_path / "empty")
    again.load(tmp_path / "empty")
    assert again.features == []
    (tmp_path / "empty" / "deeplog-values.json").write_text('{"version": 1}')
    with pytest.raises(logbench.DataError, match=r"not a saved deeplog-values model: deeplog-values\.json has no"):
        again.load(tmp_path / "empty")


def test_what_is_chosen_has_no_held_out_entry_in_its_scale() -> None:
    values = np.tile(np.arange(12.0), (3, 1)) + 0.5
    chosen = Chosen.of(entries(values), QUICK)
    assert chosen.features[0].mean[0] == pytest.approx(np.arange(10).mean() + 0.5), "2 of 11 pairs are held out"
