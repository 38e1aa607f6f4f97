"""Groups of units: who names them, that they are counted, and that whole ones train or are tested."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from labelled_log import Row, registry, run_one, write
from splitting import frame, grouped_frame, split

from logbench import DataError, IncompatibleError, KeySequences, LineFormat, Lines, PluginError
from logbench.base.progress import silent
from logbench.pipeline import grouped_cache
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import GroupedLines, group_lines, group_sequences
from logbench.pipeline.groups import UnitGroups, group_codes, shared_groups
from logbench.reading.line_reader import open_lines
from logbench_datasets.hadoop import Hadoop
from logbench_parsers.none import Verbatim
from logbench_windowers.column import Column
from logbench_windowers.count import Count
from logbench_windowers.time import Time

LINES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y", None])), min_size=1, max_size=30)


@example([("a", "x"), ("a", "x"), ("b", "y")], [1, 2])
@given(LINES, st.lists(st.integers(0, 30), max_size=3))
def test_a_unit_is_of_the_group_of_its_first_line(lines: list[tuple[str, str | None]], cuts: list[int]) -> None:
    """Whatever the batches; units whose lines differ in their group are counted."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(name for name, _ in lines))}
    found, kind = UnitGroups(), pl.Categorical(pl.Categories.random())
    bounds = sorted({0, len(lines), *(cut for cut in cuts if cut < len(lines))})
    groups = pl.Series([group for _, group in lines], dtype=pl.String).cast(kind)
    for begin, end in itertools.pairwise(bounds):
        unit = np.array([numbers[name] for name, _ in lines[begin:end]], dtype=np.int32)
        found.add(unit, groups[begin:end])
    of_unit: dict[str, list[str | None]] = {}
    for name, group in lines:
        of_unit.setdefault(name, []).append(group)
    names = found.names()
    if all(group is None for _, group in lines):
        assert names is None
    else:
        assert names is not None and names.to_list() == [groups[0] for groups in of_unit.values()]
    assert found.mixed == sum(len(set(groups)) > 1 for groups in of_unit.values())


@pytest.mark.parametrize("total", [3, 2000])
def test_groups_are_numbered_in_first_seen_order_and_none_is_one_of_them(total: int) -> None:
    names = [None if i % 5 == 1 else f"g{i * 7919 % (total // 2 + 1)}" for i in range(total)]
    number: dict[str | None, int] = {}
    expected = [number.setdefault(name, len(number)) for name in names]
    codes = group_codes(frame([0] * total, group=names))
    assert codes is not None and codes.dtype == np.int64 and codes.tolist() == expected


def table(nodes: str, **columns: Any) -> Lines:
    made = pl.DataFrame({"message": ["m"] * len(nodes), "node": list(nodes), **columns}).with_row_index("line")
    time = pl.datetime(2005, 6, 3) + pl.duration(seconds="line")
    return Lines(made.with_columns(time=time.cast(pl.Datetime("us"))).lazy())


def read(lines: Lines, windower: Any) -> GroupedLines:
    return group_lines(read_lines(lines, windower, Verbatim(), silent, False), Verbatim())


@pytest.mark.parametrize(
    "windower",
    [Column("node"), Count(2, 2, "node"), Count(2, 1, "node"), Time(10**7, 10**7, "node")],
    ids=["node", "count", "overlapping", "time"],
)
def test_windows_within_nodes_have_these_as_groups_unless_the_data_set_names_others(windower: Any) -> None:
    nodes = "aabbaabbcc"
    units = read(table(nodes), windower).units
    assert units["group"].to_list() == [nodes[line] for line in units["first_line"]]
    racks = ["r1" if node == "a" else "r2" for node in nodes]
    units = read(table(nodes, group=racks), windower).units
    assert units["group"].to_list() == [racks[line] for line in units["first_line"]]


def test_windows_over_nodes_have_no_groups_of_their_own() -> None:
    assert "group" not in read(table("aabb"), Count(2, 2, "none")).units.columns
    found = read(table("aabb", group=["g", "h", "h", "h"]), Count(2, 2, "none"))
    assert found.units["group"].to_list() == ["g", "h"] and found.facts["units_of_several_groups"] == 1


def test_key_sequences_name_groups() -> None:
    sequences = pl.DataFrame({"unit": ["u", "v"], "keys": [[1], [2]], "group": ["g", None]})
    assert group_sequences(KeySequences(sequences)).units["group"].to_list() == ["g", None]
    with pytest.raises(PluginError, match="'group' must be String"):
        KeySequences(sequences.with_columns(group=pl.Series([1, 2])))


class Wrong(Column):
    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return super().assign(lines).with_columns(group=pl.lit(1))


def test_a_windower_with_a_wrong_column_is_told() -> None:
    with pytest.raises(PluginError, match="'group' must be String"):
        read(table("ab"), Wrong("node"))


@pytest.mark.parametrize(
    ("form", "groups"),
    [
        ({"group": "Node"}, ["r1-a", "r1-b", "r2-a"]),
        ({"group": "Node", "group_pattern": "r[0-9]"}, ["r1", "r1", "r2"]),
        ({"group": "Node", "group_pattern": "-(.)"}, ["a", "b", "a"]),
        ({"group": "file"}, ["my.log"] * 3),
    ],
)
def test_own_logs_name_a_field_or_a_pattern(tmp_path: Path, form: dict[str, str], groups: list[str]) -> None:
    (tmp_path / "my.log").write_text("r1-a one\nr1-b two\nr2-a three\n")
    lines = open_lines(tmp_path, ["*.log"], LineFormat(pattern="<Node> <Content>", **form))
    assert lines.frame.select("group").collect()["group"].to_list() == groups


def test_hadoops_groups_are_applications_whatever_the_unit(tmp_path: Path) -> None:
    for name in ("application_1_0001", "application_1_0002"):
        (tmp_path / name).mkdir()
        for container in ("one", "two"):
            text = "2015-10-17 15:37:56,547 INFO [main] org.A: done\n"
            (tmp_path / name / f"container_{name}_{container}.log").write_text(text)
    (tmp_path / "abnormal_label.txt").write_text(
        "Normal:\n+ application_1_0001\nDisk full:\n+ application_1_0002\n"
    )
    units = read(Hadoop().read(tmp_path), Column("file")).units
    assert len(units) == 4 and units["group"].to_list() == [unit[:18] for unit in units["unit"]]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.8])
def test_whole_groups_train_or_are_tested(ratio: float, seed: int) -> None:
    labels = [0, 0, 1, 0, 0] * 12
    units = grouped_frame(labels, size=4)
    found = split(units, train="group", train_ratio=ratio, split_seed=seed, held_out=0.25, content="mixed")
    training = {units["group"][int(i)] for i in [*found.train, *found.held_out]}
    tested = {units["group"][int(i)] for i in found.test}
    assert not training & tested and len(training) == round(ratio * 15) and len(training | tested) == 15
    facts = shared_groups(units, np.sort(np.concatenate([found.train, found.held_out])), found.test)
    assert facts is not None and facts["shared"] == facts["test_units_shared"] == 0
    others = [
        split(units, train="group", train_ratio=ratio, split_seed=other, content="mixed").test.tolist()
        for other in range(4)
    ]
    assert len({tuple(one) for one in others}) > 1, "which groups depends on the seed"


def test_units_without_a_group_stay_together() -> None:
    units = frame([0] * 12, group=[None, "a", "b", "c"] * 3)
    for seed in range(6):
        found = split(units, train="group", train_ratio=0.5, split_seed=seed)
        assert len({int(i) in found.test for i in (0, 4, 8)}) == 1


def test_shared_groups_are_counted() -> None:
    units = frame([0] * 8, group=["a", "a", "b", "b", "c", "c", None, None])
    assert shared_groups(units, np.array([0, 2]), np.array([1, 3, 4, 5, 6])) == {
        "train": 2, "test": 4, "shared": 2, "test_units_shared": 2, "units_without": 2,
    }  # fmt: skip
    assert shared_groups(frame([0, 0]), np.array([0]), np.array([1])) is None
    assert shared_groups(frame([0, 0], group=[None, None]), np.array([0]), np.array([1])) is None


@pytest.mark.parametrize("units", [frame([0] * 9), frame([0] * 9, group=[None] * 9)], ids=["none", "null"])
def test_without_groups_there_is_no_such_split(units: pl.DataFrame) -> None:
    with pytest.raises(IncompatibleError, match="neither the data set nor the windower gives any"):
        split(units, train="group")


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(DataError, match="no unit to t"):
        split(frame([0] * 9, group=["a"] * 9), train="group", train_ratio=0.5)


def test_the_record_counts_groups_and_says_which_are_shared(tmp_path: Path) -> None:
    rows: list[Row] = [(f"message {i % 7}", int(i % 11 == 10), i, "wxyz"[i % 4]) for i in range(400)]
    path, found = write(tmp_path / "a.log", rows), registry()
    common = {"train_ratio": 0.5, "content": "mixed", "held_out": 0.2}
    window = {"count": {"size": 10, "within": "node"}}
    mixed = run_one(path, found, "new-event", {"protocol": {**common, "train": "random_ratio"}, **window})
    groups = mixed.split["groups"]
    assert (groups["train"], groups["test"], groups["shared"]) == (4, 4, 4), mixed.error
    assert groups["test_units_shared"] == mixed.split["test"]
    assert any(
        "20 of 20 tested units are of groups that also train (4 of 4 groups)" in note for note in mixed.notes
    )
    apart = run_one(path, found, "new-event", {"protocol": {**common, "train": "group"}, **window})
    assert apart.split["groups"] | {"units_without": 0} == {
        "train": 2, "test": 2, "shared": 0, "test_units_shared": 0, "units_without": 0,
    }  # fmt: skip
    assert not any("groups" in note for note in apart.notes)


def test_the_cache_keeps_groups() -> None:
    found, notes = read(table("aabb"), Column("node")), list[str]()
    grouped_cache.store("0" * 24, found, notes.append)
    kept = grouped_cache.load("0" * 24, notes.append)
    assert kept is not None and kept.units.equals(found.units) and not notes
    assert kept.units["group"].to_list() == ["a", "b"]
