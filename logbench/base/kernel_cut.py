"""Take texts apart by the compiled kernel (`kernel_cut.c`): columns that view into the bytes of the texts."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p, py_object
from typing import TYPE_CHECKING, Any

import numpy as np

from .kernel import Kernel, pointer_of
from .line_programs import PERHAPS, YES, Program

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["PERHAPS", "YES", "cut"]


class _Program(Structure):
    _fields_ = (("steps", c_char_p), ("sets", c_char_p), ("groups", c_int32))


class _Array(Structure):
    """See arrow.apache.org/docs/format/CDataInterface.html."""

    _fields_ = (
        *((name, c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
        *((name, c_void_p) for name in ("buffers", "children", "dictionary", "release", "private_data")),
    )


class _Schema(Structure):
    _fields_ = (
        *((name, c_char_p) for name in ("format", "name", "metadata")),
        *((name, c_int64) for name in ("flags", "n_children")),
        *((name, c_void_p) for name in ("children", "dictionary", "release", "private_data")),
    )


class _Column:
    """A column as the Arrow PyCapsule interface gives it."""

    def __init__(self, schema: _Schema, array: _Array) -> None:
        self._parts = schema, array

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[Any, Any]:
        schema, array = self._parts
        return _capsule(schema, b"arrow_schema"), _capsule(array, b"arrow_array")


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
    cut_.argtypes = c_void_p, POINTER(_Program), POINTER(_Array), POINTER(_Schema), c_void_p, c_size_t
    cut_.restype, release.argtypes, release.restype = c_int, (POINTER(_Array),), None
    columns, schema = (_Array * max(len(program.names), 1))(), _Schema()
    raw = _Program(program.steps, program.sets, len(program.names))
    stream = texts.rechunk().__arrow_c_stream__()
    try:
        found.check(
            cut_(pointer_of(stream, b"arrow_array_stream"), raw, columns, schema, told.ctypes.data, len(texts))
        )
        given = zip(program.names, columns, strict=False)
        return [pl.Series(_Column(schema, column)).alias(name) for name, column in given], told
    finally:
        for column in columns:
            release(byref(column))


def _capsule(held: Structure, name: bytes) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = py_object, (c_void_p, c_char_p, c_void_p)
    return new(ctypes.addressof(held), name, None)
