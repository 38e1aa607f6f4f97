"""Give memory back that a step no longer needs, as several processes of a run need some at the same time."""

from __future__ import annotations

import ctypes
import mmap
import sys
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    import numpy as np

_MAPPED: WeakSet[mmap.mmap] = WeakSet()
_LOCK = Lock()


def lent(array: np.memmap[Any, Any]) -> np.memmap[Any, Any]:
    """The same mapped file, whose pages `give_back` takes out of this process; they come again when they are read.

    Args:
        array: mapped read-only, or shared with the file.
    """
    mapped: mmap.mmap = array._mmap  # type: ignore[attr-defined]
    with _LOCK:  # runs may share a process
        _MAPPED.add(mapped)
    return array


def give_back() -> None:
    """Give the system what this process has freed, and the pages of files that are `lent`."""
    unload()
    with suppress(OSError, TypeError, AttributeError):  # glibc keeps what is freed; others have no such function
        ctypes.CDLL(None).malloc_trim(0)


def unload() -> None:
    """Take the pages of files that are `lent` out of this process."""
    if sys.platform != "win32" and hasattr(mmap, "MADV_DONTNEED"):
        with _LOCK:
            there = list(_MAPPED)
        for mapped in there:
            mapped.madvise(mmap.MADV_DONTNEED)
