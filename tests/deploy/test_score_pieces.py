"""Own logs by a pipe: events of several lines and tables score as in a file, however they are cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import logbench
from logbench.components.registry import Registry
from logbench.data.line_format import LineFormat
from logbench.deploy.pipe import Pieces
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running.bundle import Bundle

TRACES = (
    "".join(f"INFO s{i} started\n  at a\n  at b\nINFO s{i} done\n" for i in range(6)) + "INFO s6 started\n  at c\n"
)
TABLE = "Session,Content\n" + "".join(f's{i},"one, ""two"""\ns{i},"three\nfour"\n' for i in range(6))
TIMES = "".join(f"{100 + 4 * i} s{i} begin\nno time\n" for i in range(20))
LOGS = {
    "times": (
        TIMES,
        'pattern = "<Time> s<Session> <Content>"\ntime = "Time"\ntime_format = "epoch"\n'
        'windower = "time"\nwindow = "10s"\n',
    ),
    "traces": (TRACES, 'pattern = "<Level> <Session> <Content>"\nmultiline = true\n'),
    "table": (TABLE, 'format = "csv"\nmultiline = true\n'),
    "flat table": (TABLE.replace("three\nfour", "three"), 'format = "csv"\n'),
}


@pytest.fixture(scope="module", params=list(LOGS))
def saved(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bundle, Path]]:
    folder, (text, form) = tmp_path_factory.mktemp("pieces"), LOGS[request.param]
    (folder / "a.log").write_text(text)
    (folder / "my.toml").write_text(f'files = "a.log"\nid = "Session"\nparser = "none"\n{form}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        (record,) = logbench.run(
            "new-event", dataset=str(folder / "my.toml"), out=folder / "runs", save=folder / "saved",
            settings={"protocol": {"train_ratio": 0.5, "held_out": 0.3}},
        )  # fmt: skip
        assert record.error is None
        yield Bundle(folder / "saved", Registry()), folder / "a.log"


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_a_pipe_gives_the_verdicts_of_the_file(saved: tuple[Bundle, Path], size: int) -> None:
    bundle, path = saved
    text = path.read_bytes()
    blocks = [text[at : at + size] for at in range(0, len(text), size)]
    wanted = ["unit", "score", "verdict", "events", "line", "at", "raw"]
    streamed = pl.concat(score_stream(bundle, iter(blocks), 1e9, "cpu", lambda: 0.0)).sort("unit")
    whole = score_bundle(bundle, path, "cpu", lambda *_: None).sort("unit")
    assert streamed.select(wanted[:-1]).rows() == whole.select(wanted[:-1]).rows()
    alarms = whole.filter("verdict")
    assert streamed.filter("verdict").select(wanted).rows() == alarms.select(wanted).rows()


def test_what_was_not_read_is_told_of_a_pipe_as_of_a_file(saved: tuple[Bundle, Path], tmp_path: Path) -> None:
    bundle, path = saved
    odd = tmp_path / "odd.log"
    odd.write_text(path.read_text() + "odd\n")
    told: list[list[str]] = [[], []]
    list(score_stream(bundle, iter(odd.read_bytes().splitlines(True)), 1e9, "cpu", lambda: 0.0, told[0].append))
    score_bundle(bundle, odd, "cpu", lambda *_: None, told[1].append)
    assert told[0] == told[1]
    if bundle.parts["dataset"].as_dict()["format"] == "csv":
        assert told[0] == ["1 line without unit, 1 unmatched line"]


def test_an_event_is_whole_once_nothing_came_for_a_while() -> None:
    pieces = Pieces(LineFormat(pattern="<Level> <Content>: x", message="Content", multiline=True))
    assert pieces.take(b"INFO a: x\n  at b\n") == b""
    assert pieces.take(b"  at c\nINFO d: x\n") == b"INFO a: x\n  at b\n  at c\n"
    assert pieces.rest() == b"INFO d: x\n"
    assert pieces.rest() == b""
