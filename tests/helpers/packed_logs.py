"""The same lines in every container, and the one line of an error."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from logbench import DataError


def reference(data: bytes) -> list[str]:
    """What the lines of `data` are, in plain Python."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines]


def containers(folder: Path, data: bytes) -> dict[str, Path]:
    paths = {name: folder / name for name in ("a.log", "b.log.gz", "c.zip")}
    paths["a.log"].write_bytes(data)
    paths["b.log.gz"].write_bytes(gzip.compress(data, 1))
    with zipfile.ZipFile(paths["c.zip"], "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.log", data)
    return paths


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def one_line(error: pytest.ExceptionInfo[DataError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text
