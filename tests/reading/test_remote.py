"""Data at an address: copied to the cache, read there, copied again when they have changed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import logbench
from logbench import DataError
from logbench.reading.remote import at_hand, url_of

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def memory() -> Iterator[str]:
    files = fsspec.filesystem("memory")
    files.pipe("/bucket/logs/a.log", b"one\ntwo\n")
    files.pipe("/bucket/logs/old/b.log", b"three\n")
    yield "memory://bucket/logs"
    files.rm("/bucket", recursive=True)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "new log.txt").write_bytes(b"one\ntwo\n")
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("s3://bucket/a/b.log", "s3://bucket/a/b.log"),
        ("HTTPS://host:8080/a.log?x=1", "https://host:8080/a.log?x=1"),
        ("file:///tmp/a.log", "file:///tmp/a.log"),
        ("logs/a.log", ""),
        ("/tmp/a:/b", ""),
        ("c:/logs", ""),
        ("a.log", ""),
    ],
)
def test_an_address_is_told_from_a_path(given: str, url: str) -> None:
    assert url_of(Path(given)) == url


def test_a_path_with_a_colon_that_is_there_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()
    (tmp_path / "s3:" / "a.log").write_text("x")
    assert at_hand(Path("s3:/a.log")) == Path("s3:/a.log")


def test_a_folder_is_copied_with_its_folders(memory: str) -> None:
    copy = at_hand(Path(memory))
    assert copy.name == "logs"
    assert {str(file.relative_to(copy)): file.read_bytes() for file in copy.rglob("*") if file.is_file()} == {
        "a.log": b"one\ntwo\n",
        "old/b.log": b"three\n",
    }
    (copy / "a.log").write_bytes(b"kept")  # it is not copied again
    assert (at_hand(Path(memory)) / "a.log").read_bytes() == b"kept"


def test_what_has_changed_is_copied_again_and_the_old_copy_goes(memory: str, cache: Path) -> None:
    before = at_hand(Path(memory) / "a.log")
    fsspec.filesystem("memory").pipe("/bucket/logs/a.log", b"one\ntwo\nthree\n")
    after = at_hand(Path(memory) / "a.log")
    assert after.read_bytes() == b"one\ntwo\nthree\n" and after.name == "a.log"
    assert not before.exists() and len(list(cache.rglob("a.log"))) == 1


def test_a_file_of_this_machine_is_read_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a log.txt"
    file.write_text("x")
    assert at_hand(Path(file.as_uri())) == file


def test_a_web_server_gives_a_file_and_its_copy_serves_when_it_is_gone(web: tuple[str, Path]) -> None:
    url, folder = web
    address = Path(f"{url}/new%20log.txt")
    assert at_hand(address).read_bytes() == b"one\ntwo\n"
    (folder / "new log.txt").write_bytes(b"one\ntwo\nmore\n")
    assert at_hand(address).read_bytes() == b"one\ntwo\nmore\n"
    (folder / "new log.txt").unlink()
    said: list[str] = []
    assert at_hand(address, note=said.append).read_bytes() == b"one\ntwo\nmore\n"
    assert len(said) == 1 and "404" in said[0] and "copied before" in said[0]
    with pytest.raises(DataError, match=r"^http://127.0.0.1:\d+/other: cannot be read: .*404"):
        at_hand(Path(f"{url}/other"))


def test_what_is_not_there_or_not_known_is_told_in_a_line(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for address, message in (
        ("memory://bucket/none.log", r"memory://bucket/none\.log: no such file or folder"),
        ("nosuch://bucket/a.log", "nosuch://bucket/a.log: no such file or folder, and fsspec knows no protocol"),
    ):
        with pytest.raises(DataError, match=message):
            at_hand(Path(address))
    for module in ("s3fs", "paramiko", "gcsfs"):
        monkeypatch.setitem(sys.modules, module, None)
    for scheme in ("s3", "sftp", "gs"):
        with pytest.raises(
            DataError, match=rf"{scheme}://host/a.log: .*\(pip install 'logbench-harness\[remote\]'\)"
        ):
            at_hand(Path(f"{scheme}://host/a.log"))
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(DataError, match=r"memory://b/a.log: needs the package fsspec: pip install"):
        at_hand(Path("memory://b/a.log"))


def test_a_run_reads_data_at_an_address(memory: str, tmp_path: Path) -> None:
    log = "".join(f"INFO s{i} step {word}\n" for i in range(30) for word in ("one", "two"))
    fsspec.filesystem("memory").pipe("/bucket/logs/a.log", log.encode())
    (tmp_path / "my.toml").write_text(
        'files = "a.log"\npattern = "<Level> <Session> <Content>"\nid = "Session"\nparser = "none"\n'
    )
    (record,) = logbench.run("new-event", dataset=str(tmp_path / "my.toml"), data=memory, out=None)
    assert record.error is None and record.dataset["sessions"] == 30
