"""DeepLog's online update: reported false alarms train their keys, new keys grow it, nothing else moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from logbench import Context, Sessions
from logbench_deeplog import DeepLogConfig, OnlineConfig
from logbench_deeplog.model import DeepLog
from logbench_deeplog.online import OnlineDeepLog

SMALL: dict[str, Any] = {"h": 2, "g": 1, "hidden": 8, "layers": 1, "steps": 60, "batch": 8, "lr": 2e-2}
CYCLE = [0, 1, 2, 3, 0, 1, 2, 3]
TRAIN = Sessions.of([CYCLE, CYCLE[1:], CYCLE[2:]] * 4, 4)
NEW = [0, 1, 2, 4, 0, 1, 2, 4]  # key 4 comes where 3 did


def fitted(**options: Any) -> OnlineDeepLog:
    model = OnlineDeepLog(OnlineConfig(**{**SMALL, **options}))
    model.fit(TRAIN, Context())
    return model


def primary(model: Any, units: Any, keys: int = 4) -> list[float]:
    found: np.ndarray = model.score(Sessions.of(units, keys), Context()).primary
    return found.tolist()


def test_without_updates_it_is_deeplog() -> None:
    plain = DeepLog(DeepLogConfig(**SMALL))
    plain.fit(TRAIN, Context())
    asked = [CYCLE, [0, 0, 1, 3], [3, 2, 1, 0]]
    assert primary(fitted(), asked) == primary(plain, asked)


@pytest.mark.parametrize(
    "options", [{}, {"pad": True}, {"input": "embedding", "embedding": 3}, {"input": "scalar"}]
)
def test_keys_that_grow_the_network_move_no_other_logit(options: Any) -> None:
    model = fitted(**options)
    assert model.network is not None
    start = [[5, 5], [5, 1]] if options.get("pad") else []  # the start key, one above the unknown one
    before = model.network(torch.tensor([[0, 1], [2, 3], [3, 3], *start]))
    model._grow(6)
    moved = [[7, 7], [7, 1]] if options.get("pad") else []
    after = model.network(torch.tensor([[0, 1], [2, 3], [3, 3], *moved]))
    assert after.shape[1] == 6 and torch.equal(before, after[:, :4])
    if options.get("input") != "scalar":  # a new key is as an unknown one was
        assert torch.equal(model.network(torch.tensor([[0, 4]])), model.network(torch.tensor([[0, 6]])))


def test_a_reported_false_alarm_alarms_no_more() -> None:
    model = fitted()
    assert primary(model, [NEW]) == [np.inf]  # an unknown key
    assert primary(model, [NEW], 5)[0] > 1  # known to the parser, never seen by the model
    model.update(Sessions.of([NEW], 5), verdict=True, label=0)
    assert primary(model, [NEW], 5) == [1.0]
    assert primary(model, [[0, 1, 0, 2]], 5)[0] > 1


@pytest.mark.parametrize(("verdict", "label"), [(True, None), (True, 1), (False, None), (False, 0)])
def test_units_that_are_no_reported_false_alarm_teach_nothing(verdict: bool, label: int | None) -> None:
    model, other = fitted(), fitted()
    model.update(Sessions.of([NEW], 5), verdict, label)
    asked = [CYCLE, NEW, [3, 2, 1, 0]]
    assert primary(model, asked, 5) == primary(other, asked, 5)


def test_a_grown_network_is_saved_and_loaded(tmp_path: Any) -> None:
    model = fitted()
    model.update(Sessions.of([NEW], 5), verdict=True, label=0)
    model.save(tmp_path)
    again = OnlineDeepLog(OnlineConfig())
    again.load(tmp_path)
    assert primary(again, [NEW, CYCLE], 5) == primary(model, [NEW, CYCLE], 5)


@pytest.mark.parametrize(("most", "own"), [(7, 7), (6, 6), (5, 5), (4, 5)])
def test_keys_beyond_the_bound_share_one_and_a_note_says_how_many(most: int, own: int, tmp_path: Any) -> None:
    model, notes = fitted(max_keys=most), []
    found = model.score(Sessions.of([CYCLE, NEW], 7), Context(note=notes.append)).primary
    assert model.keys == own and primary(model, [CYCLE, NEW], 7) == found.tolist() and found[0] <= 1 < found[1]
    shared = 7 - own + 1
    assert [f"{shared} of 7 keys are one to the network (max_keys)" in notes] == [most < 7]
    model.update(Sessions.of([[0, 1, 2, 6, 0, 1, 2, 6]], 7), verdict=True, label=0)
    model.score(Sessions.of([CYCLE], 9), Context())  # two more
    assert model.keys == own
    assert primary(model, [[0, 1, 2, 6]], 9) == [1.0]
    if most < 6:  # keys 4 to 8 are one: what is learnt of one is known of all
        assert primary(model, [[0, 1, 2, 8]], 9) == [1.0]
    model.save(tmp_path)
    again = OnlineDeepLog(OnlineConfig())
    again.load(tmp_path)
    assert primary(again, [NEW, CYCLE], 9) == primary(model, [NEW, CYCLE], 9)


def test_new_keys_of_a_bounded_network_join_the_rarest_of_training() -> None:
    model = OnlineDeepLog(OnlineConfig(**SMALL, max_keys=3))
    model.fit(Sessions.of([CYCLE, CYCLE[1:], [0, 1, 0, 1]] * 4, 4), Context())
    model._grow(6)
    assert model.places is not None and model.places.tolist() == [0, 1, 2, 2, 2, 2] and model.keys == 3


@pytest.mark.parametrize("most", [4, 5, 7])
def test_keys_that_come_one_at_a_time_are_bounded_as_those_that_come_at_once(most: int) -> None:
    slow, fast = fitted(max_keys=most), fitted(max_keys=most)
    for known in range(5, 12):
        slow._grow(known)
    fast._grow(11)
    assert slow.keys == fast.keys == max(most, 5)
    assert slow.places is not None and fast.places is not None
    assert slow.places.tolist() == fast.places.tolist()


def test_a_key_that_shares_with_none_yet_is_still_named() -> None:
    model, notes = fitted(max_keys=5), []
    model.score(Sessions.of([CYCLE], 5), Context(note=notes.append))
    assert not any("max_keys" in note for note in notes) and model.keys == 5
    ended = np.zeros(1, np.int64) + 3
    asked = Sessions.of([[0, 1, 2, 4]], 5)
    for _ in range(8):
        model._train(np.array([[1, 2, 4]] * 4, np.int32))
    assert 4 in model.expected(asked, ended, Context()).to_list()[0]
