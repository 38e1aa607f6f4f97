"""Fetching against a local server that behaves badly: the whole archive, or one line and nothing left behind."""

from __future__ import annotations

import errno
import hashlib
import io
import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from logbench import Card, DataError
from logbench.base import file_digests
from logbench.reading import download
from logbench.reading.download import Patience, RefusedError, redirected
from logbench.reading.fetch import fetch, folder_of

BODY = bytes(range(256)) * 4096
CARD = Card(
    title="a set", label="none", parser="p", windower="w", protocol="q", layout="the zip", size=len(BODY),
    md5=hashlib.md5(BODY).hexdigest(),
)  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """`/<behaviour>/set.zip`; `asked` counts the requests of each behaviour, `ranges` the parts asked for."""

    asked: ClassVar[list[str]] = []
    ranges: ClassVar[list[str | None]] = []
    release: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        how = self.path.split("/")[1]
        self.asked.append(how)
        self.ranges.append(self.headers["Range"])
        if how in ("resumed", "other-part") and self.headers["Range"]:
            begun = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            named = begun if how == "resumed" else begun - 1
            where = {"Content-Range": f"bytes {named}-{len(BODY) - 1}/{len(BODY)}"}
            self.answer(BODY[begun:], status=206, length=len(BODY) - begun, headers=where)
        elif how == "busy" or (how == "busy-once" and self.asked.count(how) == 1):
            self.send_error(503)
        elif how == "missing":
            self.send_error(404)
        elif how == "moved":
            self.answer(b"", status=302, length=0, headers={"Location": "/good/set.zip"})
        elif how == "page":
            self.answer(b"<!doctype html><p>Sign in", headers={"Content-Type": "text/html; charset=utf-8"})
        elif how == "garbled-length":
            self.answer(BODY, length="many")
        else:
            self.misbehave(how)

    def misbehave(self, how: str) -> None:
        bodies = {
            "truncated": (BODY[:300_000], len(BODY)),
            "resumed": (BODY[:300_000], len(BODY)),
            "other-part": (BODY[:300_000], len(BODY)),
            "short": (BODY[:300_000], None),
            "smaller": (BODY[:300_000], 300_000),
            "longer": (BODY + b"x", None),
            "damaged": (BODY[:-1] + b"x", len(BODY)),
        }
        body, length = bodies.get(how, (BODY, len(BODY)))
        if how in ("stall", "stall-at-once"):
            self.answer(b"" if how == "stall-at-once" else BODY[:300_000], length=len(BODY))
            self.release.wait(10)
        elif how == "drip":
            self.answer(b"", length=len(BODY))
            for at in range(40):
                self.wfile.write(BODY[at : at + 1])
                self.wfile.flush()
                time.sleep(0.02)
        elif how == "coded":
            self.answer(BODY, headers={"Content-Encoding": "gzip"})
        elif how == "slow":
            self.answer(body[:1000], length=length)
            time.sleep(0.3)
            self.wfile.write(body[1000:])
        else:
            self.answer(body, length=length)

    def answer(
        self, body: bytes, status: int = 200, length: object = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what is tested here."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(Handler, "asked", [])
    monkeypatch.setattr(Handler, "ranges", [])
    monkeypatch.setattr(Handler, "release", threading.Event())
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        Handler.release.set()
        running.shutdown()
        thread.join()


class Heard:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, float | None, str]] = []

    def __call__(self, done: float, total: float | None = None, detail: str = "") -> None:
        self.calls.append((done, total, detail))


def silent(done: float, total: float | None = None, detail: str = "") -> None: ...


def at(server: str, how: str) -> Card:
    return replace(CARD, url=f"{server}/{how}/set.zip?download=1")


def refusal(card: Card, folder: Path, **options: Any) -> str:
    """The one line that a failing fetch gives."""
    patience = Patience(**{"waits": (0.01, 0.01), **options.pop("patience", {})})
    with pytest.raises(DataError) as error:
        fetch(card, folder, silent, patience=patience, **{"embedded": ["made-up"], **options})
    text = str(error.value)
    assert "\n" not in text
    return text


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith((".lock", ".sha256")))


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


def test_after_an_interruption_the_rest_is_fetched(server: str, tmp_path: Path) -> None:
    def interrupt(done: float, total: float | None = None, detail: str = "") -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(at(server, "good"), tmp_path, interrupt)
    assert leftovers(tmp_path) == [".set.zip.part"]
    assert fetch(at(server, "resumed"), tmp_path, silent).read_bytes() == BODY
    begun = int((Handler.ranges[-1] or "").removeprefix("bytes=").removesuffix("-"))
    assert 500_000 < begun < len(BODY) and Handler.asked == ["good", "resumed"]
    with pytest.raises(KeyboardInterrupt):
        fetch(replace(at(server, "good"), md5=""), tmp_path / "other", interrupt)
    assert leftovers(tmp_path / "other") == [], "nothing would tell whether the rest is of the same file"


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server: str, tmp_path: Path) -> None:
    fetch(at(server, "resumed"), tmp_path, silent, patience=Patience(waits=(0.01,)))
    assert (tmp_path / "set.zip").read_bytes() == BODY
    assert Handler.ranges == [None, "bytes=300000-"]
    (tmp_path / "set.zip").unlink()
    (tmp_path / ".set.zip.part").write_bytes(b"x" * 300_000)
    fetch(at(server, "resumed"), tmp_path, silent, patience=Patience(waits=(0.01, 0.01)))
    assert (tmp_path / "set.zip").read_bytes() == BODY, "what was there was another file's beginning"


def test_a_part_file_is_never_written_through_a_link(server: str, tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "fetched"
    folder.mkdir()
    for make in (Path.symlink_to, Path.hardlink_to):
        victim.write_bytes(b"mine")
        make(folder / ".set.zip.part", victim)
        fetch(at(server, "good"), folder, silent)
        assert victim.read_bytes() == b"mine" and (folder / "set.zip").read_bytes() == BODY
        (folder / "set.zip").unlink()
    (folder / "set.zip.lock").unlink(missing_ok=True)
    (folder / "set.zip.lock").symlink_to(victim)
    assert "set.zip.lock is a link" in refusal(at(server, "good"), folder)


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


def test_what_a_killed_run_left_is_never_taken_for_whole(server: str, tmp_path: Path) -> None:
    (tmp_path / ".set.zip.part").write_bytes(BODY[:1000])
    (tmp_path / "set.zip").write_bytes(BODY[:2000])
    assert fetch(at(server, "good"), tmp_path, silent).read_bytes() == BODY
    (tmp_path / "set.zip").write_bytes(BODY[:-1] + b"x")
    assert fetch(at(server, "good"), tmp_path, silent).read_bytes() == BODY
    assert Handler.asked == ["good", "good"]
    assert leftovers(tmp_path) == ["set.zip"]


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


def _in_a_process(card: Card, folder: Path, barrier: Any, answers: Any) -> None:
    barrier.wait(20)
    heard = Heard()
    path = fetch(card, folder, heard)
    answers.put((path.read_bytes() == BODY, len(heard.calls)))


def test_two_processes_fetch_once(server: str, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    jobs = [
        context.Process(target=_in_a_process, args=(at(server, "slow"), tmp_path, barrier, answers)) for _ in "ab"
    ]
    for job in jobs:
        job.start()
    got = [answers.get(timeout=60) for _ in jobs]
    for job in jobs:
        job.join(10)
        assert job.exitcode == 0
    assert all(whole for whole, _ in got)
    assert Handler.asked == ["slow"]
    assert leftovers(tmp_path) == ["set.zip"]


def test_a_killed_run_holds_no_lock(server: str, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(1), context.Queue()
    job = context.Process(target=_in_a_process, args=(at(server, "stall"), tmp_path, barrier, answers))
    job.start()
    part = tmp_path / ".set.zip.part"
    until = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.02)
    job.kill()
    job.join(10)
    assert leftovers(tmp_path) == [".set.zip.part"]
    assert fetch(at(server, "good"), tmp_path, silent).read_bytes() == BODY
    assert leftovers(tmp_path) == ["set.zip"]


def test_waiting_is_said_and_can_be_interrupted(server: str, tmp_path: Path) -> None:
    from filelock import FileLock

    class GaveUpError(Exception): ...

    def give_up(done: float, total: float | None = None, detail: str = "") -> None:
        assert "waiting for another run" in detail
        raise GaveUpError

    with FileLock(tmp_path / "set.zip.lock"):
        with pytest.raises(GaveUpError):
            fetch(at(server, "good"), tmp_path, give_up)
        notes: list[str] = []
        said = refusal(at(server, "good"), tmp_path, patience={"lock": 0.1}, note=notes.append)
        assert "another run has held" in said and len(notes) == 1 and "waiting for another run" in notes[0]
    assert Handler.asked == []
