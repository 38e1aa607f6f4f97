"""What the record and the user are told of a split."""

from __future__ import annotations

from typing import Any

import pytest
from splitting import frame, split

from logbench.base.errors import DataError
from logbench.pipeline.split_facts import split_facts, split_notes


def told(units: Any, **protocol: Any) -> list[str]:
    found = split_facts(split(units, **protocol), units)
    return list(split_notes(found, protocol.get("train", "first")))


def test_units_past_the_cut_are_said_with_their_number() -> None:
    reaching = frame([0] * 8, last=[75, 15, 75, 35, 40, 50, 60, 70])
    (note,) = told(reaching, train_units=4, held_out=0.25)
    assert note.startswith("2 of 4 training units reach past the cut")
    assert told(frame([0] * 8), train_units=4) == []


def test_anomalies_of_the_training_share_that_reach_past_the_cut_are_counted() -> None:
    reaching = frame([1, 0, 1, 0, 0, 0, 0, 0], last=[75, 15, 76, 35, 40, 50, 60, 70])
    for part, expected in ((0.0, 0), (0.5, 2)):
        found = split(reaching, train_units=4, content="mixed", contamination=part, held_out=0.0)
        assert found.straddling == expected


def test_one_unit_is_said_in_the_singular_and_with_advice_that_helps() -> None:
    with pytest.raises(DataError, match="its one unit trains or is set apart; give a longer log"):
        split(frame([0]), train="ratio", train_ratio=0.8)


def test_units_left_out_and_wrong_labels_are_said() -> None:
    (note,) = told(frame([0, 1, 0, 0]), train="ratio")
    assert note.startswith(
        "1 unit of the training share is unused (anomalies, say): neither trained on nor tested"
    )
    noise = {"content": "labelled", "label_noise": 1.0, "label_noise_kind": "anomaly_to_normal"}
    (note,) = told(frame([0, 1, 1, 0, 0, 0]), train="ratio", **noise)
    assert note.startswith("label noise: 0 normal and 2 anomalous of 3 training units")


@pytest.mark.parametrize(("kind", "advice"), [("ratio", True), ("group", False)])
def test_groups_on_both_sides_are_said_with_advice_where_it_helps(kind: str, advice: bool) -> None:
    units = frame([0] * 6, group=["a", "b", "c"] * 2)
    found = split_facts(split(units, train="ratio"), units)
    (note,) = split_notes(found, kind)
    assert note.startswith("3 of 3 tested units are of groups that also train (3 of 3 groups)")
    assert ("protocol.train=group" in note) == advice


def test_anomalies_that_train_are_counted_however_they_came() -> None:
    units = frame([0, 1, 0, 1, 0, 0, 1, 0, 1, 1])
    mixed = split_facts(split(units, train="ratio", content="mixed"), units)
    assert (mixed["training_anomalies"], mixed["contaminating"], mixed["left_out"]) == (2, 0, 0)
    added = split_facts(split(units, train_units=3, contamination=0.4), units)
    assert added["training_anomalies"] == added["contaminating"] == 2
    assert (added["train"], added["held_out"], added["test"], added["reserved"]) == (5, 0, 5, 0)
