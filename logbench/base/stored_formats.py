"""Formats of files that a saved model may have: text, arrays, safetensors and graphs, nothing that runs code."""

from __future__ import annotations

import json
import os
import pickletools
import re
from pathlib import Path
from typing import IO

from .array_files import FAULTS, check_npy, check_npz
from .regular_files import LARGEST, open_regular

ALLOWED = "JSON or other UTF-8 text, npy, npz, safetensors or onnx"
# What no text has: signs that steer a terminal, and NUL.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Operations that only take from the stack: a text may begin like these by chance, a pickle never does.
_TAKING = {"POP", "POP_MARK", "DUP", "STOP"}
# Bytes of the header of safetensors, as its own reader limits them.
_LONGEST_HEADER = 100_000_000


def format_fault(file: Path) -> str:
    """Why a saved model may not have this file, in a few words; empty if it may.

    Headers are read, arrays are not: each must be made of numbers or texts, and have as many bytes as it says.
    """
    try:
        with open_regular(file) as opened:
            size, first = os.fstat(opened.fileno()).st_size, opened.read(6)
            opened.seek(0)
            if first[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
                check_npz(opened)
            elif first == b"\x93NUMPY":
                check_npy(opened, size)
            elif file.suffix == ".safetensors":
                _check_safetensors(opened, size)
            elif file.suffix == ".onnx":
                _check_onnx(first)
            else:
                _check_text(opened)
    except FAULTS as error:
        return " ".join(str(getattr(error, "strerror", None) or error).split())[:300] or type(error).__name__
    return ""


def faulty_file(folder: Path) -> str:
    """The first file in a folder that a saved model may not have, and why; empty if there is none."""
    for inside, folders, files in os.walk(folder):
        for name in sorted(folders + files):
            path = Path(inside, name)
            shown = path.relative_to(folder).as_posix()
            if path.is_symlink():
                return f"{shown} is a link"
            if name in files and (wrong := format_fault(path)):
                return f"{shown}: {wrong}"
    return ""


def _check_safetensors(opened: IO[bytes], size: int) -> None:
    """The header alone; the library compares the places of tensors with the file's size."""
    length = int.from_bytes(opened.read(8), "little")
    if not 2 <= length <= min(size - 8, _LONGEST_HEADER):
        raise ValueError("the header of safetensors is damaged")
    try:
        header = json.loads(opened.read(length))
    except RecursionError:
        header = None
    if not isinstance(header, dict):
        raise ValueError("the header of safetensors is no JSON object")


def _check_onnx(first: bytes) -> None:
    """Its first field alone, the version; onnxruntime reads the rest, and opens no other file."""
    if first[:1] != b"\x08":
        raise ValueError("no graph of ONNX")


def _check_text(opened: IO[bytes]) -> None:
    text = opened.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError(f"a text of more than {LARGEST:,} bytes")
    if text[:1] == b"\x80" or is_pickle(text):
        raise ValueError(f"a pickle, which runs code when it is read; save {ALLOWED}")
    if _BINARY.search(text):
        raise ValueError(f"neither {ALLOWED}")
    try:
        text.decode()
    except UnicodeDecodeError:
        raise ValueError(f"neither {ALLOWED}") from None


def is_pickle(data: bytes) -> bool:
    """Whether these bytes are a pickle of any protocol, from the first to the last."""
    if not data.rstrip().endswith(b"."):
        return False
    first, last = "", 0
    try:
        for operation, _, place in pickletools.genops(data):
            first, last = first or operation.name, place or 0
    except (ValueError, IndexError, OverflowError, RecursionError):
        return False
    return first not in _TAKING and not data[last + 1 :].strip()
