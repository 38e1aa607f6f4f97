"""Checksums of a folder's files, in a file beside them: whether what was written is what is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .file_digests import digest

FILE = "sums.json"


def write(folder: Path, name: str) -> None:
    """Write size and SHA-256 of every file in `folder`, and what the folder is called.

    Raises:
        OSError: it cannot be written.
    """
    sums = {"name": name, "files": _sums(folder)}
    (folder / FILE).write_text(json.dumps(sums, indent=1), encoding="utf-8")


def fault(folder: Path, name: str, remembered: Path | None = None) -> str:
    """What is wrong with the files of `folder`, called `name`; empty where they are as they were written.

    All bytes are read, at some GB a second, but those of large files whose digest is `remembered`: see
    `file_digests`.
    """
    try:
        known = json.loads((folder / FILE).read_text(encoding="utf-8"))
        expected, called = known["files"], known["name"]
        found = _sums(folder, remembered)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{FILE}: {getattr(error, 'strerror', None) or 'damaged'}"
    if called != name or not isinstance(expected, Mapping):
        return f"{FILE}: of another entry"
    return next(_differences(expected, found), "")


def _differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for file in sorted(expected.keys() | found.keys()):
        if file not in found:
            yield f"{file} is missing"
        elif file not in expected:
            yield f"{file} was not there before"
        elif found[file] != expected[file]:
            yield f"{file} has other content"


def _sums(folder: Path, remembered: Path | None = None) -> dict[str, list[Any]]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file != folder / FILE)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as beside:
        digests = list(beside.map(lambda file: digest(file, remembered), files))
    return {
        file.relative_to(folder).as_posix(): [file.stat().st_size, found]
        for file, found in zip(files, digests, strict=True)
    }
