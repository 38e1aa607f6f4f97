"""Fetching from a server that behaves badly: the whole archive, or one line and nothing left behind."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bad_server import BODY, CARD, Handler, Heard, Server, at, leftovers, refusal, silent

from logbench.base import file_digests
from logbench.reading import download
from logbench.reading.download import Patience, RefusedError, redirected
from logbench.reading.fetch import fetch, folder_of


def test_fetches_once_and_reports(server: str, tmp_path: Path) -> None:
    heard, folder = Heard(), tmp_path / "new" / "folder"
    path = fetch(at(server, "good"), folder, heard)
    assert path == folder / "set.zip"
    assert path.read_bytes() == BODY
    assert leftovers(folder) == ["set.zip"]
    done = [call[0] for call in heard.calls]
    assert done == sorted(done)
    assert heard.calls[-1] == (len(BODY), len(BODY), "set.zip")
    assert fetch(at(server, "good"), folder, heard) == path
    assert Handler.asked == ["good"]


@pytest.mark.parametrize("size", [0, 1 << 40], ids=["remembered", "always read"])
def test_an_archive_changed_in_place_is_fetched_again(
    server: str, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_digests, "SMALL", size)
    monkeypatch.setattr(file_digests, "_SETTLED_NS", -1)
    path = fetch(at(server, "good"), tmp_path / "place", silent)
    assert fetch(at(server, "good"), tmp_path / "place", silent) == path
    before = path.stat()
    time.sleep(0.05)
    with path.open("r+b") as file:
        file.write(b"zzz")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    notes: list[str] = []
    fetch(at(server, "good"), tmp_path / "place", silent, note=notes.append)
    assert path.read_bytes() == BODY and Handler.asked == ["good", "good"]
    (said,) = notes
    assert f"instead of {CARD.md5}, so it is fetched again" in said
    path.write_bytes(BODY[:-1])
    text = refusal(at(server, "missing"), tmp_path / "place")
    assert f"the file that is there has {len(BODY) - 1:,} bytes instead of {len(BODY):,}" in text and "404" in text


def test_archives_of_one_name_from_two_places_are_two(server: str, own_cache: Path) -> None:
    cards = [replace(at(server, how), md5="", size=0) for how in ("good", "damaged")]
    paths = [fetch(card, folder_of(card), silent) for card in cards]
    assert paths[0].name == paths[1].name and paths[0].read_bytes() != paths[1].read_bytes()
    assert all(own_cache in path.parents for path in paths)


def test_follows_redirects(server: str, tmp_path: Path) -> None:
    assert fetch(at(server, "moved"), tmp_path, silent).read_bytes() == BODY
    assert Handler.asked == ["moved", "good"]


@pytest.mark.parametrize(
    ("how", "said", "requests"),
    [
        ("truncated", "the connection broke after 300,000 of 1,048,576 bytes", 3),
        ("short", "it ended after 300,000 of 1,048,576 bytes", 3),
        ("other-part", "another part than was asked for ('bytes 299999-", 2),
        ("drip", "too slow: the time was over after", 1),
        ("coded", "sent the file coded", 1),
        ("smaller", "the server offers 300,000 bytes, 1,048,576 are expected", 1),
        ("longer", "more than the 1,048,576 bytes expected", 1),
        ("damaged", f"not {CARD.md5}", 1),
        ("page", "a web page instead of the file", 1),
        ("garbled-length", "malformed Content-Length ('many')", 1),
        ("missing", "the server answered 404 Not Found", 1),
        ("busy", "the server answered 503 Service Unavailable", 3),
        ("stall", "stayed silent for 0.2 s after 300,000", 3),
        ("stall-at-once", "stayed silent for 0.2 s before any byte came", 3),
    ],
)
def test_bad_servers(server: str, tmp_path: Path, how: str, said: str, requests: int) -> None:
    limits = {"silence": 0.2, "total": 0.3 if how == "drip" else 0.0}
    text = refusal(at(server, how), tmp_path, patience=limits)
    assert said in text
    broken_off = how in ("truncated", "short", "drip", "stall")
    assert leftovers(tmp_path) == ([".set.zip.part"] if broken_off else [])
    assert Handler.asked == [how] * requests
    assert fetch(at(server, "good"), tmp_path, silent).read_bytes() == BODY


def test_a_busy_server_is_asked_again(server: str, tmp_path: Path) -> None:
    heard = Heard()
    patience = Patience(waits=(0.01,))
    assert fetch(at(server, "busy-once"), tmp_path, heard, patience=patience).read_bytes() == BODY
    assert Handler.asked == ["busy-once", "busy-once"]
    assert any("503" in detail and "again in" in detail for _, _, detail in heard.calls)


def test_ways_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server(("127.0.0.1", 0), Handler) as closed:
        card = at(f"http://127.0.0.1:{closed.server_port}", "good")
    text = refusal(card, tmp_path)
    assert "no connection (Connection refused)" in text
    for way in ("(1) ", "(2) ", card.url, "--data PATH", "LOGBENCH_DATA", "the zip", "(3) ", "--dataset made-up"):
        assert way in text
    assert "(3)" not in refusal(card, tmp_path, embedded=[])
    text = refusal(replace(card, url="http://no-such-host.invalid/set.zip"), tmp_path)
    assert "no connection (" in text
    assert "--data PATH" in refusal(replace(card, url=""), tmp_path)


def test_sha256_is_checked_and_without_one_that_of_the_first_fetch_is_kept(server: str, tmp_path: Path) -> None:
    right = hashlib.sha256(BODY).hexdigest()
    card = replace(at(server, "damaged"), sha256=right, md5="")
    assert f"not {right}" in refusal(card, tmp_path / "known")
    notes: list[str] = []
    unknown = replace(at(server, "good"), md5="", size=0)
    path = fetch(unknown, tmp_path, silent, note=notes.append)
    assert (tmp_path / "set.zip.sha256").read_text() == f"{right}  set.zip\n" and len(notes) == 1
    path.write_bytes(BODY[:-1] + b"x")
    fetch(unknown, tmp_path, silent, note=notes.append)
    assert path.read_bytes() == BODY and "is fetched again" in notes[1]
    path.unlink()
    said = refusal(replace(unknown, url=f"{server}/damaged/set.zip"), tmp_path)
    assert "set.zip.sha256 holds that of the first fetch; remove it if the change is right" in said
    assert not path.exists()


def test_a_body_shorter_than_its_length_is_refused(server: str, tmp_path: Path) -> None:
    said = refusal(replace(at(server, "truncated"), md5="", size=0), tmp_path)
    assert "after 300,000 of 1,048,576 bytes" in said and leftovers(tmp_path) == []


def test_what_has_no_known_size_has_a_ceiling(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MOST", 500_000)
    unknown = replace(at(server, "longer"), md5="", size=0)
    assert "more than the 500,000 bytes" in refusal(unknown, tmp_path)
    said = refusal(replace(unknown, url=f"{server}/stall/set.zip"), tmp_path, patience={"silence": 0.2})
    assert "offers 1,048,576 bytes, at most 500,000" in said


@pytest.mark.parametrize(
    ("url", "location", "leads"),
    [
        ("https://a/x", "http://a/y", None),
        ("https://a/x", "file:///etc/passwd", None),
        ("http://a/x", "ftp://a/y", None),
        ("https://a/x", "//b/y", "https://b/y"),
        ("https://a/x", "y?z", "https://a/y?z"),
        ("http://a/x", "https://b/y", "https://b/y"),
        ("http://a/x", "/y", "http://a/y"),
    ],
)
def test_redirections_lead_to_https(url: str, location: str, leads: str | None) -> None:
    if leads is None:
        with pytest.raises(RefusedError, match="not https"):
            redirected(url, location)
    else:
        assert redirected(url, location) == leads


def test_failing_keeps_what_was_there(server: str, tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(b"older release")
    refusal(at(server, "truncated"), tmp_path)
    assert (tmp_path / "set.zip").read_bytes() == b"older release"


def test_full_disk(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.FileIO):
        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(download, "open_part", lambda path: Full(path, "w+"))
        assert "No space left on device" in refusal(at(server, "good"), tmp_path)
    assert leftovers(tmp_path) == []
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=1_000_000))
    assert "disk full: 1.0 MB needed, 1.0 MB free" in refusal(at(server, "good"), tmp_path)
    assert Handler.asked == ["good"]


def test_a_folder_that_is_none(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert str(tmp_path / "file") in refusal(at(server, "good"), tmp_path / "file")

    def forbidden(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    assert "Read-only file system" in refusal(at(server, "good"), tmp_path / "sub")
