"""Take texts apart by the compiled kernel (`kernel_cut.c`): columns that view into the bytes of the texts."""

from __future__ import annotations

from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int32, c_size_t, c_void_p
from typing import TYPE_CHECKING

import numpy as np

from .arrow_columns import Array, Schema, taken
from .kernel import Kernel, pointer
from .line_programs import PERHAPS, YES, Program

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["PERHAPS", "YES", "cut"]


class _Program(Structure):
    _fields_ = (("steps", c_char_p), ("sets", c_char_p), ("groups", c_int32))


def cut(found: Kernel, texts: pl.Series, program: Program) -> tuple[list[pl.Series], NDArray[np.uint8]]:
    """The groups of String [n], and whether each text fits: `NO`, `YES`, or `PERHAPS`, which is left to polars.

    Columns of groups are String [n], null where a text does not fit, or where the group is not in it; they hold no
    bytes of their own, and keep those of the texts. Threads may call at once.

    Raises:
        MemoryError: there is too little.
    """
    import polars as pl

    told = np.zeros(len(texts), dtype=np.uint8)
    if not len(texts):
        return [pl.Series(name, dtype=pl.String) for name in program.names], told
    cut_, release = found.functions.logbench_cut, found.functions.logbench_release
    cut_.argtypes = c_void_p, POINTER(_Program), POINTER(Array), POINTER(Schema), c_void_p, c_size_t
    cut_.restype, release.argtypes, release.restype = c_int, (POINTER(Array),), None
    columns, schema = (Array * max(len(program.names), 1))(), Schema()
    raw = _Program(program.steps, program.sets, len(program.names))
    stream = texts.rechunk().__arrow_c_stream__()
    try:
        found.check(
            cut_(pointer(stream, b"arrow_array_stream"), raw, columns, schema, told.ctypes.data, len(texts))
        )
        given = zip(program.names, columns, strict=False)
        return [taken(schema, column).alias(name) for name, column in given], told
    finally:
        for column in columns:
            release(byref(column))
