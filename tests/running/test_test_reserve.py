"""`test_reserve`: one test set for training sets of any size, by every kind of split."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from labelled_log import Row, registry, run_one, write
from splitting import BY_UNITS, KINDS, UNITS, frame, grouped_frame, reserved, sized, split

from logbench import ConfigError, DataError, EvaluationProtocol, Lines
from logbench.pipeline.line_split import Cuts, SplitWindower
from logbench_windowers.count import Count

AMOUNTS = (0.1, 0.2, 0.35, 0.5)
CONTENTS = ("normal", "mixed", "labelled")


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("kind", KINDS)
@given(
    labels=st.lists(st.sampled_from([0, 0, 0, 1]), min_size=40, max_size=70),
    seed=st.integers(0, 2),
    held_out=st.sampled_from([0.0, 0.3]),
)
@settings(max_examples=12)
def test_the_test_set_stays_and_training_is_that_of_a_plain_run(
    kind: str, content: str, labels: list[int], seed: int, held_out: float
) -> None:
    units, total = grouped_frame(labels), len(labels)
    options: dict[str, Any] = {"content": content, "split_seed": seed, "held_out": held_out}
    largest = split(units, **sized(kind, AMOUNTS[-1], total), **options)
    share: set[int] = set()
    for amount in AMOUNTS:
        try:
            plain = split(units, **sized(kind, amount, total), **options)
        except DataError as error:
            assert "no unit to train" in str(error)
            continue
        found = split(units, **sized(kind, amount, total), **reserved(kind, AMOUNTS[-1], total), **options)
        assert found.test.tolist() == largest.test.tolist() and found.test_digest == largest.test_digest
        assert found.train.tolist() == plain.train.tolist() and found.held_out.tolist() == plain.held_out.tolist()
        chosen = {*found.train.tolist(), *found.held_out.tolist()}
        assert share <= chosen, "a smaller training share is part of a larger one"
        assert not chosen & set(found.test.tolist())
        assert len(chosen) + len(found.test) + found.left_out + found.reserved == total
        share = chosen
    assert found.digest == largest.digest and found.reserved == 0, "the largest value is the plain run"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", ["normal", "mixed"])
def test_contamination_has_one_test_set_too(kind: str, content: str) -> None:
    units = grouped_frame([0, 0, 0, 0, 1] * 40)
    options: dict[str, Any] = {"content": content, "held_out": 0.2, **reserved(kind, 0.5, 200)}
    found = {
        (amount, share): split(units, **sized(kind, amount, 200), **options, contamination=share)
        for amount in (0.2, 0.5)
        for share in (0.0, 0.1)
    }
    assert len({one.test_digest for one in found.values()}) == 1
    for (_, share), one in found.items():
        training = [*one.train.tolist(), *one.held_out.tolist()]
        anomalies = sum(units["label"][i] for i in training)
        assert anomalies == one.contaminating == round(share / (1 - share) * (len(training) - anomalies))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"train_units": 100, "test_reserve": 99.0}, "less than train_units=100"),
        ({"train_units": 100, "test_reserve": 150.5}, "a number of units"),
        ({"train": "ratio", "train_ratio": 0.5, "test_reserve": 0.4}, "less than train_ratio=0.5"),
        ({"train": "ratio", "train_ratio": 0.5, "test_reserve": 40.0}, "a share up to 1"),
        ({"train": "given", "test_reserve": 40.0}, "has its own test set"),
    ],
)
def test_a_reserve_that_means_nothing_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        EvaluationProtocol(**fields)


@pytest.mark.parametrize("kind", UNITS + BY_UNITS)
def test_a_reserve_of_all_units_leaves_nothing_to_test(kind: str) -> None:
    with pytest.raises(DataError, match=r"no unit to test.*lower protocol\.test_reserve"):
        split(grouped_frame([0] * 9), **sized(kind, 0.4, 9), **reserved(kind, 1.0, 9))


@given(st.integers(5, 60), st.floats(0.05, 0.9), st.floats(0.05, 1), st.floats(0, 0.9), st.integers(1, 7))
@settings(max_examples=30)
def test_lines_are_cut_where_the_plain_runs_cut_them(
    total: int, ratio: float, reserve: float, held_out: float, size: int
) -> None:
    """Training and held-out windows are those of a run at `ratio`, tested ones those of a run at the reserve."""
    assume(reserve >= ratio)
    log = Lines(pl.DataFrame({"message": ["m"] * total}).with_row_index("line").lazy())

    def windows(**fields: float) -> dict[str, list[int]]:
        cuts = Cuts.of(log, EvaluationProtocol(train="ratio", held_out=held_out, **fields))  # type: ignore[arg-type]
        found: dict[str, list[int]] = {}
        for line, unit in (
            SplitWindower(Count(size, size, "none"), cuts)
            .assign(log.frame)
            .select("line", "unit")
            .collect()
            .iter_rows()
        ):
            found.setdefault(unit, []).append(line)
            side = ("train", "held-out", "test", "reserved")[int(cuts.sides(pl.Series([line]).to_numpy())[0])]
            assert unit.startswith(side + " ")
        assert sum(cuts.counted().values()) == total
        assert ("reserved_lines" in cuts.counted()) == (cuts.test > cuts.reserved), "said where there are any"
        return found

    both, small, large = (
        windows(train_ratio=ratio, test_reserve=reserve),
        windows(train_ratio=ratio),
        windows(train_ratio=reserve),
    )
    trained = {unit: lines for unit, lines in small.items() if not unit.startswith("test")}
    tested = {unit: lines for unit, lines in large.items() if unit.startswith("test")}
    kept = {unit: lines for unit, lines in both.items() if not unit.startswith("reserved")}
    assert kept == trained | tested


def test_a_run_on_cut_lines_keeps_its_test(tmp_path: Any) -> None:
    rows: list[Row] = [(f"message {i % 7}", int(i % 11 == 10), 40 * i, "xyz"[i % 3]) for i in range(200)]
    path, found = write(tmp_path / "a.log", rows), registry()
    common = {"train": "ratio", "content": "mixed", "held_out": 0.2, "test_reserve": 0.6}
    records = [
        run_one(path, found, "new-event", {"protocol": {**common, "train_ratio": ratio}, "count": {"size": 5}})
        for ratio in (0.2, 0.4, 0.6)
    ]
    assert all(record.status == "ok" for record in records), [record.error for record in records]
    assert len({record.split["test_digest"] for record in records}) == 1
    assert len({record.metrics["window"]["all"]["prevalence"] for record in records}) == 1
    assert [record.dataset.get("reserved_lines", 0) for record in records] == [80, 40, 0]
    assert [record.split["reserved"] for record in records] == [16, 8, 0]
    plain = run_one(path, found, "new-event", {
        "protocol": {**common, "train_ratio": 0.6, "test_reserve": None}, "count": {"size": 5}})  # fmt: skip
    assert plain.metrics == records[-1].metrics and plain.split["digest"] == records[-1].split["digest"]


def test_units_of_a_plain_frame_need_no_reserve() -> None:
    found = split(frame([0, 1, 0, 0]), train_units=2)
    assert found.reserved == 0 and found.test.tolist() == [1, 3]
