"""Number equal rows of integers by the compiled kernel (`kernel_distinct.c`)."""

from __future__ import annotations

import secrets
from ctypes import byref, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from typing import TYPE_CHECKING

import numpy as np

from .kernel import Kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Rows that the kernel numbers; more are for others.
MOST = 1 << 30


def distinct_rows(
    found: Kernel, values: NDArray[np.int32], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The row that each number was first seen at, int64 [distinct], and each row's number, int32 [rows].

    Args:
        values: int32. offsets: int64 [rows + 1], where each row begins in them; the first at 0, fewer than `MOST`.
    """
    values, offsets = np.ascontiguousarray(values, np.int32), np.ascontiguousarray(offsets, np.int64)
    size = len(offsets) - 1
    assert size < MOST and offsets[0] == 0 and offsets[-1] == len(values) and not (np.diff(offsets) < 0).any()
    first, inverse, count = np.empty(size, np.int64), np.empty(size, np.int32), c_uint32()
    number = found.functions.logbench_distinct
    number.argtypes = (c_void_p, c_void_p, c_size_t, c_uint64, c_void_p, c_void_p, c_void_p)
    number.restype = c_int
    seed = secrets.randbits(64)  # nobody can write a log whose rows fall on one place
    rows, answer = (values.ctypes.data, offsets[1:].ctypes.data, size), (first.ctypes.data, inverse.ctypes.data)
    found.check(number(*rows, seed, *answer, byref(count)))
    return first[: count.value].copy(), inverse
