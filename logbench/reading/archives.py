"""Detect how a file is packed, open it unpacked in place, and list the members of zip archives."""

from __future__ import annotations

import io
import re
import stat
import struct
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZIP_LZMA, BadZipFile, ZipFile, ZipInfo

from ..base.errors import DataError
from .gzip_files import open_gzip
from .stream_files import Bzip2File, XzFile, ZstdFile, check_dictionary
from .unpacking import limited, unpacked

_MAGIC = {
    b"\x1f\x8b\x08": "gzip",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"PAR1": "parquet",
}
# A text may begin with BZh, too.
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_SUFFIXES = {".gz": "gzip", ".zip": "zip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz", ".parquet": "parquet"}
# The last record of a zip archive: its mark, and where the number of members stands in it.
_END, _END_BYTES, _COUNT = b"PK\x05\x06", 22, slice(10, 12)


def zip_entries(path: Path) -> tuple[list[ZipInfo], list[str]]:
    """Files in an archive; and names of links, devices and those that lead out of it.

    Raises:
        DataError: no archive, or a damaged one.
    """
    try:
        with ZipFile(path) as archive:
            entries = archive.infolist()
        with path.open("rb") as file:
            if _counted(file) not in (len(entries), None) or not all(_named(file, entry) for entry in entries):
                raise BadZipFile
    except (BadZipFile, NotImplementedError, ValueError, struct.error):
        size = path.stat().st_size
        raise DataError(f"{path}: no zip archive, or a damaged one ({size:,} bytes); fetch it again") from None
    files = [entry for entry in entries if not entry.is_dir()]
    others = [entry for entry in files if not debris(entry.filename)]
    within = [entry for entry in others if inside(entry.filename) and _is_file(entry)]
    return within, [entry.filename for entry in others if not (inside(entry.filename) and _is_file(entry))]


def _is_file(entry: ZipInfo) -> bool:
    """Whether a member is no link and no device, by the mode that archives made on Unix have."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return kind in (0, stat.S_IFREG)


def _named(file: IO[bytes], entry: ZipInfo) -> bool:
    """Whether a member begins with the name that the list of members has; else either is damaged."""
    file.seek(entry.header_offset + 26)
    length = int.from_bytes(file.read(2), "little")
    file.seek(2, io.SEEK_CUR)
    return file.read(length) == entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437")


def _counted(file: IO[bytes]) -> int | None:
    """Members by the archive's last record, of 65,536 the rest; None where it has none such."""
    file.seek(max(file.seek(0, io.SEEK_END) - (1 << 16) - _END_BYTES, 0))
    tail = file.read()
    at = tail.rfind(_END)
    count = int.from_bytes(tail[at:][_COUNT], "little") if at >= 0 else 0xFFFF
    return None if count == 0xFFFF else count


def inside(name: str) -> bool:
    """Whether an archive's member stays in the archive's folder and is no debris of macOS."""
    path = PurePosixPath(name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1])
    return bool(path.parts) and not outside and not debris(name)


def debris(name: str) -> bool:
    """Whether a member is what macOS adds to archives."""
    return name.startswith("__MACOSX/")


def packing(path: Path) -> str | None:
    """How a file is packed (`zip`, `gzip`, `zstd`, `bzip2`, `xz`, `parquet`, None), by its first bytes.

    Raises:
        DataError: its name says otherwise, as after a failed download.
    """
    with path.open("rb") as file:
        head = file.read(10)
    found = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
    found = "bzip2" if _BZIP2.match(head) else found
    claimed = _SUFFIXES.get(path.suffix.lower())
    if path.name.lower().endswith(".tar.zst"):
        raise DataError(f"{path}: such tar archives are not read in place; unpack it and point to the folder")
    if claimed not in (None, found):
        size = path.stat().st_size
        raise DataError(f"{path}: named {path.suffix}, but no {claimed} file ({size:,} bytes); fetch it again")
    return found


def open_zip(archive: ZipFile, entry: ZipInfo) -> IO[bytes]:
    """A member's bytes; the file stays open until the member is closed.

    Raises:
        DataError: it takes too much memory. BadZipFile: it is damaged.
    """
    if entry.compress_type == ZIP_LZMA and not entry.flag_bits & 1:
        check_dictionary(archive, entry)
    return limited(archive.open(entry), entry.compress_size, entry.filename)


def open_plain(path: Path) -> IO[bytes]:
    return path.open("rb", buffering=0)


def _open_gzip(path: Path) -> IO[bytes]:
    return unpacked(open_gzip(path), path)


def _open_bzip2(path: Path) -> IO[bytes]:
    return unpacked(Bzip2File(path), path)


def _open_xz(path: Path) -> IO[bytes]:
    return unpacked(XzFile(path), path)


def _open_zstd(path: Path) -> IO[bytes]:
    return unpacked(ZstdFile(path), path)


# How each kind of packed file is opened; archives of several files have their own modules.
OPENERS: dict[str | None, Callable[[Path], IO[bytes]]] = {
    None: open_plain,
    "gzip": _open_gzip,
    "bzip2": _open_bzip2,
    "xz": _open_xz,
    "zstd": _open_zstd,
}
