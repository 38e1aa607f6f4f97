"""Detect damage: checksums of a folder's files, in a file beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .file_digests import digest
from .regular_files import read_bytes

FILE = "sums.json"
# Ends of the names of a signature of that file, as ssh-keygen, GnuPG and minisign write it beside; it is not read.
SIGNATURES = (".sig", ".asc", ".minisig")


def write(folder: Path, name: str) -> None:
    """Write size and SHA-256 of every file in `folder`, and the folder's name.

    Raises:
        OSError: it cannot be written.
    """
    (folder / FILE).write_bytes(_text(name, _sums(folder)))


def _text(name: str, sums: Mapping[str, Any]) -> bytes:
    return json.dumps({"name": name, "files": sums}, indent=1).encode()


def fault(folder: Path, name: str, remembered: Path | None = None) -> str:
    """Say what is wrong with the files of `folder`, called `name`; empty if they are unchanged to the byte.

    A link, pipe or device among them is wrong, too. Reads all bytes, at some GB a second, except of large files
    whose digest is `remembered`, see `file_digests`.
    """
    try:
        written = read_bytes(folder / FILE)
        recorded = json.loads(written)
        expected, called = recorded["files"], recorded["name"]
        if odd := _odd(folder):
            return f"{odd} is no regular file"
        actual = _sums(folder, remembered)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return f"{FILE}: {getattr(error, 'strerror', None) or 'damaged'}"
    if called != name or not isinstance(expected, Mapping):
        return f"{FILE}: of another entry"
    changed = "" if written == _text(name, actual) else f"{FILE} has other content"
    return next(_differences(expected, actual), changed)


def _odd(folder: Path) -> str:
    """The first link, pipe or device in a folder; empty if there is none."""
    for inside, folders, files in os.walk(folder):
        for path in (Path(inside, name) for name in folders + files):
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                return path.relative_to(folder).as_posix()
    return ""


def _differences(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[str]:
    for file in sorted(expected.keys() | actual.keys()):
        if file not in actual:
            yield f"{file} is missing"
        elif file not in expected:
            yield f"{file} was not there before"
        elif actual[file] != expected[file]:
            yield f"{file} has other content"


def _sums(folder: Path, remembered: Path | None = None) -> dict[str, list[Any]]:
    own = {folder / FILE, *(folder / f"{FILE}{suffix}" for suffix in SIGNATURES)}
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file not in own)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as beside:
        digests = list(beside.map(lambda file: digest(file, remembered), files))
    return {
        file.relative_to(folder).as_posix(): [file.stat().st_size, found]
        for file, found in zip(files, digests, strict=True)
    }
