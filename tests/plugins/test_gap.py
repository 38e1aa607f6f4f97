"""Sessions that end by silence: reused ids are other sessions, in files and in streams alike."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import logbench
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running.bundle import Bundle
from logbench_windowers.gap import GapSession

TOML = """files = ["train.log"]
pattern = '<Time> <Content>'
time = "Time"
time_format = "epoch"
id = "message"
id_pattern = 'worker-[0-9]+'
gap = "1m"
"""


def log(seed: int, count: int = 300) -> str:
    """Jobs of 2 to 4 lines on 12 workers, whose names come again some minutes later."""
    rng, rows = random.Random(seed), []
    for job in range(count):
        begin = 1_700_000_000 + 20 * job
        for step in range(rng.randrange(2, 5)):
            rows.append((begin + 10 * step, f"step {step} of worker-{job % 12}"))
    return "".join(f"{time} {text}\n" for time, text in sorted(rows))


def test_an_id_begins_anew_after_the_gap_whatever_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, now, rows, expected = random.Random(4), datetime(2026, 3, 1), [], []
    last: dict[str, datetime] = {}
    number: dict[str, int] = {}
    for _ in range(500):
        now += timedelta(seconds=rng.randrange(1, 20))
        name = f"w{rng.randrange(12)}"
        number[name] = number.get(name, 1) + (name in last and now - last[name] > timedelta(seconds=60))
        last[name] = now
        rows.append((now, name))
        expected.append(name if number[name] == 1 else f"{name}#{number[name]}")
    frame = pl.DataFrame(rows, schema={"time": pl.Datetime("us"), "id": pl.String}, orient="row")
    lines = frame.with_row_index("line").with_columns(message=pl.lit(""))
    for size in (7, 100_000):
        monkeypatch.setattr("logbench_windowers.column.FRAME", size)
        windower = GapSession("", "id", 60 * 10**6)
        assert windower.assign(lines.lazy()).collect()["unit"].to_list() == expected
    assert windower.label_of("w1#12") == "w1"


def test_reused_ids_are_sessions_of_their_own_in_a_file_and_in_a_stream(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text(log(1))
    (tmp_path / "my.toml").write_text(TOML)
    options = {"out": tmp_path / "runs", "save": tmp_path / "saved", "cache": False}
    (record,) = logbench.run("length", dataset=str(tmp_path / "my.toml"), **options)  # type: ignore[arg-type]
    assert record.error is None
    bundle = Bundle(tmp_path / "saved", Registry())
    (tmp_path / "new.log").write_text(log(2))
    whole = score_bundle(bundle, tmp_path / "new.log", "cpu", lambda *_: None)
    assert len(whole) == 300
    rows = log(2).splitlines(keepends=True)
    blocks = ["".join(rows[at : at + 7]).encode() for at in range(0, len(rows), 7)]
    stream = pl.concat(score_stream(bundle, iter(blocks), 1.0, "cpu", clock=lambda: 0.0))
    assert len(stream) == 300
    assert sorted(stream["events"].to_list()) == sorted(whole["events"].to_list())
    assert stream["verdict"].sum() == whole["verdict"].sum()
