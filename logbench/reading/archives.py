"""How a file is packed, and how its bytes are had unpacked, in place."""

from __future__ import annotations

import gzip
import importlib
from pathlib import Path, PurePosixPath
from typing import IO, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from ..base.errors import DataError

_MAGIC = {b"\x1f\x8b\x08": "gzip", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x28\xb5\x2f\xfd": "zstd"}
_SUFFIXES = {".gz": "gzip", ".zip": "zip", ".zst": "zstd"}


def zip_entries(path: Path) -> list[ZipInfo]:
    """Files in an archive, without those whose names lead out of it and the debris of macOS.

    Raises:
        DataError: no archive, or a truncated one.
    """
    try:
        with ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (BadZipFile, NotImplementedError):
        size = path.stat().st_size
        raise DataError(f"{path}: no zip archive, or a truncated one ({size:,} bytes); fetch it again") from None
    return [entry for entry in entries if inside(entry.filename)]


def inside(name: str) -> bool:
    """Whether an archive's member stays in the archive's folder and is no debris of macOS."""
    path = PurePosixPath(name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1])
    return bool(path.parts) and not outside and path.parts[0] != "__MACOSX"


def packing(path: Path) -> str | None:
    """How a file is packed (`zip`, `gzip`, `zstd`, None), by its first bytes.

    Raises:
        DataError: its name says otherwise, as after a failed download.
    """
    with path.open("rb") as file:
        head = file.read(4)
    found = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
    claimed = _SUFFIXES.get(path.suffix.lower())
    if path.name.lower().endswith(".tar.zst"):
        raise DataError(f"{path}: such tar archives are not read in place; unpack it and point to the folder")
    if claimed not in (None, found):
        size = path.stat().st_size
        raise DataError(f"{path}: named {path.suffix}, but no {claimed} file ({size:,} bytes); fetch it again")
    return found


def open_zip(path: Path, entry: ZipInfo) -> IO[bytes]:
    with ZipFile(path) as archive:  # the member keeps the file open until it is closed itself
        return archive.open(entry)


def open_plain(path: Path) -> IO[bytes]:
    return path.open("rb", buffering=0)


def open_gzip(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb"))


def open_zstd(path: Path) -> IO[bytes]:
    try:
        module = importlib.import_module("compression.zstd")
    except ImportError:
        raise DataError(f"{path}: reading zstandard needs Python 3.14; unpack it with `zstd -d` first") from None
    return cast("IO[bytes]", module.open(path, "rb"))
