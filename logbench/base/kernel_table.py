"""Take rows of tables apart by the compiled kernel (`kernel_table.c`)."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import POINTER, Structure, c_int, c_int32, c_size_t, c_uint8, c_void_p
from typing import TYPE_CHECKING

import numpy as np

from .arrow_columns import Array, columns
from .kernel import Kernel

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


class _Table(Structure):
    _fields_ = (
        ("column", POINTER(c_int32)),
        *((name, c_int32) for name in ("cells", "least", "columns")),
        *((name, c_uint8) for name in ("between", "quotes")),
    )


def cells(
    found: Kernel, lines: pl.Series, between: str, wanted: Sequence[int], count: int, least: int, quotes: bool
) -> tuple[list[pl.Series], NDArray[np.uint8]]:
    """Cells of String [n], a column each, and whether each line is a row: `NO`, `YES` or `PERHAPS`.

    Columns are null where a line is no row, and where a cell is missing. Threads may call at once.

    Args:
        between: one sign, ASCII, which stands between cells. wanted: numbers of cells.
        count, least: cells of a row at most and at least. quotes: whether cells may be quoted.

    Raises:
        MemoryError: there is too little.
    """
    told, place = np.zeros(len(lines), dtype=np.uint8), {number: at for at, number in enumerate(wanted)}
    goes_to = (c_int32 * count)(*(place.get(number, -1) for number in range(count)))
    raw = _Table(goes_to, count, least, len(wanted), ord(between), quotes)
    function = found.functions.logbench_table
    function.argtypes = c_void_p, POINTER(_Table), POINTER(Array), c_void_p, c_size_t
    function.restype = c_int
    made = columns(
        found,
        lines,
        len(wanted),
        lambda stream, arrays: function(stream, raw, arrays, told.ctypes.data, len(lines)),
    )
    return made, told


def open_quotes(found: Kernel, lines: pl.Series, between: str) -> NDArray[np.bool_]:
    """Whether a quote is open where each line begins, of String [n].

    Args:
        between: one sign, ASCII, which stands between cells.
    """
    told = np.zeros(len(lines), dtype=np.uint8)
    function = found.functions.logbench_open
    function.argtypes, function.restype = (c_void_p, c_uint8, c_void_p, c_size_t), c_int
    columns(found, lines, 0, lambda stream, _: function(stream, ord(between), told.ctypes.data, len(lines)))
    return told.astype(bool)
