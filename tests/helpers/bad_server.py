"""A local server that behaves badly, and what a fetch from it leaves and says."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from logbench import Card, DataError
from logbench.reading.download import Patience
from logbench.reading.fetch import fetch

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
