"""Windowers against loops over lines in plain Python; cuts of a chronological split; whole runs on windows."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_log import registry, run_one, write

import logbench_windowers.column as ordered
from logbench import ConfigError, IncompatibleError
from logbench.base.options import make
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running.bundle import Bundle

EPOCH = dt.datetime(1970, 1, 1)
SECONDS = st.one_of(st.none(), st.integers(-5_000, 20_000))
NODES = st.sampled_from([None, "a", "b", "a@b"])
WITHIN = st.sampled_from(["none", "node"])
REGISTRY = Registry()
Row = dict[str, Any]


@pytest.fixture(autouse=True)
def _small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows go over the ends of frames, which are otherwise larger than any test's log."""
    monkeypatch.setattr(ordered, "FRAME", 3)


@st.composite
def logs(draw: st.DrawFn) -> list[Row]:
    rows = draw(st.lists(st.tuples(SECONDS, NODES), min_size=1, max_size=30))
    times = [None if at is None else EPOCH + dt.timedelta(seconds=at) for at, _ in rows]
    return [{"line": i, "message": f"m{i}", "time": times[i], "node": node} for i, (_, node) in enumerate(rows)]


def frame(rows: list[Row]) -> pl.LazyFrame:
    schema = {"line": pl.UInt32, "message": pl.String, "time": pl.Datetime("us"), "node": pl.String}
    return pl.DataFrame(rows, schema=schema).lazy()


def windower(name: str, **options: Any) -> Any:
    item = REGISTRY.get("windower", name).item
    return item.build() if item.config is None else item.build(make(item.config, options, name))


def assign(name: str, rows: list[Row], **options: Any) -> list[tuple[int, str | None]]:
    """Line and unit of each row, after checking that lines, order and columns are kept."""
    found = windower(name, **options).assign(frame(rows)).collect()
    assert found.drop("unit", "group", strict=False).unique(maintain_order=True).rows(named=True) == rows
    assert found["line"].is_sorted() and found["unit"].dtype == pl.String
    assert [(row["line"], row["unit"]) for row in found.rows(named=True)] == list(
        found["line", "unit"].iter_rows()
    )
    return list(found["line", "unit"].iter_rows())


def named(row: Row, within: str, name: str) -> str | None:
    return name if within == "none" else None if row["node"] is None else f"{row['node']}@{name}"


def time_by_hand(rows: list[Row], size: int, stride: int, within: str) -> Iterator[tuple[int, str | None]]:
    last: dt.datetime | None = None
    for row in rows:
        last = row["time"] or last
        if last is None or (within != "none" and row["node"] is None):
            yield row["line"], None
            continue
        second = (last - EPOCH).total_seconds()
        begins = [k * stride for k in range(-20_000 // stride, 20_000 // stride + 1)]
        for begin in begins:
            if begin <= second < begin + size:
                text = str(EPOCH + dt.timedelta(seconds=begin))
                yield row["line"], named(row, within, text[:16] if stride % 60 == 0 else text)


@given(logs(), st.sampled_from([(3600, 3600), (3600, 600), (100, 30), (60, 60), (90, 90), (1800, 1000)]), WITHIN)
@settings(deadline=None)
def test_time_windows_are_those_of_a_loop(rows: list[Row], sizes: tuple[int, int], within: str) -> None:
    size, stride = sizes
    found = assign("time", rows, size=f"{size}s", stride="0" if size == stride else f"{stride}s", within=within)
    assert found == list(time_by_hand(rows, size, stride, within))


def count_by_hand(rows: list[Row], size: int, stride: int, within: str) -> Iterator[tuple[int, str | None]]:
    met: dict[str | None, int] = {}
    for row in rows:
        group = row["node"] if within != "none" else ""
        place = met.setdefault(group, 0)
        met[group] += 1
        for begin in range(0, len(rows), stride):
            if group is None:
                yield row["line"], None
                break
            if begin <= place < begin + size:
                yield row["line"], named(row, within, f"lines {begin + 1}–{begin + size}")


@given(logs(), st.integers(1, 8), st.integers(0, 8), WITHIN)
@settings(deadline=None)
def test_count_windows_are_those_of_a_loop(rows: list[Row], size: int, stride: int, within: str) -> None:
    stride = min(stride, size)
    found = assign("count", rows, size=size, stride=stride, within=within)
    assert found == list(count_by_hand(rows, size, stride or size, within))


@given(logs())
@settings(deadline=None)
def test_time_counts_steps_back_and_lines_without_time(rows: list[Row]) -> None:
    times = [row["time"] for row in rows]
    known = [time for time in times if time is not None]
    made = windower("time")
    assigned = made.assign(frame(rows))
    for _ in range(2):
        assigned.collect()
        assert made.counted() == {
            "lines_back_in_time": sum(b < a for a, b in pairwise(known)),
            "lines_without_time": times.count(None),
        }, "the last pass alone counts"


@pytest.mark.parametrize(
    ("stride", "name"),
    [("1d", "1970-01-01 00:00"), ("15s", "1970-01-01 00:00:15"), ("250us", "1970-01-01 00:00:15.000250")],
)
def test_a_time_window_is_named_by_its_beginning(stride: str, name: str) -> None:
    rows = [{"line": 0, "message": "", "time": dt.datetime(1970, 1, 1, 0, 0, 15, 499), "node": None}]
    assert assign("time", rows, size=stride) == [(0, name)]


def test_node_and_file_are_the_columns_value() -> None:
    rows = [{"line": i, "message": "", "time": None, "node": node} for i, node in enumerate(["a", None, "b", "a"])]
    assert assign("node", rows) == [(0, "a"), (1, None), (2, "b"), (3, "a")]
    files = frame(rows).rename({"node": "file"})
    assert windower("file").assign(files).collect()["unit"].to_list() == ["a", None, "b", "a"]


@pytest.mark.parametrize(
    ("name", "options", "column"),
    [("node", {}, "node"), ("file", {}, "file"), ("time", {}, "time"),
     ("time", {"within": "node"}, "node"), ("count", {"within": "file"}, "file")],
)  # fmt: skip
def test_lines_without_the_column_are_refused_by_name(name: str, options: Row, column: str) -> None:
    lines = pl.LazyFrame({"line": [0], "message": ["m"]}, schema_overrides={"line": pl.UInt32})
    if options and name == "time":
        lines = lines.with_columns(time=pl.lit(EPOCH))
    with pytest.raises(IncompatibleError, match=f"need lines with a {column}, here they have line, message"):
        windower(name, **options).assign(lines)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("time", {"size": "1 hour"}, "time.size=1 hour: expected a duration such as 30m"),
        ("time", {"size": "0h"}, "expected a duration"),
        ("time", {"stride": "2h"}, "time.stride=2h is larger than time.size=1h"),
        ("count", {"stride": 101}, "count.stride=101 is larger than count.size=100"),
    ],
)
def test_options_that_cannot_be_are_one_line(name: str, options: Row, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        windower(name, **options)


@pytest.mark.parametrize(
    ("name", "options", "overlaps"),
    [("time", {}, False), ("time", {"stride": "60m"}, False), ("time", {"stride": "59m"}, True),
     ("count", {}, False), ("count", {"stride": 100}, False), ("count", {"stride": 99}, True)],
)  # fmt: skip
def test_windows_overlap_where_the_stride_is_shorter(name: str, options: Row, overlaps: bool) -> None:
    item = REGISTRY.get("windower", name).item
    assert item.traits.line_windows
    assert item.traits.overlaps(make(item.config, options, name)) == overlaps


@pytest.mark.parametrize(
    ("name", "options"), [("time", {"size": "10s", "stride": "4s"}), ("count", {"size": 7, "stride": 3})]
)
def test_lines_of_a_pipe_are_in_the_windows_of_the_file(tmp_path: Path, name: str, options: Row) -> None:
    found = registry()
    log = write(tmp_path / "a.log", [(f"m{i % 4}" if i != 50 else "odd", 0, i, "x") for i in range(80)])
    chosen = {"protocol": {"train": "ratio", "train_ratio": 0.5}, name: options}
    record = run_one(log, found, "new-event", chosen, windower=name, save=tmp_path / "saved")
    assert record.error is None
    bundle = Bundle(tmp_path / "saved", found)
    whole = score_bundle(bundle, log, "cpu", lambda *_: None)
    text = log.read_bytes()
    pieces = [text[at : at + 99] for at in range(0, len(text), 99)]
    parts = list(score_stream(bundle, iter(pieces), 1e12, "cpu", clock=lambda: 0.0))
    assert pl.concat(parts).sort("unit").equals(whole.select(parts[0].columns).sort("unit"))
    assert whole["verdict"].sum() == {"time": 2, "count": 2}[name], "the windows of line 50"
    if name == "time":  # a window is over when its time is, however short the timeout
        ticks = itertools.count(0.0, 2.0)
        early = pl.concat(score_stream(bundle, iter(pieces), 0.1, "cpu", clock=lambda: next(ticks)))
        assert early.sort("unit").equals(pl.concat(parts).sort("unit"))


def test_windows_that_count_a_nodes_lines_take_no_pipe(tmp_path: Path) -> None:
    found = registry()
    log = write(tmp_path / "a.log", [("m", 0, i, "x") for i in range(80)])
    chosen = {"protocol": {"train": "ratio"}, "count": {"size": 5, "within": "node"}}
    record = run_one(log, found, "new-event", chosen, save=tmp_path / "saved")
    assert record.error is None
    with pytest.raises(IncompatibleError, match="windower count counts lines; give them in a file"):
        list(score_stream(Bundle(tmp_path / "saved", found), iter([b""]), 1.0, "cpu"))
