"""Find texts at some paths of JSON lines by the compiled kernel (`kernel_json.c`)."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import POINTER, Structure, byref, c_char_p, c_int32, c_size_t, c_void_p
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .arrow_columns import Array, columns
from .kernel import Kernel

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

# What a line is, and what stands at a path.
NO_OBJECT, OBJECT, ODD = range(3)
NOTHING, TEXT, VALUE = range(3)


class _Key(Structure):
    _fields_ = (
        ("text", c_char_p),
        ("size", c_size_t),
        *((name, c_int32) for name in ("within", "first", "next", "depth")),
    )


class _Paths(Structure):
    _fields_ = (
        ("keys", POINTER(_Key)),
        ("ways", POINTER(c_int32)),
        ("ends", POINTER(c_int32)),
        ("count", c_size_t),
        ("columns", c_size_t),
    )


@dataclass(frozen=True)
class JsonTexts:
    """What JSON lines have at some paths.

    Attributes:
        lines: uint8 [n], what each line is: `NO_OBJECT`, `OBJECT`, or `ODD`: not told; only objects have texts.
        kinds: uint8 [columns, n], what was found: `NOTHING`; `TEXT`; or `VALUE`, JSON as it stands in the line.
        columns: String [n], each.
    """

    lines: NDArray[np.uint8]
    kinds: NDArray[np.uint8]
    columns: Sequence[pl.Series]


class JsonPaths:
    """Texts at paths of JSON lines.

    A path is its keys from the outside in. Of several paths the first one counts that leads to something but null.

    Args:
        wanted: for each column its paths, at least one.
    """

    def __init__(self, kernel: Kernel, wanted: Sequence[Sequence[Sequence[str]]]) -> None:
        self._kernel = kernel
        self._read = kernel.functions.logbench_json
        self._read.argtypes = (c_void_p, POINTER(_Paths), c_size_t, c_void_p, c_void_p, POINTER(Array))
        number: dict[tuple[str, ...], int] = {}
        for way in (tuple(way) for ways in wanted for way in ways):
            for end in range(1, len(way) + 1):
                number.setdefault(way[:end], len(number))
        keys = (_Key * len(number))()
        last: dict[tuple[str, ...], int] = {}
        for way, at in number.items():
            text, outer = way[-1].encode(), way[:-1]
            keys[at] = _Key(text, len(text), number.get(outer, -1), -1, -1, len(way))
            if outer in last:
                keys[last[outer]].next = at
            elif outer:
                keys[number[outer]].first = at
            last[outer] = at
        ways = [number[tuple(way)] for of in wanted for way in of]
        ends = np.cumsum([len(of) for of in wanted]).tolist()
        self._paths = _Paths(
            keys, (c_int32 * len(ways))(*ways), (c_int32 * len(ends))(*ends), len(keys), len(wanted)
        )

    def __call__(self, lines: pl.Series) -> JsonTexts:
        """The texts of String [n]; threads may call at once.

        Raises:
            MemoryError: there is too little.
        """
        size, count = len(lines), int(self._paths.columns)
        kinds, are = np.zeros((count, size), dtype=np.uint8), np.empty(size, dtype=np.uint8)
        read, paths, places = self._read, byref(self._paths), (are.ctypes.data, kinds.ctypes.data)
        made = columns(
            self._kernel, lines, count, lambda stream, arrays: read(stream, paths, size, *places, arrays)
        )
        return JsonTexts(are, kinds, made)
