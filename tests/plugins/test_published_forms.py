"""Data sets in the forms in which they are published: archives of any kind, labels where each copy has them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from logbench import DataError, KeySequences
from logbench.components.registry import Registry

REGISTRY = Registry()
LINE = (
    "081109 203518 143 INFO dfs.DataNode$DataXceiver: Receiving block blk_{n} src: /10.0.0.1:5 dest: /10.0.0.2:6\n"
)
LOG = LINE.format(n=1) + LINE.format(n=-2)
LABELS = "BlockId,Label\nblk_1,Normal\nblk_-2,Anomaly\n"


def packed(kind: str, folder: Path, files: dict[str, str]) -> Path:
    """The files as a folder, or as an archive of a kind."""
    if kind == "folder":
        for name, text in files.items():
            (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "data" / name).write_text(text)
        return folder / "data"
    path = folder / f"data.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return path
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def read(name: str, path: Path) -> Any:
    return REGISTRY.get("dataset", name).item.build().read(path)


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
@pytest.mark.parametrize(
    "names",
    [
        ("HDFS.log", "preprocessed/anomaly_label.csv"),
        ("HDFS.log", "anomaly_label.csv"),
        ("HDFS_1/HDFS.log", "HDFS_1/anomaly_label.csv"),
    ],
)
def test_hdfs_has_its_labels_in_every_copy(kind: str, names: tuple[str, str], tmp_path: Path) -> None:
    path = packed(kind, tmp_path, dict(zip(names, (LOG, LABELS), strict=True)))
    lines = read("hdfs", path / "HDFS_1" if kind == "folder" and "/" in names[0] else path)
    assert lines.frame.collect()["id"].to_list() == [["blk_1"], ["blk_-2"]]
    assert dict(lines.labels().iter_rows()) == {"blk_1": 0, "blk_-2": 1}


def test_a_log_alone_is_read_and_has_no_labels(tmp_path: Path) -> None:
    (tmp_path / "other.log").write_text(LOG)
    lines = read("hdfs", tmp_path / "other.log")
    assert len(lines.frame.collect()) == 2
    with pytest.raises(DataError, match=r"has no preprocessed/anomaly_label\.csv"):
        lines.labels()


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_sequences_of_the_repository_are_read_from_its_archive(kind: str, tmp_path: Path) -> None:
    files = {"hdfs_train": "5 5 22\n", "hdfs_test_normal": "5 22\n", "hdfs_test_abnormal": "5 7\n"}
    below = {f"DeepLog-master/data/{name}": text for name, text in files.items()}
    path = packed(kind, tmp_path, files if kind == "folder" else below)
    found = read("deeplog-archive", path)
    assert isinstance(found, KeySequences)
    assert found.frame["keys"].to_list() == [[5, 5, 22], [5, 22], [5, 7]]


def test_one_file_of_several_is_told_what_is_needed(tmp_path: Path) -> None:
    (tmp_path / "hdfs_train").write_text("5 5 22\n")
    for name in ("deeplog-archive", "ait-sequences"):
        with pytest.raises(DataError, match="hdfs_train: is one file; give the zip archive or the folder with"):
            read(name, tmp_path / "hdfs_train")
