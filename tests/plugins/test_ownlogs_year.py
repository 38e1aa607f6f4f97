"""The year of times that tell none: no line is younger than its file."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from logbench_ownlogs.completion import completed


@pytest.mark.parametrize(
    ("first", "written", "year"),
    [
        ("Dec 30", dt.datetime(2026, 1, 2), 2025),  # begun before New Year, ended after it
        ("Dec 10", dt.datetime(2026, 11, 29), 2025),
        ("Jan  2", dt.datetime(2026, 11, 29), 2026),
        ("Nov 30", dt.datetime(2026, 11, 29, 23), 2026),  # a clock an hour fast
        ("Feb 29", dt.datetime(2024, 3, 1), 2024),
    ],
)
def test_the_first_line_is_not_younger_than_its_file(
    first: str, written: dt.datetime, year: int, tmp_path: Path
) -> None:
    log = tmp_path / "messages.log"
    log.write_text("".join(f"{first} 00:00:0{n} web sshd[12]: session opened for user u{n}\n" for n in range(5)))
    stamp = written.replace(tzinfo=dt.UTC).timestamp()
    os.utime(log, (stamp, stamp))
    values = completed(tmp_path / "my.toml", {"files": ["messages.log"], "format": "syslog"})
    assert values["year"] == year
