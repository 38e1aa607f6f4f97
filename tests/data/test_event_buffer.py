"""A spool sorts as a stable sort of all of it would, in memory and in files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbench import DataError
from logbench.data import event_buffer
from logbench.data.event_buffer import EventBuffer

CHUNKS = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=7), min_size=1, max_size=6)


@given(CHUNKS, st.sampled_from([0, 3, 10, 1000]), st.sampled_from([1, 2, 5, 1000]))
def test_columns_are_sorted_by_unit_and_keep_their_order(chunks: list[list[int]], limit: int, block: int) -> None:
    flat = np.array([unit for chunk in chunks for unit in chunk], dtype=np.int32)
    line = np.arange(len(flat), dtype=np.uint32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_buffer, "IN_MEMORY", limit)
        patch.setattr(event_buffer, "BLOCK", block)
        made, start = EventBuffer(), 0
        for chunk in chunks:
            part = slice(start, start + len(chunk))
            made.add(unit=flat[part], line=line[part], label=(line[part] % 2).astype(np.int8))
            start += len(chunk)
        assert made.events == len(flat)
        for _ in range(2):  # it can be read again
            assert [number for one in made for number in one["line"]] == line.tolist()
        found = made.sorted(np.bincount(flat, minlength=5).astype(np.int64))
        order = sorted(range(len(flat)), key=lambda at: flat[at])
        assert found["line"].tolist() == order and found["line"].dtype == np.uint32
        assert found["label"].tolist() == [at % 2 for at in order] and found["label"].dtype == np.int8
        assert isinstance(found["line"], np.memmap) == (len(flat) > limit)
        assert not list(made)  # memory holds the columns once


def test_no_room_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the cache folder should be")
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "taken"))
    monkeypatch.setattr(event_buffer, "IN_MEMORY", 0)
    monkeypatch.setattr(event_buffer, "BLOCK", 2)
    with pytest.raises(DataError, match="taken"):
        EventBuffer().add(unit=np.zeros(3, np.int32))


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="takes no room in advance")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EOPNOTSUPP])
def test_a_full_disk_is_one_line_before_a_mapped_file_is_filled(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def refused(file: int, begin: int, size: int) -> None:
        asked.append(size)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(event_buffer, "IN_MEMORY", 4)
    monkeypatch.setattr(os, "posix_fallocate", refused)
    if number == errno.ENOSPC:
        with pytest.raises(DataError, match="cannot be written: No space left on device; free some space"):
            event_buffer.array(5, np.dtype(np.int64))
    else:  # a file system without it
        assert event_buffer.array(5, np.dtype(np.int64)).shape == (5,)
    assert asked == [40]
