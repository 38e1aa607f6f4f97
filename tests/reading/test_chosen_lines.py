"""Few lines of a long log, which do not keep all of it in memory."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logbench.base.kernel import pointer
from logbench.data.line_format import LineFormat
from logbench.reading.line_reader import open_lines


class Stream(Structure):
    """The functions of an Arrow C stream."""

    _fields_ = (
        ("get_schema", CFUNCTYPE(c_int, c_void_p, c_void_p)),
        ("get_next", CFUNCTYPE(c_int, c_void_p, c_void_p)),
    )


class Array(Structure):
    """An array of an Arrow C stream."""

    _fields_ = (
        *((name, c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
        ("buffers", POINTER(c_void_p)),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", CFUNCTYPE(None, c_void_p)),
        ("private_data", c_void_p),
    )


def held_bytes(texts: pl.Series) -> int:
    """Bytes of the buffers that the views of a series lead into."""
    capsule: Any = texts.__arrow_c_stream__()
    at, total = pointer(capsule, b"arrow_array_stream"), 0
    stream = ctypes.cast(at, POINTER(Stream)).contents
    while True:
        array = Array()
        assert stream.get_next(at, ctypes.addressof(array)) == 0
        if not array.release:
            return total
        count = array.n_buffers - 3  # validity, views, and the sizes of the others
        total += sum((c_int64 * count).from_address(array.buffers[array.n_buffers - 1])) if count else 0
        array.release(ctypes.addressof(array))


@pytest.mark.parametrize("chosen", [pl.col("line") % 100 == 7, pl.col("message").str.ends_with(" 7")])
def test_few_lines_do_not_hold_the_bytes_of_all(chosen: pl.Expr, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"INFO a message of some words {n % 100}\n" for n in range(20_000)))
    frame = open_lines(tmp_path, ["a.log"], LineFormat(pattern="<Level> <Content>", level="Level")).frame
    assert held_bytes(frame.collect()["message"]) > 400_000
    some = frame.filter(chosen).select("line", "message", "raw").collect()
    assert some["message"].to_list() == ["a message of some words 7"] * 200
    assert some["line"].to_list() == list(range(7, 20_000, 100))
    for name in ("message", "raw"):
        assert held_bytes(some[name]) < 20_000
