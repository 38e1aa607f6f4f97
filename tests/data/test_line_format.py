"""Line formats: fields as independent readers see them, and no line lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import tarfile
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logbench import ConfigError, DataError, LineFormat, open_lines

PATTERNS = {  # as Loghub's own benchmark of parsers has them; brackets and bars escaped
    "Android": r"<Date> <Time>  <Pid>  <Tid> <Level> <Component>: <Content>",
    "Apache": r"\[<Time>\] \[<Level>\] <Content>",
    "BGL": r"<Label> <Timestamp> <Date> <Node> <Time> <NodeRepeat> <Type> <Component> <Level> <Content>",
    "HDFS": r"<Date> <Time> <Pid> <Level> <Component>: <Content>",
    "HPC": r"<LogId> <Node> <Component> <State> <Time> <Flag> <Content>",
    "Hadoop": r"<Date> <Time> <Level> \[<Process>\] <Component>: <Content>",
    "HealthApp": r"<Time>\|<Component>\|<Pid>\|<Content>",
    "Linux": r"<Month> <Date> <Time> <Level> <Component>(\[<PID>\])?: <Content>",
    "Mac": r"<Month>  <Date> <Time> <User> <Component>\[<PID>\]( \(<Address>\))?: <Content>",
    "OpenSSH": r"<Date> <Day> <Time> <Component> sshd\[<Pid>\]: <Content>",
    "OpenStack": r"<Logrecord> <Date> <Time> <Pid> <Level> <Component> \[<ADDR>\] <Content>",
    "Proxifier": r"\[<Time>\] <Program> - <Content>",
    "Spark": r"<Date> <Time> <Level> <Component>: <Content>",
    "Thunderbird": r"<Label> <Timestamp> <Date> <User> <Month> <Day> <Time> <Location> <Component>(\[<PID>\])?: "
    r"<Content>",
    "Windows": r"<Date> <Time>, <Level>                  <Component>    <Content>",
    "Zookeeper": r"<Date> <Time> - <Level>  \[<Node>:<Component>@<Id>\] - <Content>",
}


def read(path: Path, names: Any = ("*",), **form: Any) -> tuple[pl.DataFrame, dict[str, int]]:
    lines = open_lines(path, list(names), LineFormat(**form))
    frame = lines.frame.collect()
    assert lines.counted is not None
    return frame, dict(lines.counted())


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("system", PATTERNS)
def test_the_message_is_that_of_loghubs_own_table(system: str, shared_data: Path) -> None:
    log = shared_data / "loghub_2k" / system / f"{system}_2k.log"
    with Path(f"{log}_structured.csv").open(newline="", encoding="utf-8") as file:
        expected = [row["Content"].strip() for row in csv.DictReader(file)]
    frame, counted = read(log, pattern=PATTERNS[system])
    assert [text.strip() for text in frame["message"]] == expected
    assert counted == {}
    table, counted = read(Path(f"{log}_structured.csv"), format="csv")
    assert [text.strip() for text in table["message"]] == expected
    assert counted == {"file_lines": 2001, "header_lines": 1}


def test_lines_that_do_not_match_are_messages_as_they_stand(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", "INFO a: one\nno such line\nWARN b: two: three\n")
    frame, counted = read(path, pattern="<Level> <Component>: <Content>", level="Level", component="Component")
    assert frame["message"].to_list() == ["one", "no such line", "two: three"]
    assert frame["level"].to_list() == ["INFO", None, "WARN"]
    assert counted == {"unmatched_lines": 1}


def test_traces_join_the_event_before_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbench.reading.byte_streams.CHUNK", 64)
    rng = random.Random(3)
    events = [f"E {n} start" + "".join(f"\n\tat line {k}" for k in range(rng.randrange(4))) for n in range(200)]
    text = "\n".join(events) + "\n"
    frame, counted = read(write(tmp_path / "a.log", text), pattern="E <N> <Content>", multiline=True)
    assert frame["raw"].to_list() == events
    assert counted == {"file_lines": text.count("\n"), "joined_lines": text.count("\n") - 200}
    assert frame["line"].to_list() == list(range(200))


def test_json_lines_by_dotted_names(tmp_path: Path) -> None:
    rows = [{"msg": "a", "http": {"status": 200}, "t": 1.5}, {"msg": 'b "q"', "http.status": "x", "t": 2}]
    path = write(tmp_path / "a.jsonl", "\n".join([*map(json.dumps, rows), "not json", "[1]"]))
    frame, counted = read(
        path, format="json", message="msg", node="http.status", time=("t",), time_format=("epoch",)
    )
    assert frame["message"].to_list() == ["a", 'b "q"', "not json", "[1]"]
    assert frame["node"].to_list() == ["200", "x", None, None]
    assert frame["time"].to_list()[:2] == [datetime(1970, 1, 1, 0, 0, 1, 500000), datetime(1970, 1, 1, 0, 0, 2)]
    assert counted == {"unmatched_lines": 2, "lines_with_unread_time": 2}


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_quoted_cells_are_those_of_the_csv_module(kind: str, tmp_path: Path) -> None:
    rng = random.Random(5)
    cells = ["", "plain", "a,b", 'say "x"', "tab\tin", "two\nlines", "ü"]
    rows = [[rng.choice(cells) for _ in range(3)] for _ in range(200)]
    out = io.StringIO()
    writer = csv.writer(out, delimiter="," if kind == "csv" else "\t", lineterminator="\n")
    writer.writerows([["x", "Content", "z"], *rows])
    frame, _ = read(write(tmp_path / "a", out.getvalue()), format=kind, multiline=True, node="x")
    assert frame["message"].to_list() == [row[1] for row in rows]
    assert frame["node"].to_list() == [row[0] for row in rows]


def test_times_by_the_first_format_that_fits_and_by_epoch(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", "2020-01-02 03:04:05,678 a\n02/01/2020 03:04:05 b\nlong ago c\n")
    pattern, formats = "<Date> <Time> <Content>", ("%Y-%m-%d %H:%M:%S,%f", "%d/%m/%Y %H:%M:%S")
    frame, counted = read(path, pattern=pattern, time=("Date", "Time"), time_format=formats)
    assert frame["time"].to_list() == [datetime(2020, 1, 2, 3, 4, 5, 678000), datetime(2020, 1, 2, 3, 4, 5), None]
    assert counted == {"lines_with_unread_time": 1}
    path = write(tmp_path / "b.log", "1577934245678 a\n")
    frame, _ = read(path, pattern="<T> <Content>", time=("T",), time_format=("epoch_ms",))
    assert frame["time"].to_list() == [datetime(2020, 1, 2, 3, 4, 5, 678000)]


def test_ids_by_group_by_every_match_and_by_file(tmp_path: Path) -> None:
    path = write(tmp_path / "u-7.log", "a blk_1 to blk_-2\nnone here\n")
    one, _ = read(path, id="message", id_pattern="blk_(-?[0-9]+)")
    every, _ = read(path, id="message", id_pattern="blk_-?[0-9]+")
    files, _ = read(tmp_path, id="file", id_pattern="u-([0-9])")
    assert one["id"].to_list() == ["1", None]
    assert every["id"].to_list() == [["blk_1", "blk_-2"], []]
    assert files["id"].to_list() == ["7", "7"]


def test_labels_by_what_is_normal_or_anomalous(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", "- a\nX b\n? c\n")
    assert read(path, pattern="<L> <Content>", label="L", normal=("-",))[0]["label"].to_list() == [0, 1, 1]
    both = read(path, pattern="<L> <Content>", label="L", normal=("-",), anomalous=("X",))[0]
    assert both["label"].to_list() == [0, 1, None]


def test_whatever_bytes_a_file_holds_every_line_is_there(tmp_path: Path) -> None:
    lines = [b"\xef\xbb\xbffirst", b"caf\xe9", b"n\0ul", b"", b"x" * 1_000_000, b"crlf\r", b"no end"]
    frame, counted = read(write(tmp_path / "a.log", b"\n".join(lines)))
    expected = ["first", "caf\ufffd", "n\0ul", "", "x" * 1_000_000, "crlf", "no end"]
    assert frame["message"].to_list() == expected
    assert counted == {"undecodable_lines": 1, "lines_with_nul": 1}
    assert read(write(tmp_path / "b.log", b"caf\xe9\n"), encoding="latin-1")[0]["message"].to_list() == ["café"]


def test_packed_and_archived_files_read_like_plain_ones_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("b.log", "a.log"):
        write(folder / name, f"{name} one\n{name} two")
    expected = ["a.log one", "a.log two", "b.log one", "b.log two"]
    frame, _ = read(folder, ["*.log"])
    assert frame["message"].to_list() == expected
    assert frame["file"].to_list() == ["a.log", "a.log", "b.log", "b.log"]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive, tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        for name in ("a.log", "b.log"):
            archive.write(folder / name, f"deep/{name}")
            tar.add(folder / name, f"deep/{name}")
        archive.writestr("other.txt", "no log")
    for packed in ("x.zip", "x.tar.gz"):
        assert read(tmp_path / packed, ["*.log"])[0]["message"].to_list() == expected
    for name in ("a.log", "b.log"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()
    assert read(folder, ["*.log"])[0]["message"].to_list() == expected


def test_a_file_that_grows_is_read_up_to_where_it_ended(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", "one\ntwo\n")
    lines = open_lines(path, ["*"], LineFormat())
    with path.open("a") as file:
        file.write("three\n")
    assert lines.frame.collect()["message"].to_list() == ["one", "two"]
    assert lines.counted is not None and lines.counted() == {"grown_files": 1}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"pattern": "no field"}, "has no <Field>"),
        ({"pattern": "<A><Content>"}, "nothing stands between"),
        ({"pattern": "<A> <A> <Content>"}, "stands twice"),
        ({"pattern": "<Msg>"}, "no field 'Content'"),
        ({"format": "regex", "pattern": "(?P<Content>[)"}, "no regular expression"),
        ({"time": ("Content",)}, "time_format: say how"),
        ({"label": "Content"}, "say which labels mean normal"),
        ({"encoding": "klingon"}, "no such encoding"),
        ({"id": "message"}, "needs a regular expression"),
    ],
)
def test_a_format_without_sense_is_refused_in_one_line(form: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        read(write(tmp_path / "a.log", "x\n"), **form)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file matches \*\.log; there is nothing"):
        read(tmp_path, ["*.log"])
    with pytest.raises(DataError, match="has no column 'Contents'"):
        read(write(tmp_path / "a.csv", "Content\nx\n"), format="csv", message="Contents")
    with pytest.raises(DataError, match="UTF-16"):
        read(write(tmp_path / "w.log", "x\n".encode("utf-16")))
