"""Ranks: ties, near ties, and that no batch size changes one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from next_key import SMALL, columns, fitted, sessions

from logbench import Context
from logbench.torch.ranking import CACHED_LOGITS
from logbench.torch.window_scores import judge


def test_judge_counts_ties_against_the_key_that_came() -> None:
    logits = torch.tensor([[1.0, 1.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0], [5.0, 1.0, 1.0, 1.0]])
    rank, nll, low, high = judge(logits, torch.tensor([0, 3, 4]), 1e-5)
    assert rank.tolist() == [3, 4, 5] and low.tolist() == [2, 1, 5] and high.tolist() == [3, 4, 5]
    assert nll[1].item() == pytest.approx(np.log(4)) and nll[2].item() == np.inf


def test_judge_counts_alike_where_keys_are_so_many_that_rows_are_judged_in_pieces() -> None:
    random = np.random.default_rng(0)
    logits = random.integers(0, 40, (9, CACHED_LOGITS // 4)).astype(np.float32) / 4  # so few values that many tie
    came = random.integers(0, logits.shape[1] + 1, 9)
    came[-1] = logits.shape[1]  # unknown
    rank, nll, low, high = judge(torch.from_numpy(logits), torch.from_numpy(came), 0.25)
    for row, key, *mine in zip(
        logits, came, rank.tolist(), low.tolist(), high.tolist(), nll.tolist(), strict=True
    ):
        if key == len(row):
            assert mine == [len(row) + 1] * 3 + [np.inf]
            continue
        assert mine[:3] == [
            (row >= row[key]).sum(),
            (row > row[key] + 0.25).sum() + 1,
            (row >= row[key] - 0.25).sum(),
        ]
        wide = row.astype(np.float64)
        assert mine[3] == pytest.approx(np.log(np.exp(wide).sum()) - wide[key], rel=1e-5)


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
