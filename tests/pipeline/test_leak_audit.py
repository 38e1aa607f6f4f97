"""Leaks made on purpose end the run with what leaked; lines are cut before windows are."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hdfs_lines import TINY
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_log import Row, registry, run_one, write

import logbench.running.prepare
from logbench import (
    EvaluationProtocol,
    LeakError,
    Lines,
    ParserComponent,
    RunRecord,
    Sessions,
    WindowerComponent,
    WindowerTraits,
    run,
)
from logbench.base.progress import silent
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import GroupedLines, group_lines
from logbench.pipeline.leak_audit import audit, labels_given
from logbench.pipeline.line_split import Cuts, SplitWindower
from logbench.pipeline.parsing import Vocabulary, learn
from logbench.pipeline.split import Split, split_units
from logbench_parsers.none import Verbatim
from logbench_windowers.column import Column
from logbench_windowers.count import Count
from logbench_windowers.time import Time

MINUTE = 60 * 10**6
WINDOWERS = {
    "count": lambda: Count(5, 5, "none"),
    "sliding": lambda: Count(5, 2, "none"),
    "count within": lambda: Count(3, 2, "node"),
    "time": lambda: Time(10 * MINUTE, 10 * MINUTE, "none"),
    "sliding time": lambda: Time(10 * MINUTE, 3 * MINUTE, "none"),
}
ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 1), st.integers(0, 4_000), st.sampled_from("xy")),
    min_size=1, max_size=40,
)  # fmt: skip


def frame(rows: list[Row]) -> pl.LazyFrame:
    columns = dict(zip(("message", "label", "second", "node"), zip(*rows, strict=True), strict=True))
    time = (pl.col("second").cast(pl.Int64) * 10**6).cast(pl.Datetime("us"))
    made = pl.DataFrame(columns).with_row_index("line").lazy()
    return made.select("line", "message", "node", label=pl.col("label").cast(pl.Int8), time=time)


def members(assigned: pl.LazyFrame) -> dict[str, list[int]]:
    units: dict[str, list[int]] = {}
    for line, unit in assigned.select("line", "unit").collect().iter_rows():
        units.setdefault(unit, []).append(line)
    return units


@given(ROWS, st.sampled_from(sorted(WINDOWERS)), st.floats(0.05, 1), st.floats(0, 0.9))
@settings(deadline=None)
def test_windows_of_cut_lines_are_those_of_each_side_by_itself(
    rows: list[Row], kind: str, ratio: float, held_out: float
) -> None:
    protocol = EvaluationProtocol(train="ratio", train_ratio=ratio, held_out=held_out)
    cuts = Cuts.of(Lines(frame(rows)), protocol)
    end = round(ratio * len(rows))
    bounds = [0, end - round(held_out * end), end, len(rows)]
    assert [cuts.held_out, cuts.test, cuts.total] == bounds[1:]
    found = members(SplitWindower(WINDOWERS[kind](), cuts).assign(frame(rows)))
    for side, (begin, end) in zip(("train ", "held-out ", "test "), itertools.pairwise(bounds), strict=True):
        alone = frame(rows[begin:end]) if begin < end else None
        expected = members(WINDOWERS[kind]().assign(alone)).values() if alone is not None else []
        ours = [lines for unit, lines in found.items() if unit.startswith(side)]
        assert ours == [[line + begin for line in lines] for lines in expected]
    for unit, lines in found.items():
        sides = set(cuts.sides(np.array(lines)).tolist())
        assert len(sides) == 1 and unit.startswith(("train", "held-out", "test")[sides.pop()])


def grouped(rows: list[Row], windower: Any, cuts: Cuts | None = None) -> GroupedLines:
    made = SplitWindower(windower, cuts) if cuts else windower
    found = group_lines(read_lines(Lines(frame(rows)), made, Verbatim(), silent, False), Verbatim())
    sides = cuts.sides(found.units["first_line"].to_numpy()) if cuts else None
    return replace(found, units=found.units.with_columns(side=sides)) if cuts else found


LOG: list[Row] = [(f"message {i % 7}", int(i % 11 == 10), 40 * i, "xyz"[i % 3]) for i in range(100)]


def prepared(
    windower: Any, cut: bool, **protocol: Any
) -> tuple[GroupedLines, Split, Vocabulary, EvaluationProtocol]:
    rules = EvaluationProtocol(**{"train": "ratio", "held_out": 0.2, "content": "mixed", **protocol})
    found = grouped(LOG, windower, Cuts.of(Lines(frame(LOG)), rules) if cut else None)
    split = split_units(found.units, rules)
    return found, split, learn(found, split.train, Verbatim()), rules


def test_a_clean_run_says_what_was_checked() -> None:
    found, split, vocabulary, _ = prepared(Count(5, 2, "none"), cut=True)
    assert audit(found, split, vocabulary, True, True) == {
        "units": len(found),
        "shared_lines": 0,
        "lines_cut": True,
        "chronological": "lines",
        "parser_messages": 7,
    }
    assert split.straddling == 0 and split.held_out.tolist() == np.flatnonzero(found.units["side"] == 1).tolist()
    assert found.units["last_line"].to_numpy()[split.train].max() == 39, "all 40 lines before the held-out ones"


@pytest.mark.parametrize("part", ["train", "held_out"])
def test_a_unit_on_two_sides_is_named(part: str) -> None:
    found, split, vocabulary, _ = prepared(Count(5, 5, "none"), cut=False, train="random_ratio")
    both = np.sort(np.concatenate([getattr(split, part), split.test[:1]]))
    leaking = replace(split, **{part: both})
    vocabulary = learn(found, leaking.train, Verbatim())
    with pytest.raises(LeakError, match=f"unit {found.units['unit'][int(split.test[0])]} is on two sides"):
        audit(found, leaking, vocabulary, False, False)


def test_a_line_on_two_sides_is_named() -> None:
    """Overlapping windows split as wholes: refused, but a windower may not say that it overlaps."""
    found, split, vocabulary, _ = prepared(Count(10, 5, "none"), cut=False, train="random_ratio")
    with pytest.raises(LeakError, match=r"line \d+ is on two sides of the split: units lines \d+–\d+, lines \d+"):
        audit(found, split, vocabulary, False, True)
    sides = [set(), set()]  # type: list[set[int]]
    for part, units in ((0, split.train), (0, split.held_out), (1, split.test)):
        for unit in units:
            sides[part] |= set(found.lines[found.offsets[unit] : found.offsets[unit + 1]].tolist())
    counted = audit(found, split, vocabulary, False, False)["shared_lines"]
    assert counted == len(sides[0] & sides[1]) > 0


@pytest.mark.parametrize("cut", [True, False])
def test_training_after_the_test_is_named(cut: bool) -> None:
    found, split, vocabulary, _ = prepared(Count(5, 5, "none"), cut=cut)
    swapped = replace(split, train=split.test, test=split.train)
    vocabulary = learn(found, swapped.train, Verbatim())
    with pytest.raises(LeakError, match=r"lines 96–100 with line (96|100) trains, .* begins with line (1|41)"):
        audit(found, swapped, vocabulary, True, True)
    if cut:
        swapped = replace(split, train=split.held_out, held_out=split.train)
        vocabulary = learn(found, swapped.train, Verbatim())
        with pytest.raises(LeakError, match="the split is not chronological"):
            audit(found, swapped, vocabulary, True, True)


def test_units_across_the_cut_are_counted() -> None:
    rows = [("m", 0, i, node) for i, node in enumerate("aaabbbccb")]
    found = grouped(rows, Column("node"))
    rules = EvaluationProtocol(train="ratio", train_ratio=0.67, held_out=0)
    split = split_units(found.units, rules)
    vocabulary = learn(found, split.train, Verbatim())
    said = audit(found, split, vocabulary, True, False)
    assert split.straddling == 1 and said["chronological"] == "first lines" and said["shared_lines"] == 0


class Learning(Verbatim):
    """A parser that gives a template of its own to what it was not fitted on."""

    def match(self, messages: pl.Series) -> Any:
        keys = super().match(messages)
        self._keys |= {text: len(self._keys) for text in messages}
        return keys


def run_log(folder: Path, rows: list[Row], settings: Any = None, **more: Any) -> RunRecord:
    options = {key: more.pop(key) for key in ("parser", "windower") if key in more}
    protocol = {"train": "ratio", "train_ratio": 0.6, "held_out": 0.2, "content": "mixed"}
    settings = {"protocol": protocol, "count": {"size": 5}} if settings is None else settings
    return run_one(write(folder / "a.log", rows), registry(**more), "new-event", settings, **options)


# Each ten lines bring a message of their own.
FRESH: list[Row] = [(f"message {i // 10}", 0, i, "x") for i in range(100)]


def test_a_parser_that_goes_on_learning_ends_the_run(tmp_path: Path) -> None:
    record = run_log(tmp_path, FRESH, parser="learning", parsers=[ParserComponent("learning", Learning)])
    assert record.status == "error" and record.error is not None
    assert record.error["type"] == "LeakError" and "the parser learned from" in record.error["message"]
    assert record.error["stage"] == "sessions"


def test_a_parser_fitted_on_test_messages_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(grouped: GroupedLines, _: Any, parser: Any) -> Vocabulary:
        return learn(grouped, np.arange(len(grouped)), parser)

    monkeypatch.setattr(logbench.running.prepare, "learn", all_of_them)
    record = run_log(tmp_path, FRESH)
    assert record.error is not None and record.error["type"] == "LeakError"
    assert "fitted on a message that no training unit holds: message" in record.error["message"]


def test_a_windower_that_overlaps_without_saying_so_ends_the_run(tmp_path: Path) -> None:
    windowers = [WindowerComponent("sly", lambda: Count(10, 5, "none"), traits=WindowerTraits(line_windows=True))]
    settings = {"protocol": {"train": "random", "train_units": 5}}
    record = run_log(tmp_path, LOG, settings, windower="sly", windowers=windowers)
    assert record.error is not None and record.error["type"] == "LeakError"
    settings = {"protocol": {"train": "ratio", "content": "mixed"}}
    record = run_log(tmp_path, LOG, settings, windower="sly", windowers=windowers)
    assert record.status == "ok" and record.audit["shared_lines"] == 0, "cut lines cannot leak, whatever it does"


def test_overlapping_windows_are_refused_where_whole_ones_are_split(tmp_path: Path) -> None:
    settings = {"protocol": {"train": "random_ratio"}, "count": {"size": 5, "stride": 2}}
    record = run_log(tmp_path, LOG, settings)
    assert record.status == "skipped" and record.error is not None
    assert "overlapping windows share lines, so protocol.train=random_ratio" in record.error["message"]


def test_the_record_keeps_the_audit_and_the_cuts(tmp_path: Path) -> None:
    record = run_log(tmp_path, LOG)
    assert record.audit == {
        "units": 21, "shared_lines": 0, "lines_cut": True, "chronological": "lines", "parser_messages": 7,
        "labels": "none", "threshold": "the model, which says yes or no",
        "alone": {"units": 13, "differ": 0},
    }  # fmt: skip
    assert {name: record.dataset[name] for name in ("train_lines", "held_out_lines", "test_lines")} == {
        "train_lines": 48, "held_out_lines": 12, "test_lines": 40,
    }  # fmt: skip
    assert (record.split["train"], record.split["held_out"], record.split["test"]) == (10, 3, 8)
    assert list(record.metrics) == ["window", "event"], "the windower names the unit"


def test_lines_cut_elsewhere_are_not_those_of_the_cache(tmp_path: Path) -> None:
    log = tmp_path / "a_structured.csv"
    log.write_text("LineId,EventId\n" + "".join(f"{at},E{at % 7}\n" for at in range(100)))

    def cut(**protocol: Any) -> RunRecord:
        settings = {"protocol": {"train": "ratio", "content": "mixed", **protocol}, "count": {"size": 5}}
        options: dict[str, Any] = {"dataset": "loghub-structured", "data": log, "out": tmp_path / "runs"}
        (record,) = run("new-event", settings=settings, **options)
        return record

    first, again = cut(train_ratio=0.4), cut(train_ratio=0.4)
    assert first.error is None and not first.stages["read"]["cached"] and again.stages["read"]["cached"]
    assert again.split == first.split
    for other, lines in (({"train_ratio": 0.5}, 50), ({"train_ratio": 0.4, "test_reserve": 0.7}, 30)):
        found = cut(**other)
        assert not found.stages["read"]["cached"] and found.dataset["test_lines"] == lines
    assert cut(train_ratio=0.4, held_out=0.5).dataset["held_out_lines"] == 20


def test_hdfs_lines_of_several_blocks_are_counted(tiny_hdfs: Path, tmp_path: Path) -> None:
    settings = {"protocol": {"train": "random", "train_units": 1, "held_out": 0, "content": "mixed"}}
    (record,) = run("new-event", dataset="hdfs", data=tiny_hdfs, out=tmp_path / "runs", settings=settings)
    named: list[set[str]] = [set(re.findall("blk_-?[0-9]+", message)) for message in TINY]
    scores = pl.read_parquet(tmp_path / "runs" / record.artifacts["scores"])
    tested = set(scores.filter(part="test")["unit"])
    (trained,) = {"blk_1", "blk_-2", "blk_3"} - tested
    assert record.split["shared_lines"] == sum(trained in names and bool(names & tested) for names in named) > 0


def test_labels_where_none_are_due_are_a_leak() -> None:
    bare = Sessions.of([[0]], 1)
    labelled = replace(bare, labels=np.zeros(1, np.int8))
    by_line = replace(bare, line_labels=np.zeros(1, np.int8))
    assert labels_given(bare, None, bare, False) == labels_given(bare, bare, bare, False) == "none"
    assert labels_given(labelled, None, bare, True) == "training units"
    assert labels_given(labelled, bare, bare, True) == "training units"
    assert labels_given(labelled, labelled, bare, True) == "training and held-out units"
    for told in (labelled, by_line):
        with pytest.raises(LeakError, match="labels of training units"):
            labels_given(told, None, bare, False)
        with pytest.raises(LeakError, match="labels of held-out units"):
            labels_given(bare, told, bare, False)
        for supervised in (False, True):
            with pytest.raises(LeakError, match="labels of scored units"):
                labels_given(bare, None, told, supervised)


def test_key_sequences_have_no_lines_to_cut(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in ("hdfs_train", "hdfs_test_normal", "hdfs_test_abnormal"):
        (folder / name).write_text("5 5 22 5 11\n5 22 5\n")
    (record,) = run("new-event", dataset="deeplog-archive", data=folder, windower="time", out=tmp_path / "runs")
    assert (
        record.status == "skipped" and record.error is not None and "only key sequences" in record.error["message"]
    )
