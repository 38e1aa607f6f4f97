"""Members of a folder or an archive: found where there is one, refused in one clear line."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest
from packed_logs import containers, one_line, reference, zipped
from real_data import DATA

from logbench import DataError
from logbench.reading.layout import Member, open_layout, scan

SAMPLE = DATA / "hdfs_v1_sample" / "HDFS_v1.zip"


def test_sample_is_whole() -> None:
    if not SAMPLE.exists():
        pytest.skip(f"{SAMPLE} is absent")
    members = open_layout(SAMPLE, ["HDFS.log", "preprocessed/anomaly_label.csv"])
    count = members["HDFS.log"].scan().select(pl.len(), pl.col("raw").str.len_bytes().sum()).collect()
    with zipfile.ZipFile(SAMPLE) as archive:
        raw = reference(archive.read("HDFS.log"))
    assert count.row(0) == (222_579, sum(map(len, raw)))
    assert members["preprocessed/anomaly_label.csv"].bytes().startswith(b"BlockId,Label")
    assert members["HDFS.log"].files == (SAMPLE,)


def layouts(folder: Path) -> list[Path]:
    """The same two members as folder, as archive, and as archive of one more folder; logs packed or not."""
    plain, packed = folder / "plain", folder / "packed"
    for below in (plain, packed):
        (below / "pre").mkdir(parents=True)
        (below / "pre" / "label.csv").write_bytes(b"id,label\n")
    (plain / "H.log").write_bytes(b"a\nb\n")
    (packed / "H.log.gz").write_bytes(gzip.compress(b"a\nb\n"))
    return [
        plain,
        packed,
        zipped(folder / "flat.zip", **{"H.log": b"a\nb\n", "pre/label.csv": b"id,label\n"}),
        zipped(
            folder / "deep.zip", **{"x/H.log": b"a\nb\n", "x/pre/label.csv": b"id,label\n", "__MACOSX/H.log": b""}
        ),
    ]


def test_layouts(tmp_path: Path) -> None:
    for path in layouts(tmp_path):
        found = open_layout(path, ["H.log", "pre/*.csv"], optional=["none"])
        assert list(found) == ["H.log", "pre/*.csv"]
        assert found["H.log"].scan().collect()["raw"].to_list() == ["a", "b"]
        assert found["pre/*.csv"].bytes() == b"id,label\n"
        assert all(file.is_file() for member in found.values() for file in member.files)
        with pytest.raises(DataError, match=r"has no missing\.csv; there is .*H\.log") as error:
            open_layout(path, ["H.log", "missing.csv"])
        assert str(path) in one_line(error)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep.zip", "flat.zip", "packed", "plain"]


def test_one_file_is_enough_where_the_rest_is_optional(tmp_path: Path) -> None:
    log = tmp_path / "any name"
    log.write_bytes(b"a\n")
    found = open_layout(log, ["H.log"], optional=["label.csv"])
    assert list(found) == ["H.log"]
    with pytest.raises(DataError, match="is one file"):
        open_layout(log, ["H.log", "label.csv"])


def test_wildcard_must_mean_one_file(tmp_path: Path) -> None:
    for name in ("test_1", "test_2"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"must be one file, there are .*test_1.*test_2") as error:
        open_layout(tmp_path, ["test_*"])
    one_line(error)
    with pytest.raises(DataError, match="must be one file"):
        scan(zipped(tmp_path / "two.zip", a=b"", b=b""))


def test_members_outside_the_archive_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "slip.zip"
    for bad in ("../H.log", "/H.log", "a/../../H.log", "C:/H.log", "..\\H.log"):
        zipped(path, **{bad: b"x", "other.log": b"good\n", "H.log": b"good\n"})
        with pytest.raises(DataError, match=r"H\.log' is a link or a device, or leads out"):
            open_layout(path, ["H.log"])
        assert scan(path, "other.log").collect()["raw"].to_list() == ["good"]


def test_names_are_taken_literally(tmp_path: Path) -> None:
    path = tmp_path / "log[1]*.log"
    path.write_bytes(b"a\n")
    (tmp_path / "log1x.log").write_bytes(b"other\n")
    assert scan(path).collect()["raw"].to_list() == ["a"]


def test_files_vanish_between_plan_and_read(tmp_path: Path) -> None:
    path = containers(tmp_path, b"a\n")["c.zip"]
    member: Member = open_layout(path, ["a.log"])["a.log"]
    path.unlink()
    with pytest.raises(DataError, match="No such file"):
        member.scan().collect()


def test_a_folder_with_the_archive_alone_says_what_to_give(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all logs.zip", "w") as archive:
        archive.writestr("H.log", "x\n")
    with pytest.raises(DataError) as error:
        open_layout(tmp_path, ["H.log"])
    assert str(error.value).endswith(f"; there is all logs.zip; to read it give --data '{tmp_path}/all logs.zip'")
    assert list(open_layout(tmp_path / "all logs.zip", ["H.log"])) == ["H.log"]
