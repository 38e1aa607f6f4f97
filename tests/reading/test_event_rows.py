"""Lines of an event are found by one rule, wherever the file is cut into chunks."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from logbench import LineFormat, open_lines
from logbench.reading import byte_streams, event_rows, multi_line

WAIT, LONGEST = 4, 400
DOCKER: dict[str, Any] = {"format": "json", "message": "log", "stream": "s", "pieces": "newline"}
CRI: dict[str, Any] = {
    "format": "regex", "pattern": "^(?P<s>[oe]) (?P<Tag>[PF]) (?P<Content>.*)$", "stream": "s", "pieces": "Tag=P"
}  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_rows, "WAIT", WAIT)
    monkeypatch.setattr(multi_line, "WAIT", WAIT)
    monkeypatch.setattr(multi_line, "LONGEST_ENTRY", LONGEST)


def read(
    folder: Path, lines: list[str], form: LineFormat, chunk: int, patch: pytest.MonkeyPatch
) -> list[tuple[int, str]]:
    (folder / "a.log").write_text("".join(f"{line}\n" for line in lines))
    patch.setattr(byte_streams, "CHUNK", chunk)
    frame = open_lines(folder, ["a.log"], form).frame.select("at", "message").collect()
    return frame.rows()


def messages(pieces: list[tuple[str, str, bool]], sizes: list[int], newline: bool) -> list[tuple[int, str]]:
    """First line and text of each message, line by line: pieces are stream, text, and whether it goes on."""
    done: list[tuple[int, str]] = []
    open_: dict[str, tuple[list[int], int]] = {}

    def close(stream: str, whole: bool) -> None:
        at, _ = open_.pop(stream)
        if not whole and newline and not any(not pieces[i][2] for i in range(at[-1] + 1)):
            done.extend((i + 1, pieces[i][1]) for i in at)
        else:
            done.append((at[0] + 1, "".join(pieces[i][1] for i in at)))

    for i, (stream, _, goes_on) in enumerate(pieces):
        if stream in open_ and (i - open_[stream][0][-1] > WAIT or open_[stream][1] > LONGEST):
            close(stream, False)
        at, size = open_.get(stream, ([], 0))
        open_[stream] = [*at, i], size + (max(sizes[i], LONGEST // WAIT) if newline else sizes[i])
        if not goes_on:
            close(stream, True)
    for stream in list(open_):
        close(stream, False)
    return sorted(done)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("newline", [True, False])
def test_pieces_join_alike_wherever_the_file_is_cut(
    newline: bool, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    often = rng.choice([0.1, 0.5, 0.9, 1.0])  # 1: no message ends
    pieces = [
        (rng.choice("oooe"), f"{i} {'x' * rng.choice([1, 1, 90])}", rng.random() < often) for i in range(120)
    ]
    if newline:
        lines = [json.dumps({"log": text + "\n" * (not on), "s": stream}) for stream, text, on in pieces]
        form = LineFormat(**DOCKER)
    else:
        lines = [f"{stream} {'FP'[on]} {text}" for stream, text, on in pieces]
        form = LineFormat(**CRI)
    wanted = messages(pieces, [len(line) for line in lines], newline)
    for chunk in (1 << 20, 1, 150, 1000):
        assert read(tmp_path, lines, form, chunk, monkeypatch) == wanted


@pytest.mark.parametrize("stream", [False, True])
def test_an_event_that_grows_too_long_ends_at_the_same_line(
    stream: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(1)
    texts = [("  at " if rng.random() < 0.97 else "begins ") + f"{i}" * rng.randint(1, 9) for i in range(300)]
    wanted: list[tuple[int, str]] = []
    size = 0
    for i, text in enumerate(texts):
        line = len(json.dumps({"log": text, "s": "o"})) if stream else len(text)
        if wanted and text.startswith(" ") and size <= LONGEST:
            wanted[-1], size = (wanted[-1][0], f"{wanted[-1][1]}\n{text}"), size + 1 + line
        else:
            wanted, size = [*wanted, (i + 1, text)], line
    lines = [json.dumps({"log": text, "s": "o"}) if stream else text for text in texts]
    own = {"format": "json", "message": "log", "stream": "s"} if stream else {}
    form = LineFormat(**own, traces=True)  # type: ignore[arg-type]
    for chunk in (1 << 20, 1, 150, 1000):
        assert read(tmp_path, lines, form, chunk, monkeypatch) == wanted
