"""Alarms reach a real server: each at least once, in order, whatever fails in between."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from logbench.base.errors import ConfigError, DataError
from logbench.deploy.alarm_desk import AlarmDesk
from logbench.deploy.alarms import AlarmBook
from logbench.deploy.score_state import opened
from logbench.deploy.webhook import MOST, Webhook


class Server:
    """Answers with the next of `answers` (then with 200), and keeps what came."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.came: list[tuple[int, dict[str, Any]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                code = outer.answers.pop(0) if outer.answers else 200
                outer.came.append((code, body))
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/secret-path"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def kept(self) -> list[int]:
        """Ids of the alarms that were taken."""
        return [alarm["id"] for code, body in self.came if code == 200 for alarm in body["alarms"]]


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


def alarms(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "unit": f"u{number}", "text": "job failed"} for number in numbers]


def test_alarms_are_posted_as_json_with_a_text(server: Server) -> None:
    hook = Webhook(server.url, [], print)
    hook.send(alarms(1, 2))
    assert server.kept == [1, 2]
    assert server.came[0][1]["text"] == "logbench: 2 alarms\nu1: job failed\nu2: job failed"
    hook.send()
    assert len(server.came) == 1, "nothing is sent where there is nothing"


def test_what_fails_waits_and_is_said_once(server: Server) -> None:
    now, notes = [0.0], list[str]()
    hook = Webhook(server.url, [], notes.append, clock=lambda: now[0])
    server.answers = [500, 503, 302]
    for step, number in enumerate(range(1, 5)):
        now[0] = 1000.0 * step
        hook.send(alarms(number))
    assert server.kept == [1, 2, 3, 4]
    assert hook.waiting == []
    assert notes[0].startswith("webhook 127.0.0.1: answered 500")
    assert "1 alarm waits" in notes[0]
    assert notes[1:] == ["webhook 127.0.0.1: answers again, all alarms are sent"]
    assert "secret-path" not in " ".join(notes)


def test_a_stream_does_not_ask_again_at_once(server: Server) -> None:
    now = [0.0]
    hook = Webhook(server.url, [], lambda _: None, clock=lambda: now[0])
    server.answers = [500] * 3
    for _ in range(5):
        hook.send(alarms(len(server.came)))
    assert len(server.came) == 1
    now[0] = 5.0
    hook.send()
    assert len(server.came) == 2
    now[0] = 10.0
    hook.send()
    assert len(server.came) == 2, "the pause grew"


def test_the_end_tries_some_times_and_keeps_the_rest(server: Server) -> None:
    slept = list[float]()
    hook = Webhook(server.url, alarms(1), lambda _: None, sleep=slept.append)
    server.answers = [500, 500]
    assert hook.finish()
    assert (server.kept, slept) == ([1], [1.0, 4.0])
    server.answers = [404] * 3
    hook.waiting += alarms(2)
    assert not hook.finish()
    assert [one["id"] for one in hook.waiting] == [2]


def test_many_alarms_go_in_parts_and_those_that_were_taken_are_gone(server: Server) -> None:
    hook = Webhook(server.url, [], lambda _: None)
    server.answers = [200, 500]
    hook.send(alarms(*range(MOST + 20)))
    assert server.kept == list(range(MOST))
    assert [one["id"] for one in hook.waiting] == list(range(MOST, MOST + 20))


def test_nobody_there_is_a_failure_and_no_error(server: Server) -> None:
    server.http.shutdown()
    server.http.server_close()
    notes = list[str]()
    hook = Webhook(server.url, [], notes.append)
    hook.send(alarms(1))
    assert "cannot be reached (ConnectionError); 1 alarm waits" in notes[0]
    assert len(hook.waiting) == 1


def called(file: Path, server: Server, numbers: list[int], notes: list[str]) -> None:
    """One call of `score` with a state, whose alarms are made already."""
    with opened(file, "run-1") as state:
        hook = Webhook(server.url, list(state.waiting), notes.append, sleep=lambda _: None)
        desk = AlarmDesk(AlarmBook(300), 0.0, "m", state, webhook=hook)
        hook.waiting += alarms(*numbers)
        desk.finish()


def test_what_could_not_be_sent_is_kept_and_sent_by_the_next_call(server: Server, tmp_path: Path) -> None:
    file, notes = tmp_path / "s.json", list[str]()
    server.answers = [500] * 3
    called(file, server, [1, 2], notes)
    assert server.kept == []
    assert notes[-1] == f"2 alarms could not be sent: kept in {file}, the next call sends them"
    called(file, server, [3], notes)
    assert server.kept == [1, 2, 3]
    called(file, server, [], notes)
    assert server.kept == [1, 2, 3], "once"


def test_without_a_state_what_could_not_be_sent_is_an_error(server: Server) -> None:
    server.answers = [500] * 3
    hook = Webhook(server.url, alarms(1), lambda _: None, sleep=lambda _: None)
    with pytest.raises(DataError, match=r"1 alarm could not be sent .* with --state FILE"):
        AlarmDesk(AlarmBook(300), 0.0, "m", webhook=hook).finish()


@pytest.mark.parametrize("url", ["", "ftp://a/b", "https://", "hooks.example.org/x", "file:///etc/passwd"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="begins with https://"):
        Webhook(url, [], print)
