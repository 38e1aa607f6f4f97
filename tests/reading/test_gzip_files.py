"""Both readers of gzip files give the same bytes, and refuse the same files."""

from __future__ import annotations

import gzip
import random
import sys
from pathlib import Path

import pytest

from logbench.base.errors import DataError
from logbench.reading.archives import OPENERS
from logbench.reading.byte_streams import Stream

TEXT = b"".join(b"%d error of node %d\n" % (number * number, number % 7) for number in range(3_000))
WHOLE = gzip.compress(TEXT)
FILES = {
    "one member": WHOLE,
    "members": WHOLE + gzip.compress(b"") + gzip.compress(b"a last line"),
    "stored": gzip.compress(TEXT, 0),
    "nothing": gzip.compress(b""),
    "padded": WHOLE + bytes(512),
    "a name": b"\x1f\x8b\x08\x08" + WHOLE[4:10] + b"app.log\0" + WHOLE[10:],
}
DAMAGED = {
    "cut within": WHOLE[: len(WHOLE) // 2],
    "cut at its checksum": WHOLE[:-4],
    "cut in a second member": WHOLE + WHOLE[:6],
    "its length is wrong": WHOLE[:-4] + b"\x01\x02\x03\x04",
    "rubbish behind it": WHOLE + b"no gzip",
    "an unknown way to pack": b"\x1f\x8b\x07" + WHOLE[3:],
}


def read(data: bytes, folder: Path) -> bytes | str:
    """What a file holds; or the reason that it is refused for."""
    path = folder / "app.log.gz"
    path.write_bytes(data)
    try:
        return b"".join(Stream("app.log.gz", lambda: OPENERS["gzip"](path)).blocks())
    except DataError as error:
        return str(error)


@pytest.fixture(params=["isal", "gzip"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "isal":
        pytest.importorskip("isal.igzip")
    else:
        monkeypatch.setitem(sys.modules, "isal.igzip", None)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("name", FILES)
def test_a_whole_file_gives_what_was_packed(name: str, tmp_path: Path) -> None:
    assert read(FILES[name], tmp_path) == gzip.decompress(FILES[name])


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_by_name(name: str, tmp_path: Path) -> None:
    said = read(DAMAGED[name], tmp_path)
    assert isinstance(said, str) and said.startswith("app.log.gz: cannot be read (")


def test_both_readers_judge_damaged_bytes_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("isal.igzip")
    chance = random.Random(3)
    for _ in range(300):
        data = bytearray(FILES["members"])
        for _ in range(chance.choice([1, 1, 4])):
            data[chance.randrange(3, len(data))] = chance.randrange(256)
        fast = read(bytes(data), tmp_path)
        with monkeypatch.context() as hidden:
            hidden.setitem(sys.modules, "isal.igzip", None)
            slow = read(bytes(data), tmp_path)
        assert fast == slow or (isinstance(fast, str) and isinstance(slow, str))
