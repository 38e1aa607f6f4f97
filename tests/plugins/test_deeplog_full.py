"""DeepLog in full: keys decide first, values of entries whose key passed after them, and both are explained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from one_thread import one_thread  # noqa: F401 (a fixture)

import logbench
from logbench import Context, Sessions
from logbench_deeplog import DeepLogConfig, FullConfig
from logbench_deeplog.full import DeepLogFull
from logbench_deeplog.model import DeepLog

CONFIG = FullConfig(h=4, pad=True, g=1, hidden=12, steps=80, batch=16, lr=1e-2, value_hidden=8, value_steps=150)
TEMPLATES = ("open", "read took <*> ms", "close")


def log(units: int, seed: int, **columns: Any) -> Sessions:
    """Sessions `open`, then `read` four times, then `close`, the reads of 50 ± 3 ms."""
    took = np.random.default_rng(seed).normal(50, 3, (units, 4))
    messages = [m for unit in took for m in ("open", *(f"read took {ms:.2f} ms" for ms in unit), "close")]
    return Sessions.of([[0, 1, 1, 1, 1, 2]] * units, 3, templates=TEMPLATES, messages=messages, **columns)


@pytest.fixture(scope="module")
def model() -> DeepLogFull:
    made = DeepLogFull(CONFIG)
    made.fit(log(60, 0), Context())
    return made


def faulty() -> Sessions:
    """A usual session; one of a slow read; one whose key is wrong where its value is, too; an unseen key."""
    slow = [
        "open",
        "read took 50.00 ms",
        "read took 50.00 ms",
        "read took 50.00 ms",
        "read took 99.00 ms",
        "close",
    ]
    usual = [text.replace("99", "50") for text in slow]
    unseen = [*slow[:5], "fault"]
    more = [*usual[:5], "read took 99.00 ms"]
    keys = [[0, 1, 1, 1, 1, 2], [0, 1, 1, 1, 1, 2], [0, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 3]]
    return Sessions.of(keys, 3, templates=TEMPLATES, messages=[*usual, *slow, *more, *unseen])


def test_values_are_asked_only_where_the_key_passed(model: DeepLogFull) -> None:
    scores = model.score(faulty(), Context(events=True))
    assert (scores.primary > 1).tolist() == [False, True, True, True]
    assert scores.event is not None and scores.event[1:].tolist() == [4, 5, 5]
    assert scores.events is not None and np.isposinf(scores.primary[3])
    key, value = scores.others["key_level"], scores.others["value_level"]
    assert key[1] <= 1 < value[1] and value[2] <= 1 < key[2] < 3
    assert scores.facts["alarms_by_key"] == 2 and scores.facts["alarms_by_values_alone"] == 1
    ranks = model.keys.score(faulty(), Context(events=True)).events
    levels = model.values.judge(faulty(), Context()).level
    assert ranks is not None
    both = np.where(ranks > CONFIG.g, ranks / CONFIG.g, np.maximum(ranks / CONFIG.g, levels))
    np.testing.assert_array_equal(scores.events, both)
    assert scores.ignoring is not None and np.isfinite(scores.ignoring).all() and scores.ignoring[3] > 1
    assert scores.unjudged is not None and not scores.unjudged.any(), "with pad every key is judged"


def test_it_says_which_of_both_decided_and_what_was_expected(model: DeepLogFull) -> None:
    why = model.explain(faulty(), np.array([4, 4, 5, 5]), Context()).to_list()
    assert why[1].startswith("values: value 1 99, expected ") and why[2] == "key: rank 2, g = 1"
    assert why[3] == "key: unseen in training"
    assert model.explain(faulty(), np.array([0, -1, 9, -1]), Context()).to_list() == [
        "key: rank 1, g = 1",
        None,
        None,
        None,
    ]
    assert model.expected(faulty(), np.array([3, 3, 3, -1]), Context()).to_list() == [[1], [1], [1], None]


def test_its_key_model_is_deeplog_and_a_saved_one_scores_the_same(model: DeepLogFull, tmp_path: Path) -> None:
    alone = DeepLog(DeepLogConfig(h=4, pad=True, g=1, hidden=12, steps=80, batch=16, lr=1e-2))
    alone.fit(log(60, 0), Context())
    np.testing.assert_array_equal(
        alone.score(faulty(), Context(events=True)).events, model.keys.score(faulty(), Context(events=True)).events
    )
    model.save(tmp_path)
    again = DeepLogFull(replace(FullConfig(), g=1))
    again.load(tmp_path)
    np.testing.assert_array_equal(
        again.score(faulty(), Context()).primary, model.score(faulty(), Context()).primary
    )


def test_keys_that_never_vary_are_learnt_by_heart(model: DeepLogFull) -> None:
    assert model.score(log(60, 0), Context()).others["nll"].max() < 0.05


def test_it_has_the_weights_of_one_lstm_for_keys_and_one_for_each_key_with_values() -> None:
    def lstm(width: int, hidden: int) -> int:  # without biases: torch has two of a gate, ours one
        return 4 * hidden * (width + hidden)

    facts = DeepLogFull(replace(CONFIG, steps=1, value_steps=1)).fit(log(10, 0), Context())
    keys, hidden, wide = 3, 12, 8
    of_keys = lstm(keys + 1, hidden) + lstm(hidden, hidden) + 2 * 2 * 4 * hidden + (hidden + 1) * keys
    of_values = lstm(1, wide) + lstm(wide, wide) + 2 * 4 * wide + (wide + 1) * 1
    assert (facts["parameters"], facts["values"]["parameters"]) == (of_keys + of_values, of_values)


def test_without_values_only_keys_decide(model: DeepLogFull) -> None:
    """By the settings of its card's ablation."""
    without = DeepLogFull(replace(CONFIG, confidence=0.999999, value_h=1000, value_whole=True))
    without.fit(log(60, 0), Context())
    assert (without.score(faulty(), Context()).primary > 1).tolist() == [False, False, True, True]
    assert (model.score(faulty(), Context()).primary > 1).tolist() == [False, True, True, True]


def test_on_a_log_of_ones_own_the_slow_request_alarms_and_show_says_why(tmp_path: Path) -> None:
    took = np.random.default_rng(0).normal(50, 5, (150, 8))
    took[140, 6] = 50 + 6 * 5
    texts = [text for unit in took for ms in unit for text in (f"request took {ms:.1f} ms", "done")]
    lines = pl.DataFrame({"message": texts}).with_columns(
        unit=pl.format("client {}", pl.int_range(pl.len()) // 16)
    )
    settings = {
        "protocol": {"threshold": "fixed", "train_units": 100},
        "deeplog-full": {"h": 2, "g": 1, "hidden": 8, "value_hidden": 8},
    }
    [record] = logbench.run("deeplog-full", dataset=lines, settings=settings, out=tmp_path)
    assert record.status == "ok", record.error
    assert record.scores.filter("verdict")["unit"].to_list() == ["client 140"]
    [why] = pl.read_parquet(tmp_path / record.artifacts["scores"]).filter("verdict")["why"].to_list()
    assert why.startswith("values: value 1 80, expected ")
    assert record.training["values"]["values"] == {"0": ["value 1"]}, "the time is missing: the log has none"
