"""Servers that never come to an end."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest

from logbench.reading.download import Patience, RefusedError, download


def drip(listening: socket.socket, ended: threading.Event) -> None:
    """An answer's head a byte at a time, never silent for long; whole after ten seconds."""
    with contextlib.suppress(OSError):
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ")
            for _ in range(100):
                if ended.wait(0.1):
                    return
                connection.sendall(b"x")
            connection.sendall(b"\r\n\r\nok")


def test_a_head_that_drips_is_given_up(tmp_path: Path) -> None:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=drip, args=(listening, ended))
        server.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        with pytest.raises(RefusedError, match="had not answered whole after 1 s"):
            download(url, tmp_path / "x", 0, {}, lambda *_: None, Patience(silence=0.5))
        ended.set()
        server.join()
    assert not list(tmp_path.iterdir())
