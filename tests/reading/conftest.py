"""A server to fetch from."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from bad_server import Handler, Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that behaves as the first folder of a path says."""
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
