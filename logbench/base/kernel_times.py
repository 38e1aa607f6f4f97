"""Read times by the compiled kernel (`kernel_times.c`)."""

from __future__ import annotations

from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int32, c_size_t, c_void_p
from typing import TYPE_CHECKING

import numpy as np

from .kernel import Kernel, pointer

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


class _Layout(Structure):
    _fields_ = (("steps", c_char_p), ("size", c_int32), ("year", c_int32))


def times(
    found: Kernel, texts: pl.Series, steps: bytes, year: int = 1970
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Microseconds from 1970 of String [n], int64 [n], and whether each is a time of the layout: `NO`, `YES`
    or `PERHAPS`.

    Args:
        steps: see `time_layouts.layout`. year: where it has none; a month or day that it lacks is the first.
    """
    micros, told = np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=np.uint8)
    if not len(texts):
        return micros, told
    read = found.functions.logbench_times
    read.argtypes, read.restype = (c_void_p, POINTER(_Layout), c_void_p, c_void_p, c_size_t), c_int
    stream, raw = texts.__arrow_c_stream__(), _Layout(steps, len(steps), year)
    at = pointer(stream, b"arrow_array_stream")
    found.check(read(at, byref(raw), micros.ctypes.data, told.ctypes.data, len(texts)))
    return micros, told
