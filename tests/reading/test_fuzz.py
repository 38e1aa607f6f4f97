"""Broken files, 150 of them (10,000: `python tests/tools/fuzz.py 10000 SEED`); a lost line would be seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz import fuzz

from logbench.reading.byte_streams import Stream
from logbench.reading.log_files import LogFile


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LOGBENCH_CONFIG", str(tmp_path / "config"))


def test_broken_files_end_in_one_line_and_lose_none() -> None:
    outcome = fuzz(150, 0)
    assert outcome.failures == []
    assert outcome.read > 40
    assert outcome.refused.total() > 20


def test_a_reader_that_loses_a_line_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = LogFile.chunks

    def without_the_last(self: LogFile) -> Iterator[bytes]:
        for chunk in whole(self):
            yield chunk[: chunk.rstrip(b"\n").rfind(b"\n") + 1]

    monkeypatch.setattr(LogFile, "chunks", without_the_last)
    assert any("lines are there" in failure for failure in fuzz(60, 0).failures)


def test_an_error_that_is_no_users_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Stream) -> Iterator[bytes]:
        raise KeyError("a bug")

    monkeypatch.setattr(Stream, "blocks", broken)
    assert any("KeyError" in failure for failure in fuzz(30, 0).failures)
