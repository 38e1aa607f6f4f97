"""One small HDFS log and one own log read alike, however they are packed."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from pathlib import Path

import pytest

from logbench import LineFormat, open_lines
from logbench.components.registry import Registry


def zstd(data: bytes) -> bytes:
    """One raw block of zstandard."""
    block = (len(data) << 3 | 1).to_bytes(3, "little")
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + block + data


def forms(folder: Path, target: Path) -> dict[str, Path]:
    """A folder, the same with each file packed, and the same in archives below one more folder."""
    paths = {"folder": folder}
    for suffix, pack in ((".gz", gzip.compress), (".zst", zstd)):
        paths[suffix] = target / f"packed{suffix}"
        for file in (one for one in folder.rglob("*") if one.is_file()):
            packed = paths[suffix] / f"{file.relative_to(folder)}{suffix}"
            packed.parent.mkdir(parents=True, exist_ok=True)
            packed.write_bytes(pack(file.read_bytes()))
    for name in ("a.tar", "a.tar.gz"):
        paths[name] = target / name
        with tarfile.open(paths[name], "w:gz" if name.endswith("gz") else "w") as tar:
            tar.add(folder, "top")
    paths["zip"] = target / "a.zip"
    with zipfile.ZipFile(paths["zip"], "w") as archive:
        for file in (one for one in folder.rglob("*") if one.is_file()):
            archive.write(file, f"top/{file.relative_to(folder)}")
    return paths


@pytest.mark.parametrize("form", ["folder", ".gz", ".zst", "a.tar", "a.tar.gz", "zip"])
def test_a_log_reads_alike_in_every_form(form: str, tiny_hdfs: Path, tmp_path: Path) -> None:
    path = forms(tiny_hdfs, tmp_path)[form]
    item = Registry().get("dataset", "hdfs").item
    dataset = item.build(item.config()) if item.config else item.build()

    def read(where: Path) -> list[str]:
        lines: list[str] = dataset.read(where).frame.collect()["raw"].to_list()
        return lines

    assert read(path) == read(tiny_hdfs)
    own = open_lines(path, ["**/*.log"], LineFormat()).frame.collect()["raw"].to_list()
    assert own == read(tiny_hdfs)
