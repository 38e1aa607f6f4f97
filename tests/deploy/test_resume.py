"""Where a stream goes on: after what was read before, or with what comes; and the file that says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbench.base.errors import DataError
from logbench.deploy.resume import HEAD, Source
from logbench.deploy.score_state import opened

TEXT = b"".join(b"line %d\n" % number for number in range(600))


def blocks_of(text: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(text), size):
        yield from (text[at : at + size], b"")


def read(source: Source, text: bytes, size: int = 500) -> bytes:
    return b"".join(source.follow(blocks_of(text, size), lambda _: None))


@given(first=st.integers(0, len(TEXT)), size=st.sampled_from([7, 500, 10_000]), anew=st.booleans())
def test_each_byte_is_read_once(first: int, size: int, anew: bool) -> None:
    source = Source()
    before = read(source, TEXT[:first], size)
    source = Source(**source.state())
    after = read(source, TEXT if anew else b"other" + TEXT, size)
    assert before == TEXT[:first]
    assert after == (TEXT[first:] if anew else b"other" + TEXT)


def test_going_on_is_no_silence() -> None:
    """An empty block would end an event that further lines belong to."""
    source = Source()
    list(source.follow(iter([TEXT[:3000]]), lambda _: None))
    assert list(source.follow(iter([TEXT[:3000], TEXT[3000:]]), lambda _: None)) == [TEXT[3000:]]


def test_a_third_call_goes_on_from_the_second() -> None:
    source = Source()
    assert read(source, TEXT[:2000]) + read(source, TEXT[:4000]) + read(source, TEXT) == TEXT
    assert read(source, TEXT) == b""
    assert read(source, b"rotated\n" + TEXT) == b"rotated\n" + TEXT
    assert read(source, b"rotated\n" + TEXT + b"more") == b"more"


def test_a_stream_that_ended_before_gives_nothing_and_loses_nothing() -> None:
    source = Source()
    assert read(source, TEXT) == TEXT
    assert read(source, TEXT[:50]) == b""
    assert read(source, b"") == b""
    assert read(source, TEXT + b"more") == b"more"


def test_what_begins_as_before_and_is_another_stream_is_refused() -> None:
    source = Source()
    read(source, TEXT)
    with pytest.raises(DataError, match=r"begins as before, but its first .* bytes are not those that were read"):
        read(source, TEXT[: HEAD + 5] + b"?" + TEXT[HEAD + 6 :])


def test_a_state_is_of_one_model_and_of_one_process(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    with opened(file, "run-1") as state:
        state.save()
        with pytest.raises(DataError, match="another logbench score has this state"), opened(file, "run-1"):
            pass
    with pytest.raises(DataError, match="of the model that run run-1 saved, not of run-2"), opened(file, "run-2"):
        pass
    for text in ("", "[]", "{}", '{"logbench_state": 1}', '{"logbench_state": 1, "run_id": "a", "odd": 1}'):
        file.write_text(text)
        with pytest.raises(DataError, match="cannot be read as a state"), opened(file, "run-1"):
            pass


def test_a_write_that_fails_leaves_the_state_before(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    with opened(file, "run-1") as state:
        state.alarmed = ["a"]
        state.save()
        state.alarmed = [object()]  # type: ignore[list-item]
        with pytest.raises(TypeError):
            state.save()
    with opened(file, "run-1") as state:
        assert state.alarmed == ["a"]
    assert {one.name for one in tmp_path.iterdir()} <= {"s.json", ".s.json.lock"}
