"""Splits: each kind against its definition, whole units on one side, nothing on two."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from splitting import frame, grouped_frame, split

from logbench import ConfigError, DataError, EvaluationProtocol, IncompatibleError, LeakError
from logbench.pipeline import split as unit_split
from logbench.pipeline.split import audit, split_units

LABELS = st.lists(st.sampled_from([-1, 0, 0, 0, 1]), min_size=2, max_size=40)
KINDS = ("first", "random", "ratio", "random_ratio", "per_class_ratio")


@given(
    LABELS, st.sampled_from(KINDS), st.sampled_from(["normal", "mixed", "labelled"]), st.floats(0, 0.9), st.data()
)
def test_every_unit_is_on_one_side(
    labels: list[int], kind: str, content: str, held_out: float, data: st.DataObject
) -> None:
    protocol = {
        "train": kind,
        "content": content,
        "held_out": held_out,
        "train_units": data.draw(st.integers(1, 20)),
        "train_ratio": data.draw(st.floats(0.1, 0.9)),
        "split_seed": data.draw(st.integers(0, 3)),
    }
    try:
        found = split(frame(labels), **protocol)
    except (DataError, IncompatibleError):
        assume(False)
    sides = [*found.train.tolist(), *found.held_out.tolist(), *found.test.tolist()]
    assert len(set(sides)) == len(sides) == len(labels) - found.left_out
    if kind in ("first", "random"):
        assert found.left_out == 0, "all that does not train is tested"
    chosen = len(found.train) + len(found.held_out)
    assert len(found.held_out) == round(held_out * chosen)
    for side in (found.train, found.held_out, found.test):
        assert side.dtype == np.int64 and (np.diff(side) > 0).all()
    training = {labels[i] for i in [*found.train, *found.held_out]}
    if content == "normal":
        assert 1 not in training, "anomalies must not train"
    if content == "labelled":
        assert -1 not in training, "units without label must not train a labelled model"
    assert found.digest == split(frame(labels), **protocol).digest


def test_first_takes_the_first_normals() -> None:
    found = split(frame([1, 0, 1, -1, 0, 0]), train_units=3)
    assert found.train.tolist() == [1, 3, 4] and found.test.tolist() == [0, 2, 5]
    assert split(frame([1, 0, 0]), train_units=2, content="mixed").train.tolist() == [0, 1]


def test_random_takes_any_normals_and_depends_on_its_seed_alone() -> None:
    labels = [0, 1] * 100
    found = [split(frame(labels), train="random", train_units=30, split_seed=seed) for seed in (0, 0, 1)]
    assert all(len(f.train) == 30 and (f.train % 2 == 0).all() for f in found)
    assert found[0].digest == found[1].digest != found[2].digest
    assert found[0].train.tolist() == found[1].train.tolist() != found[2].train.tolist()
    assert found[0].train.max() > 100, "not the first ones"


def test_the_held_out_units_depend_on_the_seed_too() -> None:
    found = [split(frame([0] * 50), train_units=40, held_out=0.25, split_seed=seed).held_out for seed in (0, 1)]
    assert len(found[0]) == len(found[1]) == 10 and found[0].tolist() != found[1].tolist()
    assert found[0].tolist() != list(range(30, 40)), "not the last ones"


def test_given_is_the_data_sets_own() -> None:
    units = frame([0, 1, 0, 1, 0], part=["train", "train", "test", "test", "other"])
    found = split(units, train="given")
    assert found.train.tolist() == [0] and found.test.tolist() == [2, 3]
    assert split(units, train="given", content="mixed").train.tolist() == [0, 1]
    with pytest.raises(IncompatibleError, match="train = first"):
        split(frame([0, 0]), train="given")


def test_units_of_no_part_neither_train_nor_are_tested() -> None:
    units = frame([0] * 5, part=["train", None, "test", None, "train"])
    found = split(units, train="given")
    assert (found.train.tolist(), found.test.tolist()) == ([0, 4], [2])


@pytest.mark.parametrize("kind", ["first", "random", "ratio", "random_ratio", "per_class_ratio", "group", "given"])
def test_where_nothing_is_left_to_test_it_says_what_to_lower(kind: str) -> None:
    units = frame([0] * 6, part=["train"] * 6, group=["a", "b", "c"] * 2)
    sizes = {"first": "lower protocol.train_units", "random": "lower protocol.train_units"}
    said = sizes.get(kind, "names none for the test" if kind == "given" else "lower protocol.train_ratio")
    with pytest.raises(DataError, match=f"no unit to test.*{said}$"):
        split(units, train=kind, train_units=6, train_ratio=1.0)


def test_ratio_is_chronological_and_counts_those_across_the_cut() -> None:
    units = frame([0, 1, 0, 0, 0, 0, 0, 0], last=[5, 30, 39, 40, 41, 1000, 60, 70])
    found = split(units, train="ratio", train_ratio=0.5, content="mixed")
    assert found.train.tolist() == [0, 1, 2, 3] and found.test.tolist() == [4, 5, 6, 7]
    assert found.straddling == 1, "only the unit whose last line is line 40, where the test begins"
    assert split(units, train="ratio", train_ratio=0.5).train.tolist() == [0, 2, 3]


@pytest.mark.parametrize("kind", ["ratio", "random_ratio", "per_class_ratio"])
def test_what_a_ratio_takes_is_not_tested_whatever_of_it_trains(kind: str) -> None:
    labels = [0, 1, 0, 0] * 25
    found = {c: split(frame(labels), train=kind, train_ratio=0.6, content=c) for c in ("normal", "mixed")}
    assert len(found["mixed"].train) == 60
    assert found["normal"].train.tolist() == [i for i in found["mixed"].train if labels[i] == 0]
    assert found["normal"].test.tolist() == found["mixed"].test.tolist()
    assert found["normal"].left_out == 60 - len(found["normal"].train) > 0 == found["mixed"].left_out


@given(
    st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=30, max_size=80), st.sampled_from(KINDS), st.integers(0, 3)
)
def test_contamination_adds_anomalies_and_nothing_else(labels: list[int], kind: str, seed: int) -> None:
    """The test set, the normal training units and the held-out ones are the same for every share."""
    options: dict[str, Any] = {"train": kind, "train_units": 12, "split_seed": seed, "held_out": 0.3}
    found = []
    for share in (0.0, 0.05, 0.1, 0.2):
        try:
            found.append((share, split(frame(labels), contamination=share, **options)))
        except DataError as error:
            assume("may train" in str(error) and found)
    before: set[int] = set()
    for share, one in found:
        training = [*one.train.tolist(), *one.held_out.tolist()]
        added = {i for i in training if labels[i] == 1}
        normals = len(training) - len(added)
        assert len(added) == one.contaminating == round(share / (1 - share) * normals)
        assert before <= added, "a larger share adds to a smaller one"
        assert one.test.tolist() == found[0][1].test.tolist()
        assert [i for i in one.train if labels[i] != 1] == found[0][1].train.tolist()
        assert [i for i in one.held_out if labels[i] != 1] == found[0][1].held_out.tolist()
        before = added


def test_contamination_that_the_data_cannot_give_says_the_most() -> None:
    labels = [0] * 90 + [1] * 10
    with pytest.raises(DataError, match=r"10 anomalies, 5 may train; give at most 0\.052"):
        split(frame(labels), train_units=90, contamination=0.1)
    assert split(frame(labels), train_units=90, contamination=0.052).contaminating == 5
    with pytest.raises(ConfigError, match="content=normal or mixed"):
        EvaluationProtocol(content="labelled", contamination=0.1)


@given(LABELS, st.floats(0.05, 1))
def test_per_class_ratio_is_loglizers_rule(labels: list[int], ratio: float) -> None:
    """Its `uniform` split: positives and all others apart, of each the first `int(ratio * n)` in order."""
    positive = [i for i, label in enumerate(labels) if label > 0]
    others = [i for i, label in enumerate(labels) if label <= 0]
    expected = sorted(positive[: int(ratio * len(positive))] + others[: int(ratio * len(others))])
    assume(0 < len(expected) < len(labels))
    found = split(frame(labels), train="per_class_ratio", train_ratio=ratio, content="mixed")
    assert found.train.tolist() == expected


def test_too_much_or_too_little_is_one_line() -> None:
    with pytest.raises(DataError, match="no unit to train"):
        split(frame([1, 1]))
    with pytest.raises(DataError, match="no unit to test"):
        split(frame([0, 0]))
    with pytest.raises(IncompatibleError, match="needs labels"):
        split(frame([-1, -1]), content="labelled")


def test_a_leak_is_named() -> None:
    units, none = frame([0, 0, 0]), np.empty(0, np.int64)
    audit(units, np.array([0]), np.array([1]), np.array([2]))
    with pytest.raises(LeakError, match="unit u1 is on two sides"):
        audit(units, np.array([0, 1]), none, np.array([1, 2]))
    with pytest.raises(LeakError, match="unit u0 occurs twice"):
        split(units.with_columns(unit=pl.Series(["u0", "u0", "u2"])), train_units=1)


def test_the_first_of_several_leaks_is_named() -> None:
    units, none = frame([0] * 4), np.empty(0, np.int64)
    with pytest.raises(LeakError, match="unit u1 is on two sides"):
        audit(units, np.array([0, 2, 1]), np.array([2]), np.array([1, 3]))
    twice = units.with_columns(unit=pl.Series(["u3", "u2", "u3", "u2"]))
    with pytest.raises(LeakError, match="unit u3 occurs twice"):
        audit(twice, np.array([0]), none, np.array([1]))


SPANS = st.lists(st.tuples(st.sampled_from([0, 0, 1]), st.integers(0, 60)), min_size=6, max_size=20)


@pytest.mark.parametrize("content", ["normal", "mixed"])
@pytest.mark.parametrize("kind", ["first", "ratio"])
@given(spans=SPANS, held_out=st.sampled_from([0.0, 0.4]))
@settings(max_examples=25)
def test_training_units_past_a_chronological_cut_are_counted(
    kind: str, content: str, spans: list[tuple[int, int]], held_out: float
) -> None:
    """The cut is where the first unit begins that is tested after all training ones."""
    units = frame([label for label, _ in spans], last=[10 * i + more for i, (_, more) in enumerate(spans)])
    try:
        found = split(units, train=kind, train_units=3, train_ratio=0.5, content=content, held_out=held_out)
    except DataError:
        assume(False)
    training = [*found.train.tolist(), *found.held_out.tolist()]
    after = [i for i in found.test.tolist() if i > max(training)]
    expected = sum(10 * i + spans[i][1] >= 10 * after[0] for i in training) if after else None
    assert found.straddling == expected


@pytest.mark.parametrize("kind", ["random", "random_ratio", "per_class_ratio", "group"])
def test_what_is_not_chronological_has_no_cut(kind: str) -> None:
    units = frame([0, 1] * 6, last=[1000] * 12, group=["a", "b", "c"] * 4)
    assert split(units, train=kind, train_units=3).straddling is None


def test_key_sequences_may_lie_on_both_sides_and_nobody_knows() -> None:
    protocol = EvaluationProtocol(train="ratio", held_out=0)
    assert split_units(frame([0] * 6), protocol, sequences=True).straddling is None
    assert split_units(frame([0] * 6), protocol).straddling == 0


@pytest.mark.parametrize(
    ("part", "expected"),
    [(["train"] * 3 + ["test"] * 3, 2), (["test", "train", "train", "test", "test", "test"], None),
     (["train", "other", "train", "test", "test", "other"], 1)],
)  # fmt: skip
def test_a_given_part_is_chronological_where_it_comes_first(part: list[str], expected: int | None) -> None:
    units = frame([0] * 6, last=[0, 30, 35, 30, 40, 50], part=part)
    assert split(units, train="given").straddling == expected


def test_cut_lines_are_split_by_their_side_alone() -> None:
    units = frame([0, 1, 0, 0, 1, 0, 0, 1], side=[0, 0, 0, 1, 1, 3, 2, 2], last=[5, 15, 25, 35, 45, 55, 65, 75])
    found = split(units, train="ratio", content="mixed", train_ratio=0.5, test_reserve=0.75)
    assert (found.train.tolist(), found.held_out.tolist()) == ([0, 1, 2], [3, 4])
    assert found.test.tolist() == [6, 7] and (found.reserved, found.left_out, found.straddling) == (1, 0, 0)
    normal = split(units, train="ratio", train_ratio=0.5, test_reserve=0.75)
    assert normal.train.tolist() == [0, 2] and normal.left_out == 2 and normal.test.tolist() == [6, 7]


@pytest.mark.parametrize("content", ["normal", "mixed"])
@pytest.mark.parametrize("kind", ["ratio", "random_ratio", "per_class_ratio", "group"])
def test_contamination_takes_nothing_from_the_test_of_a_share(kind: str, content: str) -> None:
    units = grouped_frame([0, 0, 1, 0, 0, 0] * 10)
    plain = split(units, train=kind, content=content)
    for share in (0.0, 0.1):
        found = split(units, train=kind, content=content, contamination=share)
        assert found.test.tolist() == plain.test.tolist()
        assert found.left_out + len(found.train) == plain.left_out + len(plain.train)


@pytest.mark.parametrize("kind", ["first", "random"])
@pytest.mark.parametrize("content", ["normal", "mixed"])
def test_contamination_of_a_number_of_units_has_half_the_other_anomalies_as_reserve(
    kind: str, content: str
) -> None:
    labels = [0, 0, 0, 1] * 20
    plain = split(frame(labels), train=kind, train_units=30, content=content)
    found = split(frame(labels), train=kind, train_units=30, content=content, contamination=0.0)
    taken = set(plain.test.tolist()) - set(found.test.tolist())
    tested = [i for i in plain.test if labels[i] == 1]
    assert {labels[i] for i in taken} == {1} and len(taken) == len(tested) // 2
    assert found.train.tolist() == [i for i in plain.train if labels[i] == 0]


def test_a_mix_gives_its_own_anomalies_before_those_of_the_reserve() -> None:
    labels = [0, 0, 0, 1] * 20
    plain = split(frame(labels), train_units=40, content="mixed")
    own = {int(i) for i in plain.train if labels[i] == 1}
    for share in (0.05, 0.2, 0.3):
        found = split(frame(labels), train_units=40, content="mixed", contamination=share)
        added = {int(i) for i in found.train if labels[i] == 1}
        assert len(added) == found.contaminating == round(share / (1 - share) * 30)
        assert added <= own or own <= added


def test_digests_of_one_side_change_with_it_alone() -> None:
    base, more, seed = (
        split(frame([0] * 40), train_units=units, held_out=0.25, split_seed=seed)
        for units, seed in ((20, 0), (24, 0), (20, 1))
    )
    assert base.test_digest == seed.test_digest != more.test_digest
    assert len({base.held_out_digest, seed.held_out_digest, more.held_out_digest}) == 3
    assert len({base.digest, base.test_digest, base.held_out_digest}) == 3


def test_contaminating_anomalies_of_cut_lines_stay_on_their_side() -> None:
    units = frame([0, 1, 0, 0, 1, 0, 0, 1], side=[0, 0, 0, 1, 1, 1, 2, 2])
    found = split(units, train="ratio", contamination=1 / 3)
    assert (found.train.tolist(), found.held_out.tolist()) == ([0, 1, 2], [3, 4, 5])
    assert found.test.tolist() == [6, 7] and found.contaminating == 2


@given(st.lists(st.sampled_from(["a", "", "é\n", "b c"]), min_size=1, max_size=12), st.integers(1, 5))
def test_a_digest_is_of_the_names_and_labels_of_each_part(names: list[str], at_once: int) -> None:
    units = pl.DataFrame({"unit": [f"{name}{at}" for at, name in enumerate(names)], "label": [1] * len(names)})
    parts = np.arange(0, len(names), 2), np.arange(1, len(names), 2)
    text = b"".join(
        "\n".join(units["unit"][part].to_list()).encode() + b"\0" + b"\1" * len(part) for part in parts
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unit_split, "NAMES", at_once)
        assert unit_split.digest_of(units, *parts) == hashlib.sha256(text).hexdigest()[:16]
