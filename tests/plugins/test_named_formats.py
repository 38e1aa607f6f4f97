"""Named formats: each reads its own example, is found by it, and nests; envelopes give the events within."""

from __future__ import annotations

import json
import os
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logbench import ConfigError, open_lines
from logbench_ownlogs.definition import OwnLog, load
from logbench_ownlogs.named import named, names
from logbench_ownlogs.sniff import ENOUGH, best, fit, matching

HEADERS = {"windows-events", "windows-powershell", "zeek", "w3c"}
# Where the example's clock is not 08:00:04 of 1 March 2026 in UTC.
TIMES = {
    "syslog": datetime(2026, 10, 11, 22, 14, 15),
    "syslog-5424": datetime(2026, 3, 1, 22, 14, 15, 3000),
    "access": datetime(2026, 3, 1, 7, 0, 4),
    "postgresql": datetime(2026, 3, 1, 7, 0, 4, 667000),
    "logcat": datetime(2026, 3, 17, 16, 13, 38, 811000),
}
# Messages that are made of other fields than the text `an event`.
MESSAGES = {
    "syslog": "'su root' failed for lonvick on /dev/pts/8",
    "syslog-5424": "an application event",
    "access": "GET 200",
    "haproxy": "app GET 200 ----",
    "nginx-error": "an event, client: 192.0.2.7",
    "windows-events": "Service Control Manager 7036 an event\nof two lines",
    "zeek": "tcp http SF",
    "zeek-json": "tcp http SF",
    "w3c": "GET 200",
}


def lines_of(own: OwnLog) -> pl.DataFrame:
    return open_lines(Path(own.folder), own.files, own.line_format).frame.collect()


def define(folder: Path, text: str, toml: str) -> OwnLog:
    (folder / "a.log").write_bytes(text.encode())
    os.utime(folder / "a.log", (1_798_000_000, 1_798_000_000))  # December 2026
    (folder / "my.toml").write_text(f'files = ["a.log"]\n{toml}')
    return load(folder / "my.toml")


@pytest.mark.parametrize("name", names())
def test_a_format_reads_its_own_example(name: str, tmp_path: Path) -> None:
    own = define(tmp_path, named(name).example + "\n", f'format = "{name}"')
    (row,) = lines_of(own).iter_rows(named=True)
    assert row["matched"]
    assert row["message"] == MESSAGES.get(name, "an event")
    expected = TIMES.get(name, datetime(2026, 3, 1, 8, 0, 4))
    if name == "logback":  # a clock without a day: that on which the file was written
        expected = datetime.combine(datetime(2026, 12, 23).date(), expected.time())
    assert abs(row["time"] - expected) < timedelta(seconds=1e-6 if name in TIMES else 1)
    found = fit(named(name).example.split("\n"), named(name))
    assert found is not None
    assert found.share == 1


def test_the_format_of_a_log_is_found_by_its_lines(shared_data: Path) -> None:
    known = {"Android": "logcat", "Hadoop": "log4j", "Mac": "syslog", "OpenStack": "oslo", "BGL": "bgl"}
    for system, name in known.items():
        text = (shared_data / "loghub_2k" / system / f"{system}_2k.log").read_text(errors="replace")
        found = best(text.splitlines()[:400])
        assert found is not None
        assert found.format.name == name
    assert best(["no time", "in these", "lines at all"]) is None


def cri(text: str, stream: str = "stdout", tag: str = "F") -> str:
    return f"2026-03-01T08:00:04.667000007Z {stream} {tag} {text}\n"


@pytest.mark.parametrize("name", ["python", "syslog", "json-lines", "haproxy"])
def test_only_formats_that_fit_too_few_lines_are_passed_over(name: str) -> None:
    rng = random.Random(name)
    lines = [named(name).example.splitlines()[-1] for _ in range(40)]
    for odd in ("", "\tat a.B.c(B.java:1)", "x\r", "\x1b[31mred\x1b[0m", named("log4j").example):
        lines[rng.randrange(len(lines))] = odd
    may_fit, passed = matching(lines), 0
    for other in map(named, names()):
        if not may_fit(other):
            passed += 1
            assert (found := fit(lines, other)) is None or found.share < ENOUGH, other.name
    assert may_fit(named(name)) and passed > 15


def test_pieces_and_traces_join_within_their_stream_and_the_applications_line_is_read(tmp_path: Path) -> None:
    head = "2026-03-01 07:59:59,123 WARN [main] "
    text = (
        cri(f"{head}first ", tag="P")
        + cri("java.io.IOException: pipe", "stderr")
        + cri("\tat a.B.c(B.java:1)", "stderr")
        + cri("half", tag="P")
        + cri(" and rest", tag="F")
        + cri("Caused by: x")
        + cri(f"{head}second")
    )
    frame = lines_of(define(tmp_path, text, 'format = "cri"'))
    by_message = dict(zip(frame["message"], frame["level"], strict=True))
    assert by_message == {
        "first half and rest\nCaused by: x": "WARN",
        "java.io.IOException: pipe\n\tat a.B.c(B.java:1)": None,
        "second": "WARN",
    }
    assert set(frame["at"]) == {1, 2, 7}


def test_a_line_of_no_container_keeps_its_text_beside_events_of_several_lines(tmp_path: Path) -> None:
    texts = ["up", "java.io.IOException: pipe", "\tat a.B.c(B.java:1)"]
    rows = [json.dumps({"log": f"{text}\n", "stream": "stdout"}) for text in texts]
    own = define(tmp_path, "\n".join([*rows, "not JSON", "nor this"]), 'format = "docker"\ninner = []')
    frame = lines_of(own)
    assert "up\njava.io.IOException: pipe\n\tat a.B.c(B.java:1)" in frame["message"].to_list()
    assert frame.filter(~pl.col("matched"))["message"].to_list() == ["not JSON", "nor this"]


def test_formats_nest_to_any_depth(tmp_path: Path) -> None:
    innermost = {"msg": "an event", "level": "warn", "order": {"id": 7}}
    row = {"log": json.dumps({"payload": json.dumps(innermost), "level": "info"}) + "\n", "stream": "stdout"}
    log = json.dumps(row) + "\n"
    toml = (
        'format = "json"\nmessage = "log"\ninner = [{format = "json", message = "payload"}, "json"]\nlevel = "lvl"'
    )
    (got,) = lines_of(define(tmp_path, log * 1, toml)).iter_rows(named=True)
    assert (got["message"], got["level"]) == ("an event", "warn")
    own = define(tmp_path, log, 'format = "json"\nmessage = "log.payload.msg"\nid = "log.payload.order.id"')
    (got,) = lines_of(own).iter_rows(named=True)
    assert (got["message"], got["id"]) == ("an event", "7")
    relayed = f"<34>Oct 11 22:14:15 host shop[1]: {json.dumps(innermost)}\n"
    (got,) = lines_of(define(tmp_path, relayed, 'format = "syslog"\ninner = "json"')).iter_rows(named=True)
    assert (got["message"], got["level"], got["node"]) == ("an event", "warn", "host")


@pytest.mark.parametrize("value", ["a text", [97, 32, 116, 101, 120, 116], 17, True, {"a": 1}, [300, 1]])
def test_json_values_that_are_no_texts_are_read_as_what_they_mean(value: Any, tmp_path: Path) -> None:
    log = json.dumps({"MESSAGE": value}) + "\n"
    (got,) = lines_of(define(tmp_path, log, 'format = "json"\nmessage = "MESSAGE"')).iter_rows(named=True)
    plain = json.dumps(value, separators=(",", ":"))
    expected = value if isinstance(value, str) else "a text" if plain.startswith("[97") else plain
    assert got["message"] == expected


def test_documents_of_many_events_are_their_events(tmp_path: Path) -> None:
    events = [{"timestamp": 1772352004667 + i, "message": f"event {i}", "logStreamName": "w"} for i in range(5)]
    frame = lines_of(define(tmp_path, json.dumps({"events": events}, indent=4), 'format = "cloudwatch"'))
    assert frame["message"].to_list() == [one["message"] for one in events]
    assert frame["node"].unique().to_list() == ["w"]


def test_a_format_file_of_lnav_is_a_definition(tmp_path: Path) -> None:
    regex = {"std": {"pattern": r"^(?<timestamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\|(?<level>\w++)\|(?<body>.*)$"}}
    (tmp_path / "my_log.json").write_text(json.dumps({"$schema": "x", "my_log": {"title": "t", "regex": regex}}))
    own = define(tmp_path, "2026-03-01 08:00:04|INFO|an event\n  more\n", 'format = "lnav:my_log.json"')
    (got,) = lines_of(own).iter_rows(named=True)
    assert (got["message"], got["level"]) == ("an event\n  more", "INFO")
    assert got["time"] == datetime(2026, 3, 1, 8, 0, 4)
    with pytest.raises(ConfigError, match=r"my_lag\.json"):
        define(tmp_path, "", 'format = "lnav:my_lag.json"')


def test_what_is_no_format_is_refused_with_the_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'syslog'"):
        define(tmp_path, "", 'format = "syslg"')


def test_streams_that_interleave_keep_the_order_of_their_lines_wherever_the_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(7)
    text, expected = "", []
    for number in range(600):
        stream = "stderr" if rng.random() < 0.03 else "stdout"
        trace = rng.random() < 0.2
        text += cri(f"event {number}", stream)
        expected.append(f"event {number}" + "\n\tat a.B.c(B.java:1)" * trace)
        text += cri("\tat a.B.c(B.java:1)", stream) * trace
    for size in (300, 4 << 20):
        monkeypatch.setattr("logbench.reading.byte_streams.CHUNK", size)
        frame = lines_of(define(tmp_path, text, 'format = "cri"\ninner = []'))
        assert frame["message"].to_list() == expected
        assert frame["at"].is_sorted()


def test_of_a_file_of_lnav_the_format_that_fits_is_taken_or_the_one_that_is_named(tmp_path: Path) -> None:
    stamp = r"(?<timestamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
    formats = {
        "bars_log": {"regex": {"std": {"pattern": rf"^{stamp}\|(?<level>\w+)\|(?<body>.*)$"}}},
        "made_log": {"converter": {"type": "application/x"}},
        "arrow_log": {"regex": {"std": {"pattern": rf"^{stamp} (?<level>\w+)->(?<body>.*)$"}}},
    }
    (tmp_path / "all.json").write_text(json.dumps(formats))
    line = "2026-03-01 08:00:04 INFO->an event\n"
    for name in ("lnav:all.json", "lnav:all.json#arrow_log", "lnav:all.json#Arrow Log"):
        (got,) = lines_of(define(tmp_path, line, f'format = "{name}"')).iter_rows(named=True)
        assert (got["message"], got["level"]) == ("an event", "INFO")
    (got,) = lines_of(define(tmp_path, line, 'format = "lnav:all.json#bars_log"')).iter_rows(named=True)
    assert not got["matched"]
    with pytest.raises(ConfigError, match="it has no such format; did you mean 'arrow_log'"):
        define(tmp_path, line, 'format = "lnav:all.json#arow_log"')


def test_formats_and_windowers_are_found_in_any_case(tmp_path: Path) -> None:
    own = define(tmp_path, named("syslog").example + "\n", 'format = "Syslog"\nwindower = "Time"')
    assert own.grouped_by == "time" and lines_of(own)["matched"].all()


@pytest.mark.parametrize(("system", "name"), [("HPC", "hpc"), ("Proxifier", "proxifier")])
def test_every_line_of_these_logs_is_read(system: str, name: str, shared_data: Path) -> None:
    folder = shared_data / "loghub_2k" / system
    lines = (folder / f"{system}_2k.log").read_text(errors="replace").splitlines()
    found = best(lines[:400])
    assert found is not None and found.format.name == name
    whole = fit(lines, named(name))
    assert whole is not None and whole.share == 1
