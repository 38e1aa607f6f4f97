"""Take texts apart by the compiled kernel (`kernel_cut.c`): columns that view into the bytes of the texts."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_char_p, c_int, c_int32, c_size_t, c_void_p
from typing import TYPE_CHECKING

import numpy as np

from .arrow_columns import Array, columns
from .kernel import Kernel
from .line_programs import Program

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


class _Program(Structure):
    _fields_ = (("steps", c_char_p), ("sets", c_char_p), ("groups", c_int32))


def cut(found: Kernel, texts: pl.Series, program: Program) -> tuple[list[pl.Series], NDArray[np.uint8]]:
    """The groups of String [n], and whether each text fits: `NO`, `YES`, or `PERHAPS`, which is left to polars.

    Columns of groups are String [n], null where a text does not fit, or where the group is not in it; they hold no
    bytes of their own, and keep those of the texts. Threads may call at once.

    Raises:
        MemoryError: there is too little.
    """
    told = np.zeros(len(texts), dtype=np.uint8)
    function, raw = found.functions.logbench_cut, _Program(program.steps, program.sets, len(program.names))
    function.argtypes = c_void_p, POINTER(_Program), POINTER(Array), c_void_p, c_size_t
    function.restype = c_int
    made = columns(
        found,
        texts,
        len(program.names),
        lambda stream, arrays: function(stream, raw, arrays, told.ctypes.data, len(texts)),
    )
    return [column.alias(name) for name, column in zip(program.names, made, strict=True)], told
