"""A stream of lines gets the verdicts of the whole file, however cut; sessions close by timeout or at the end."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import logbench
from logbench import DataError
from logbench.components.registry import Registry
from logbench.deploy.arriving import arriving
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running.bundle import Bundle

FOREVER = 1e12


def line(second: int, block: int, what: str = "Receiving") -> str:
    return f"081109 2035{second:02d} 143 INFO dfs.DataNode: {what} block blk_{block}\n"


LOG = "".join(
    [
        line(0, 1),
        line(1, 2),
        line(2, 1),
        "081109 203503 1 INFO dfs.X: no block is named\n",
        line(4, 3, "Näme"),
        line(5, 1),
    ]
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    """Length alone: sessions of other than two events alarm."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "data" / "preprocessed").mkdir(parents=True)
    (folder / "data" / "HDFS.log").write_text("".join(line(i, i) * 2 for i in range(10)), encoding="utf-8")
    labels = "BlockId,Label\n" + "".join(f"blk_{i},Normal\n" for i in range(10))
    (folder / "data" / "preprocessed" / "anomaly_label.csv").write_text(labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        protocol = {"train_units": 5, "held_out": 0.2, "min_events": 0}
        (record,) = logbench.run(
            "length", dataset="hdfs", data=folder / "data", settings={"protocol": protocol},
            out=folder / "runs", save=folder / "saved",
        )  # fmt: skip
        assert record.error is None
        yield Bundle(folder / "saved", Registry())


def streamed(bundle: Bundle, blocks: list[bytes], timeout: float = FOREVER) -> list[pl.DataFrame]:
    return list(score_stream(bundle, iter(blocks), timeout, "cpu", clock=lambda: 0.0))


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, len(LOG.encode())), max_size=6), ended=st.booleans())
def test_any_cut_gives_the_verdicts_of_the_file(
    bundle: Bundle, tmp_path: Path, cuts: list[int], ended: bool
) -> None:
    text = LOG.encode() if ended else LOG.encode()[:-1]
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    (frame,) = streamed(bundle, [text[a:b] for a, b in pairwise(edges)])
    file = tmp_path / "whole.log"
    file.write_bytes(text)
    whole = score_bundle(bundle, file, "cpu", lambda *_: None)
    assert frame.sort("unit").equals(whole.select(frame.columns).sort("unit"))
    assert frame.sort("unit")["verdict"].to_list() == [True, True, True]
    assert dict(frame.select("unit", "events").iter_rows()) == {"blk_1": 3, "blk_2": 1, "blk_3": 1}


def test_a_session_closes_when_the_log_has_moved_on(bundle: Bundle) -> None:
    blocks = [row.encode() for row in LOG.splitlines(keepends=True)]
    found = streamed(bundle, blocks, timeout=2.5)
    closed = [frame["unit"].to_list() for frame in found]
    assert closed == [["blk_2"], ["blk_1", "blk_3"]], "blk_2 ends 3 s before line 5; the others at the end"
    assert found[0]["line"].to_list() == [1] and found[0]["raw"].to_list() == [line(1, 2).strip()]
    again = streamed(bundle, blocks, timeout=0.5)
    events = [row for frame in again for row in frame.select("unit", "events").iter_rows()]
    assert events.count(("blk_1", 1)) == 3, "with too short a timeout each line is a session"
    assert sum(count for _, count in events) == 5, "no line is lost"


def test_a_silent_log_closes_sessions_by_the_clock(bundle: Bundle) -> None:
    ticks = iter([100.0, 100.0, 105.0, 120.0, 120.0])
    found = score_stream(bundle, iter([line(0, 1).encode(), b"", b""]), 10.0, "cpu", clock=lambda: next(ticks))
    assert next(found)["unit"].to_list() == ["blk_1"]
    assert next(ticks) == 120.0, "it closed at the second silence, before the end"


def test_bytes_come_as_they_are_written() -> None:
    read, write = os.pipe()
    blocks = arriving(read, 1.0)
    assert next(blocks) == b""
    os.write(write, b"one")
    assert next(blocks) == b"one"
    os.close(write)
    assert list(blocks) == []
    os.close(read)


def test_an_endless_line_is_refused(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbench.deploy.live_sessions.LONGEST", 10)
    with pytest.raises(DataError, match="a line of more than 10 bytes"):
        streamed(bundle, [b"x" * 6, b"y" * 6])


def test_a_packed_stream_is_refused(bundle: Bundle) -> None:
    with pytest.raises(DataError, match="is compressed; decompress it"):
        streamed(bundle, [gzip.compress(LOG.encode() * 999)])


def test_the_command_reads_standard_input(bundle: Bundle, tmp_path: Path) -> None:
    saved = next(iter(tmp_path.parent.glob("live*/saved")))
    command = [
        sys.executable,
        "-m",
        "logbench",
        "score",
        str(saved),
        "--data",
        "-",
        "--save",
        str(tmp_path / "all"),
    ]
    done = subprocess.run(command, input=LOG.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    alarms = [line for line in done.stdout.decode().splitlines() if line.startswith("ALARM")]  # with why below
    assert [alarm.split()[:2] for alarm in alarms] == [["ALARM", f"blk_{i}"] for i in (2, 3, 1)], "by time"
    assert "Näme block blk_3" in alarms[1] and "3 of 3 units alarm" in done.stderr.decode()
    assert pl.read_parquet(tmp_path / "all")["unit"].to_list() == ["blk_1", "blk_2", "blk_3"]
    nothing = subprocess.run(command[:-2], input=b"no unit here\n", capture_output=True, check=False)
    assert nothing.returncode == 2 and b"no line belongs to a unit" in nothing.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupted_pipe_scores_what_is_open(bundle: Bundle, tmp_path: Path) -> None:
    saved = next(iter(tmp_path.parent.glob("live*/saved")))
    command = [sys.executable, "-m", "logbench", "score", str(saved), "--data", "-", "--json", "--timeout", "0.5"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(line(0, 1).encode() + line(30, 2).encode())
        process.stdin.flush()
        first = process.stdout.readline()  # it reads by now
        process.stdin.write(b"".join(line(59, block).encode() for block in (7, 8)))
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        rest, said = process.stdout.read(), process.stderr.read()
    units = [json.loads(row)["unit"] for row in (first + rest).splitlines()]
    assert process.returncode == 0 and units[0] == "blk_1"
    assert sorted(units) == ["blk_1", "blk_2", "blk_7", "blk_8"]
    assert b"scoring open sessions" in said
