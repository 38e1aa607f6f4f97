"""Records: one line of JSON each, whole whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from made_records import PROTOCOL, made

from logbench import DataError, RunRecord
from logbench.api import record
from logbench.base.jsonable import to_jsonable
from logbench.running import records, run_names


def ids(folder: Path) -> list[str]:
    return [record["run_id"] for record in records.read(folder)]


def lines(folder: Path) -> list[str]:
    """The same of records that lack what a run has."""
    return [record["run_id"] for record in records.lines(folder)]


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    record = made(metrics={"session": {"all": {"f1": 0.5}, "distinct": None}}, notes=["a", "ü"], seed=3)
    records.append(record, tmp_path / "new" / "folder")
    found = next(records.read(tmp_path / "new" / "folder"))
    assert found == record.as_dict() and RunRecord(**found) == record
    assert len((tmp_path / "new" / "folder" / records.FILE).read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "torn", [b'{"run_id": "torn", "st', '{"run_id": "ü'.encode()[:-1], b"\0\0\0", b"[1, 2]\n", b"{}\n"]
)
def test_a_torn_line_costs_no_other(tmp_path: Path, torn: bytes) -> None:
    for name in "ab":
        records.append(made(name), tmp_path)
    with (tmp_path / records.FILE).open("ab") as file:
        file.write(torn)
    assert ids(tmp_path) == ["a", "b"]
    records.append(made("c"), tmp_path)
    records.append(made("d"), tmp_path)
    assert ids(tmp_path) == ["a", "b", "c", "d"]


def test_a_record_cut_just_before_its_line_end_still_counts(tmp_path: Path) -> None:
    records.append(made("a"), tmp_path)
    path = tmp_path / records.FILE
    path.write_bytes(path.read_bytes()[:-1])
    records.append(made("b"), tmp_path)
    assert ids(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("text", ["\u2028", "\u0085", "\x0b\x0c\x1c", "\r", "\n", "\ud800", "\0"])
def test_any_text_stays_in_its_line(tmp_path: Path, text: str) -> None:
    """Raw lines in messages hold what they like; Python knows more line ends than JSON Lines does."""
    records.append(made("a", notes=[f"before{text}after"]), tmp_path)
    found = run_names.find("a", tmp_path)["notes"][0]
    assert found.startswith("before") and found.endswith("after")
    assert found == f"before{text}after" or text == "\ud800"


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    values = {
        "nan": float("nan"),
        "inf": np.float64("inf"),
        "list": [1, -np.inf],
        "n": np.int64(3),
        "b": np.bool_(1),
    }
    records.append(made("a", training=values), tmp_path)
    text = (tmp_path / records.FILE).read_text()
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["training"] == {"nan": None, "inf": None, "list": [1, None], "n": 3, "b": True}


def test_anything_becomes_plain() -> None:
    value = {
        1: np.arange(2),
        "s": pl.Series([1.5, None]),
        "t": (np.float32(0.5), {3}),
        "p": Path("x"),
        "e": np.ones(0),
    }
    assert to_jsonable(value) == {"1": [0, 1], "s": [1.5, None], "t": [0.5, [3]], "p": "x", "e": []}
    assert to_jsonable(np.array(2.0)) == 2.0 and to_jsonable(np.array([[np.nan]])) == [[None]]


WRITER = """
import sys
from pathlib import Path
from logbench import RunRecord
from logbench.running.records import append
folder, name = Path(sys.argv[1]), sys.argv[2]
for i in range(40):
    append(RunRecord(run_id=f"{name}-{i}", started="", model="m", notes=["x" * 5000]), folder)
"""


def test_processes_append_at_once_and_lose_nothing(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = lines(tmp_path)
    assert len(found) == 120 == len((tmp_path / records.FILE).read_text().splitlines())
    for name in "abc":
        assert [i for i in found if i.startswith(name)] == [f"{name}-{i}" for i in range(40)], "in order"


FULL = """
import resource, sys
from pathlib import Path
from logbench import DataError, RunRecord
from logbench.running.records import append
folder = Path(sys.argv[1])
append(RunRecord(run_id="a", started="", model="m"), folder)
size = (folder / "records.jsonl").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    append(RunRecord(run_id="b", started="", model="m", notes=["x" * int(sys.argv[3])]), folder)
except DataError as error:
    sys.exit(7 if "records.jsonl" in str(error) else 8)
"""


@pytest.mark.parametrize(("room", "size"), [("0", "100000"), ("50000", "100000"), ("300", "500")])
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, room: str, size: str) -> None:
    assert subprocess.run([sys.executable, "-c", FULL, str(tmp_path), room, size], check=False).returncode == 7
    path = tmp_path / records.FILE
    assert len(path.read_text().splitlines()) == 1 and path.read_bytes().endswith(b"\n")
    records.append(made("c"), tmp_path)
    assert lines(tmp_path) == ["a", "c"]


def test_nothing_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"records\.jsonl: no records here"):
        list(records.read(tmp_path))
    with pytest.raises(DataError, match="no records here"):
        run_names.find("last", tmp_path)
    with pytest.raises(DataError, match="has no scores: its status is error"):
        records.scores(made("a", status="error").as_dict(), tmp_path)
    with pytest.raises(DataError, match="are gone"):
        records.scores(made("a", artifacts={"scores": "a/scores.parquet"}).as_dict(), tmp_path)


@pytest.mark.parametrize("version", [record.RECORD_VERSION + 1, 99, 0, -1, "1", 1.0, True, None])
def test_a_record_of_an_unknown_version_costs_itself_alone(
    tmp_path: Path, version: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    records.append(made("good"), tmp_path)
    records.append(made("newer", record_version=version), tmp_path)
    records.append(made("newest", record_version=version), tmp_path)
    assert ids(tmp_path) == ["good"]
    (said,) = capsys.readouterr().err.splitlines()
    assert f"passed over 2 of its records: record_version {version!r} is" in said
    assert ("upgrade logbench" in said) == (type(version) is int and version > record.RECORD_VERSION)
    for name in ("newer", "last", "last~1"):
        with pytest.raises(DataError, match="record_version") as error:
            run_names.find(name, tmp_path)
        assert "\n" not in str(error.value)
    assert run_names.find("good", tmp_path)["run_id"] == "good"
    assert capsys.readouterr().err == "", "what was asked for is read, so nothing is to be said of others"


@pytest.mark.parametrize(
    ("field", "value"),
    [(name, value) for name in ("metrics", "protocol", "dataset", "stages") for value in (5, None, "x", [])]
    + [("notes", {}), ("notes", "note"), ("model", 3), ("started", None), ("command", [])],
)
def test_a_record_with_a_damaged_field_costs_itself_alone(
    tmp_path: Path, field: str, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("good", "bad"):
        records.append(made(name), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / records.FILE).read_text().splitlines()]
    lines[1][field] = value
    del lines[1]["checksums"]["record"]  # as of a version that wrote none
    (tmp_path / records.FILE).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert ids(tmp_path) == ["good"]
    (said,) = capsys.readouterr().err.splitlines()
    assert f"passed over 1 of its records: its {field} is damaged; run again" in said
    with pytest.raises(DataError, match=f"run bad in .*: its {field} is damaged"):
        run_names.find("bad", tmp_path)


def test_a_record_of_version_1_is_read_with_its_limit_in_force(tmp_path: Path) -> None:
    old = made("old", record_version=1, protocol={"min_events": 11}, counts={"short": 3})
    records.append(old, tmp_path)
    records.append(made("failed", record_version=1, protocol={"min_events": 11}, status="error"), tmp_path)
    (first, second), one = records.read(tmp_path), run_names.find("old", tmp_path)
    assert first == one and one["record_version"] == record.RECORD_VERSION == 2
    assert one["counts"] == {"short": 3, "short_limit": 11, "needed": None}
    assert one["protocol"] == {**PROTOCOL, "min_events": 11}
    assert second["counts"] == {}
