"""Digests of files: remembered until the file changes, and whatever the memory holds."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path

import pytest

from logbench.base import file_digests
from logbench.reading.layout import digest


def test_a_file_just_written_or_small_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = tmp_path / "a.log", tmp_path / "digests.json"
    path.write_bytes(b"one")
    digest(path, cache)
    assert not cache.exists(), "it is small"
    monkeypatch.setattr(file_digests, "SMALL", 0)
    os.utime(path, ns=(0, 0))
    digest(path, cache)
    assert not cache.exists(), "its mtime is old, but it may change within its ctime"


@pytest.mark.usefixtures("remembered")
def test_digest_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path, cache = tmp_path / "a.log", tmp_path / "cache" / "digests.json"
    path.write_bytes(b"one")
    expected = hashlib.sha256(b"one").hexdigest()
    assert digest(path, None) == expected
    assert digest(path, cache) == expected
    known = json.loads(cache.read_text())
    (key,) = known
    known[key]["digest"] = "remembered"
    known[key]["sum"] = file_digests._sum(key, known[key])
    cache.write_text(json.dumps(known))
    assert digest(path, cache) == "remembered"
    for at in (0, -file_digests.TRUSTED_S, file_digests.TRUSTED_S):  # a day ago, and in the future
        known[key]["at"] = time.time() + at
        known[key]["sum"] = file_digests._sum(key, known[key])
        cache.write_text(json.dumps(known))
        assert digest(path, cache) == (expected if at else "remembered")
    assert digest(path, cache, "md5") == hashlib.md5(b"one").hexdigest()
    path.write_bytes(b"two")
    assert digest(path, cache) == hashlib.sha256(b"two").hexdigest()
    assert [p.name for p in cache.parent.iterdir()] == ["digests.json"]


@pytest.mark.usefixtures("remembered")
@pytest.mark.skipif(sys.platform == "win32", reason="it has no time of change that cannot be put back")
def test_bytes_written_in_place_with_the_time_put_back_are_noticed(tmp_path: Path) -> None:
    path, cache = tmp_path / "a.log", tmp_path / "digests.json"
    path.write_bytes(b"one")
    before = path.stat()
    digest(path, cache)
    time.sleep(0.05)
    with path.open("r+b") as file:
        file.write(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert digest(path, cache) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.usefixtures("remembered")
def test_digest_survives_a_broken_cache_of_another_version(tmp_path: Path) -> None:
    path, cache = tmp_path / "a.log", tmp_path / "digests.json"
    path.write_bytes(b"one")
    found = path.stat()
    state = [found.st_size, found.st_mtime_ns, found.st_ino]
    cache.write_text(json.dumps({f"sha256:{path.resolve()}": {"state": state, "digest": "old"}}))
    assert digest(path, cache) == hashlib.sha256(b"one").hexdigest()


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"\xff", b'{"sha256:x": 3}'])
def test_digest_survives_a_broken_cache(tmp_path: Path, junk: bytes) -> None:
    path, cache = tmp_path / "a.log", tmp_path / "digests.json"
    path.write_bytes(b"one")
    cache.write_bytes(junk)
    assert digest(path, cache) == hashlib.sha256(b"one").hexdigest()
    assert any(path.name in key for key in json.loads(cache.read_text()))
    assert digest(path, tmp_path / "a.log" / "not a folder" / "x.json") == hashlib.sha256(b"one").hexdigest()
