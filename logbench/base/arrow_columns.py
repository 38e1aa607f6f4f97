"""Columns that the compiled kernel makes, by Arrow's C data interface: polars takes them over as they are."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int64, c_void_p, py_object
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .kernel import Kernel, pointer

if TYPE_CHECKING:
    import polars as pl


class Schema(Structure):
    """The type of a column, see arrow.apache.org/docs/format/CDataInterface.html."""

    _fields_ = (*((f"_{i}", c_void_p) for i in range(7)), ("release", CFUNCTYPE(None, c_void_p)), ("_8", c_void_p))


class Array(Structure):
    """A column."""

    _fields_ = (
        *((f"_{i}", c_int64) for i in range(5)),
        *((f"_{i}", c_void_p) for i in range(5, 8)),
        ("release", CFUNCTYPE(None, c_void_p)),
        ("_9", c_void_p),
    )


@dataclass
class _Given:
    """An array that polars takes over."""

    schema: Schema
    array: Array

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        return _capsule(self.schema, b"arrow_schema"), _capsule(self.array, b"arrow_array")


def columns(kernel: Kernel, texts: pl.Series, count: int, make: Callable[[int, Any], int]) -> list[pl.Series]:
    """Columns that a function of the kernel makes of String [n], without names.

    They hold few bytes of their own, and keep those of the texts.

    Args:
        make: calls it with the stream of the texts, one array, and `Array` [count]; gives its outcome.

    Raises:
        MemoryError: there is too little.
    """
    import polars as pl

    if not len(texts):
        return [pl.Series(dtype=pl.String) for _ in range(count)]
    type_, release = kernel.functions.logbench_type, kernel.functions.logbench_release
    type_.argtypes, type_.restype = (POINTER(Schema),), None
    release.argtypes, release.restype = (POINTER(Array),), None
    made, stream = (Array * count)(), texts.rechunk().__arrow_c_stream__()
    try:
        kernel.check(make(pointer(stream, b"arrow_array_stream"), made))
        return [_taken(type_, array) for array in made]
    finally:
        for array in made:
            release(byref(array))


def _taken(type_: Any, array: Array) -> pl.Series:
    """The column as a series, which releases it."""
    import polars as pl

    schema = Schema()
    type_(schema)
    return pl.Series(_Given(schema, array))


def _capsule(given: Structure, name: bytes) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = py_object, (c_void_p, c_char_p, c_void_p)
    return new(ctypes.addressof(given), name, None)
