"""Declared lines against independent readers, on whatever hypothesis makes up: cuts, quotes, columns, times."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench.base.errors import ConfigError
from logbench.data.line_format import LineFormat, regex_of
from logbench.deploy.pipe import Pieces
from logbench.reading import byte_streams, multi_line
from logbench.reading.line_counts import Counts
from logbench.reading.line_fields import checked_format
from logbench.reading.line_reader import open_lines
from logbench.reading.multi_line import joined
from logbench.reading.splitters import splitter

FORM = LineFormat(pattern="<Level> <Component>: <Content>", level="Level", component="Component", multiline=True)
LINES = st.lists(st.sampled_from(["INFO a: x", "INFO b: y z", "  at f", "", "nonsense"]), min_size=1)
CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n\0"), max_size=8)

OBJECTS = st.dictionaries(st.sampled_from(["msg", "log.level", "n"]), CELLS | st.integers(-9, 9))


def read(text: str, form: LineFormat) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a").write_bytes(text.encode())
        return open_lines(Path(folder), ["a"], form).frame.collect()


def entries(lines: list[str]) -> list[str]:
    """Lines joined by Python's own regular expressions, one after the other."""
    found: list[str] = []
    for line in lines:
        if found and not re.match(regex_of(FORM.pattern), line):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found


@settings(max_examples=60, deadline=None)
@given(LINES, st.integers(1, 9))
def test_lines_join_alike_wherever_the_file_is_cut(lines: list[str], size: int) -> None:
    whole = pl.DataFrame({"raw": lines}).with_row_index("at", 1).select("raw", "at")
    split, counts, carry, found = splitter(FORM), Counts(), None, []
    for at in range(0, len(lines), size):
        events, carry = joined(whole.slice(at, size), carry, split, counts)
        found.append(events)
    events = pl.concat([*found, *([] if carry is None else [carry])])
    expected = entries(lines)
    assert events["raw"].to_list() == expected
    assert events["at"].to_list() == [
        1 + sum(e.count("\n") + 1 for e in expected[:i]) for i in range(len(expected))
    ]
    assert counts.joined == len(lines) - len(expected)


@settings(max_examples=60, deadline=None)
@given(LINES, st.integers(1, 30))
def test_a_pipe_is_cut_into_the_same_events(lines: list[str], size: int) -> None:
    pieces, text = Pieces(FORM), "".join(f"{line}\n" for line in lines).encode()
    taken = []
    rest = b""
    for at in range(0, len(text), size):
        block = rest + text[at : at + size]
        cut = block.rfind(b"\n") + 1
        taken.append(pieces.take(block[:cut]))
        rest = block[cut:]
    taken.append(pieces.rest())
    assert b"".join(taken) == text
    separately = [event for piece in taken if piece for event in read(piece.decode(), FORM)["raw"].to_list()]
    assert separately == entries(lines)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1), st.sampled_from(["csv", "tsv"]))
def test_tables_are_read_as_pythons_csv_writes_them(rows: list[tuple[str, str, str]], kind: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter={"csv": ",", "tsv": "\t"}[kind], lineterminator="\n")
    writer.writerows([("A", "Content", "x,\ty"), *rows])
    form = LineFormat(format="csv" if kind == "csv" else "tsv", level="A", node="x,\ty")
    assert read(out.getvalue(), form).select("level", "message", "node").rows() == rows


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", '"', ",", '""', "b c"]), max_size=6), min_size=1, max_size=6))
def test_any_quotes_are_read_as_pythons_csv_reads_them(lines: list[list[str]]) -> None:
    text = "x,Content,z\n" + "".join("".join(["1", ",", *parts, ",", "2"]) + "\n" for parts in lines)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    frame = read(text, LineFormat(format="csv", multiline=True, level="x", node="z"))
    assert len(frame) == len(rows)
    for got, row in zip(frame.iter_rows(named=True), rows, strict=True):
        if None not in row and None not in row.values() and got["matched"]:
            assert [got["level"], got["message"], got["node"]] == [row["x"], row["Content"], row["z"]]
    whole = [row for row in rows if None not in row and None not in row.values()]
    assert int(frame["matched"].sum()) == len(whole) or text.count('"') % 2


def test_without_quotes_every_sign_is_a_character() -> None:
    form = LineFormat(format="tsv", quote="none", level="x", columns=("x", "Content"))
    frame = read('"a\t"b"" c"\n"\t\n', form)
    assert frame.select("level", "message").rows() == [('"a', '"b"" c"'), ('"', "")]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(["msg", "log.level", "n"]), CELLS | st.integers(-9, 9)), min_size=1)
)
def test_objects_are_read_as_pythons_json_reads_them(rows: list[dict[str, str | int]]) -> None:
    form = LineFormat(format="json", message="msg", level="log.level", node="n")
    text = [json.dumps(row) for row in rows]
    frame = read("\n".join(text), form)
    for row, whole, got in zip(rows, text, frame.iter_rows(named=True), strict=True):
        assert got["message"] == str(row.get("msg", whole))
        assert got["level"] == (str(row["log.level"]) if "log.level" in row else None)
        assert got["matched"] == ("msg" in row)


@pytest.mark.parametrize(
    ("how", "year", "text", "expected"),
    [
        ("epoch", 0, "1131566461.25", datetime(2005, 11, 9, 20, 1, 1, 250000)),
        ("epoch_ms", 0, "1131566461250", datetime(2005, 11, 9, 20, 1, 1, 250000)),
        ("epoch_ns", 0, "1131566461250000000", datetime(2005, 11, 9, 20, 1, 1, 250000)),
        ("epoch", 0, "1e300", None),
        ("epoch", 0, "nan", None),
        ("%b %d %H:%M:%S", 2005, "Nov 9 12:01:01", datetime(2005, 11, 9, 12, 1, 1)),
        ("%Y-%m-%d %H:%M:%S,%f", 0, "2024-01-02 03:04:05,678", datetime(2024, 1, 2, 3, 4, 5, 678000)),
        ("%Y-%m-%dT%H:%M:%S.%f%z", 0, "2024-01-02T03:04:05.5+02:00", datetime(2024, 1, 2, 1, 4, 5, 500000)),
        ("%Y-%m-%d %H:%M:%S", 0, "2024-02-30 00:00:00", None),
        ("%Y%m%d-%H:%M:%S:%f", 0, "20171223-22:15:29:606", datetime(2017, 12, 23, 22, 15, 29, 606000)),
        ("%Y-%m-%d %H:%M:%S %Z", 0, "2024-01-02 03:04:05 CET", datetime(2024, 1, 2, 2, 4, 5)),
        ("%Y-%m-%d %H:%M:%S %Z", 0, "2024-01-02 03:04:05 PDT", datetime(2024, 1, 2, 10, 4, 5)),
        ("%Y-%m-%d %H:%M:%S %Z", 0, "2024-01-02 03:04:05 IST", None),  # India, Israel or Ireland
        ("%b %d %H:%M:%S", 2023, "Feb 29 12:01:01", datetime(2023, 2, 28, 12, 1, 1)),
        ("%Y-%m-%d %H:%M:%S %f", 0, "2017-12-23 22:15:29 5", datetime(2017, 12, 23, 22, 15, 29, 500000)),
    ],
)
def test_times(how: str, year: int, text: str, expected: datetime | None) -> None:
    form = LineFormat(pattern="<T>|<Content>", time=("T",), time_format=(how,), year=year)
    assert read(f"{text}|x\n", form)["time"].to_list() == [expected]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("%b %d %H:%M:%S", "has no year; say which one it is"),
        ("%Y-%m-%d %H", "specify both hour and minute"),
        ("%Y-%m-%d %H:%M:%S%f", "needs a sign before it"),
        ("%Y-%m-%d %Q", "no strptime format"),
        ("%H:%M:%S", "has no day; say that of the first line"),
    ],
)
def test_a_time_format_that_would_misread_is_refused(how: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        checked_format(LineFormat(pattern="<T>|<Content>", time=("T",), time_format=(how,)))


@pytest.mark.parametrize("size", [64, 1 << 20])
def test_years_and_days_go_on_where_stamps_tell_none(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_streams, "CHUNK", size)
    first = datetime(2022, 12, 28, 9)
    steps = [timedelta(days=1, minutes=7 * i) for i in range(800)]
    whole = [first + sum(steps[:i], timedelta()) for i in range(800)]
    whole[5:5] = [whole[4] - timedelta(hours=40)]  # a straggler, of the old year
    text = "".join(f"{t:%b %d %H:%M:%S} x\n" for t in whole)
    form = LineFormat(
        pattern="<M> <D> <C> <Content>", time=("M", "D", "C"), time_format=("%b %d %H:%M:%S",), year=2022
    )
    assert read(text, form)["time"].to_list() == whole
    clock = [first + timedelta(hours=5 * i) for i in range(100)]
    clock[7:7] = [clock[6] - timedelta(minutes=20)]
    form = LineFormat(pattern="<C> <Content>", time=("C",), time_format=("%H:%M:%S",), date="2022-12-28")
    assert read("".join(f"{t:%H:%M:%S} x\n" for t in clock), form)["time"].to_list() == clock


def test_a_line_whose_time_cannot_be_read_goes_on_with_the_event_before() -> None:
    form = LineFormat(
        pattern="<D> <T> <Content>", time=("D", "T"), time_format=("%Y-%m-%d %H:%M:%S",), multiline=True
    )
    text = "2024-01-02 03:04:05 lost worker\n  at some place\nat another place\n2024-13-02 03:04:05 so too\n"
    assert read(text + "2024-01-02 03:04:06 next\n", form)["at"].to_list() == [1, 5]


def test_some_columns_a_filter_and_a_head_give_the_same_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_streams, "CHUNK", 64)
    (tmp_path / "a").write_text("".join(f"INFO a{i % 3}: {i}\n" for i in range(50)))
    lines = open_lines(tmp_path, ["a"], FORM).frame
    whole = lines.collect()
    assert whole["message"].to_list() == list(map(str, range(50)))
    assert lines.select("component").collect().equals(whole.select("component"))
    chosen = pl.col("component") == "a1"
    assert lines.filter(chosen).head(5).collect().equals(whole.filter(chosen).head(5))
    assert lines.select(pl.len()).collect().item() == 50
    assert lines.head(7).collect().equals(whole.head(7))


def test_an_event_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_line, "LONGEST_ENTRY", 100)
    monkeypatch.setattr(byte_streams, "CHUNK", 64)
    text = "INFO a: x\n" + "more\n" * 100
    (tmp_path / "a").write_text(text)
    opened = open_lines(tmp_path, ["a"], FORM)
    raw = opened.frame.collect()["raw"]
    assert raw.str.join("\n").item() == text.rstrip("\n")
    assert raw.str.len_bytes().max() < 250
    assert opened.counted is not None
    assert opened.counted()["joined_lines"] + len(raw) == 101


def test_members_come_by_pattern_then_name_and_only_those_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("top/b.log", "a.csv", "top/a.log", "../c.log", "/d.log", "top/e.txt"):
            archive.writestr(name, f"INFO a: {name}")
    form = LineFormat(pattern=FORM.pattern)
    found = open_lines(path, ["*.log", "**/*.csv"], form).frame.collect()
    assert found["message"].to_list() == ["top/a.log", "top/b.log", "a.csv"]
    assert found["file"].to_list() == ["top/a.log", "top/b.log", "a.csv"]


def test_lines_by_number_are_those_of_a_whole_pass_and_keep_its_counts(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"{n} INFO message {n}\n" if n % 7 else "odd\n" for n in range(300)))
    form = LineFormat(pattern="<Id> <Level> <Content>", level="Level")
    opened = open_lines(tmp_path, ["a.log"], form)
    whole = opened.frame.collect()
    assert opened.counted is not None
    counted = dict(opened.counted())
    assert counted["unmatched_lines"] == 43
    some = opened.frame.filter(pl.col("line").is_in([3, 7, 250, 999])).collect()
    assert some.equals(whole.filter(pl.col("line").is_in([3, 7, 250])))
    assert dict(opened.counted()) == counted
    assert len(opened.frame.head(5).filter(pl.col("line") == 7).collect()) == 0
