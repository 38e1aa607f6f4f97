"""A windower that splits ids: labels given by id reach every piece, and the page's example splits by silence."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snippets import ROOT, blocks

import logbench
from logbench import Card, DatasetComponent, Lines, PluginError, WindowerComponent
from logbench.pipeline.label_ids import label_ids
from logbench.testing import check, registry

PAGE = ROOT / "docs" / "hooks" / "windowers.md"
BEGIN = dt.datetime(2024, 1, 1)
CARD = Card(
    title="t", label="of an id", parser="none", windower="quiet", protocol="chronological", layout="a file"
)


def page_module(name: str) -> Any:
    """The module `name` that the page tells the reader to write."""
    (text,) = (block.text for block in blocks(PAGE) if block.value.endswith(f"{name}.py"))
    module = ModuleType(name)
    # dataclasses look for the module of a class
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, name, module)
        exec(compile(text, f"{name}.py", "exec"), vars(module))
    return module


QUIET = page_module("quiet")


def lines_of(rows: list[tuple[int, list[str]]]) -> pl.DataFrame:
    """Lines at these seconds that name these ids."""
    schema = {"line": pl.UInt32, "message": pl.String, "time": pl.Datetime("us"), "id": pl.List(pl.String)}
    times = [BEGIN + dt.timedelta(seconds=second) for second, _ in rows]
    return pl.DataFrame(
        {"line": range(len(rows)), "message": ["m"] * len(rows), "time": times, "id": [ids for _, ids in rows]},
        schema=schema,
    )


ROWS = st.lists(st.tuples(st.integers(0, 12), st.lists(st.sampled_from("abc"), max_size=3)), max_size=25)


@given(gaps=ROWS, seconds=st.sampled_from([0.5, 3.0, 8.0]))
def test_the_page_splits_ids_as_a_loop_does(gaps: list[tuple[int, list[str]]], seconds: float) -> None:
    second, rows = 0, []
    for gap, ids in gaps:
        second += gap
        rows.append((second, ids))
    expected: list[tuple[int, str | None]] = []
    last, piece = dict[str, int](), Counter[str]()
    for line, (at, ids) in enumerate(rows):
        for name in dict.fromkeys(ids):
            piece[name] += name in last and at - last[name] > seconds
            last[name] = at
            expected.append((line, f"{name}#{piece[name]}"))
        if not ids:
            expected.append((line, None))
    made = QUIET.Quiet(QUIET.Config(seconds)).assign(lines_of(rows).lazy()).collect()
    assert made.select("line", "unit").rows() == expected


class Jobs:
    """Five jobs, each of three lines, a long silence and one more line; the third is anomalous."""

    def read(self, path: Path) -> Lines:
        rows = [(at + 100 * n, [f"j{n}"]) for n in range(5) for at in (0, 1, 2, 90)]
        return Lines(lines_of(rows).lazy(), files=[path], labels=self.labels, shown=("time", "id"))

    def labels(self) -> pl.DataFrame:
        names = [f"j{n}" for n in range(5)]
        return pl.DataFrame({"unit": names, "label": pl.Series([int(n == 2) for n in range(5)], dtype=pl.Int8)})


class Untold:
    """The same without a word on labels."""

    piecewise = False

    def __init__(self, config: Any) -> None:
        self.assign = QUIET.Quiet(config).assign


def run(folder: Path, windower: Any) -> logbench.RunRecord:
    (path := folder / "log").touch()
    found = registry(
        datasets=[DatasetComponent("jobs", Jobs, card=CARD)],
        windowers=[WindowerComponent("quiet", windower, QUIET.Config)],
    )
    protocol = {"train": "first", "train_units": 2, "held_out": 0.0, "min_events": 0, "threshold": "oracle"}
    (record,) = logbench.run(
        "length", dataset="jobs", data=path, registry=found, settings={"protocol": protocol}, out=folder / "runs",
        cache=False,
    )  # fmt: skip
    return record


def test_a_piece_has_the_label_of_its_whole_id(tmp_path: Path) -> None:
    record = run(tmp_path, QUIET.Quiet)
    assert record.error is None, record.error
    scores = logbench.StoredRuns(tmp_path / "runs").scores(record)
    labels = dict(scores.select("unit", "label").iter_rows())
    anomalous = {unit for unit, label in labels.items() if label == 1}
    assert anomalous == {"j2#0", "j2#1"} and len(labels) == 8
    assert record.dataset["anomalies"] == 2 and record.dataset["sessions"] == 10
    assert record.dataset["labels_without_unit"] == 0 and record.dataset["units_without_label"] == 0  # type: ignore[typeddict-item]


def test_pieces_without_label_of_have_no_labels(tmp_path: Path) -> None:
    error = run(tmp_path, Untold).error
    assert (
        error is not None and "none of the 5 labels names a unit of this log (j0 against j0#0" in error["message"]
    )


def test_an_id_that_is_no_text_is_named() -> None:
    class Numbers(QUIET.Quiet):  # type: ignore[misc]
        def label_of(self, unit: str) -> Any:
            return 1

    units = pl.Series("unit", ["a#0", None])
    assert label_ids(QUIET.Quiet(QUIET.Config()), units).to_list() == ["a", None]
    with pytest.raises(PluginError, match="must return a text, got int"):
        label_ids(Numbers(QUIET.Config()), units)


def test_check_holds_a_data_set_whose_windower_splits_ids(tmp_path: Path) -> None:
    (path := tmp_path / "log").touch()
    found = registry(
        datasets=[DatasetComponent("jobs", Jobs, card=CARD)],
        windowers=[WindowerComponent("quiet", QUIET.Quiet, QUIET.Config)],
    )
    outcomes = {one.rule: one for one in check("dataset", "jobs", registry=found, data=path)}
    assert outcomes["named"].status == "ok", outcomes["named"]


@pytest.mark.parametrize("windower", [QUIET.Quiet(QUIET.Config()), page_module("firstid").FirstId()])
def test_windowers_of_the_page_keep_lines_of_no_unit(windower: Any) -> None:
    rows = [(0, ["a"]), (1, []), (2, ["b", "a"]), (3, [])]
    made = windower.assign(lines_of(rows).lazy()).collect()
    assert made.filter(pl.col("unit").is_null())["line"].to_list() == [1, 3]
    assert made["line"].unique(maintain_order=True).to_list() == [0, 1, 2, 3]


def test_the_page_explodes_without_losing_lines() -> None:
    """Under the pinned polars a bare explode leaves out a line whose list is empty."""
    text = PAGE.read_text(encoding="utf-8")
    frame = lines_of([(0, ["a"]), (1, [])]).rename({"id": "unit"})
    calls = [part.partition("`")[0] for part in text.split("`.explode(")[1:]]
    assert calls, "the page names the call"
    for call in calls:
        made = eval(f"frame.explode({call}", {"frame": frame})
        assert made.select("line", "unit").rows() == [(0, "a"), (1, None)]
