"""Pages of lent files leave a process's memory, and their values stay."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from logbench.base.freed_memory import give_back, lent


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what is in memory")
@pytest.mark.parametrize("mode", ["r", "w+"])
def test_pages_leave_the_memory_and_values_stay(mode: str, tmp_path: Path) -> None:
    file, values = tmp_path / "column.npy", np.arange(1 << 19)
    np.save(file, values)
    array = lent(np.lib.format.open_memmap(file, mode, values.dtype, None if mode == "r" else values.shape))
    if mode == "w+":
        array[:] = values
    assert int(array.sum()) == int(values.sum())
    before = _resident_kb(file)
    give_back()
    after = _resident_kb(file)
    assert before >= values.nbytes >> 10 and after == 0
    assert np.array_equal(array, values)


def _resident_kb(file: Path) -> int:
    """Of the file's pages, KB."""
    blocks = Path("/proc/self/smaps").read_text().split(str(file))[1:]
    return sum(int(block.split("Rss:")[1].split()[0]) for block in blocks)
