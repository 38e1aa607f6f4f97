"""A jailed process reads nothing that is hidden and reaches no network, with namespaces or without."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CODE = """
import json, os, socket, sys
from logbench.base import jail

places, port, without = json.loads(sys.argv[1])
if without:
    def none(hidden):
        raise OSError("not allowed")
    jail._namespaces = none
found = [jail.enter(places)]
for place in places:
    for way in (os.listdir, lambda one: open(one).read(), lambda one: open(one + "/secret").read()):
        try:
            found.append(way(place))
        except OSError as error:
            found.append(type(error).__name__)
try:
    socket.create_connection(("127.0.0.1", port), timeout=1)
    found.append("network")
except OSError as error:
    found.append(type(error).__name__)
found.append(open(sys.argv[2]).read())
print(json.dumps(found))
"""


def jailed(folder: Path, *, without: bool) -> list[Any]:
    (folder / "hidden").mkdir()
    for name in ("hidden/secret", "key", "open"):
        (folder / name).write_text("words")
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = [[str(folder / "hidden"), str(folder / "key")], server.getsockname()[1], without]
        done = subprocess.run(
            [sys.executable, "-c", CODE, json.dumps(asked), str(folder / "open")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    found: list[Any] = json.loads(done.stdout)
    return found


def test_python_alone_refuses_where_there_are_no_namespaces(tmp_path: Path) -> None:
    walls, *tried, seen = jailed(tmp_path, without=True)
    assert walls == "python" and set(tried) == {"PermissionError"} and seen == "words"


def test_namespaces_hide_files_and_network(tmp_path: Path) -> None:
    walls, *tried, seen = jailed(tmp_path, without=False)
    if walls != "namespaces":
        pytest.skip("no namespaces here")
    assert "words" not in tried and "network" not in tried and seen == "words"
    assert (tmp_path / "hidden" / "secret").read_text() == "words", "nobody else notices"
