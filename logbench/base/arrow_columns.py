"""Columns that the compiled kernel makes, by Arrow's C data interface: polars takes them over as they are."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, Structure, c_char_p, c_int64, c_void_p, py_object
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


def taken(schema: Schema, array: Array) -> pl.Series:
    """The column as a series, which releases it; without a name."""
    import polars as pl

    return pl.Series(_Given(schema, array))


def _capsule(given: Structure, name: bytes) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = py_object, (c_void_p, c_char_p, c_void_p)
    return new(ctypes.addressof(given), name, None)
