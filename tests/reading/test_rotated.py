"""Rotated files are read in the order in which they were written, and steps back in time are counted."""

from __future__ import annotations

import gzip
import itertools
import random
from pathlib import Path

import pytest

from logbench import LineFormat, open_lines
from logbench.reading.rotated import in_turn

FORM = LineFormat(pattern="<T> <Content>", time=("T",), time_format=("epoch",))


@pytest.mark.parametrize(
    "order",
    [
        ["app.log.10.gz", "app.log.9", "app.log.2", "app.log.1", "app.log"],
        ["app.log-20260227", "app.log-20260301.gz", "app.log"],
        ["web.log.3", "web.log.2", "web.log.1"],
    ],
)
def test_rotated_files_are_in_turn_by_name_and_by_time(order: list[str], tmp_path: Path) -> None:
    shuffled = sorted(order)
    assert [one.name for one in in_turn([tmp_path / name for name in shuffled], lambda _: None)] == order
    for number, name in enumerate(order):
        text = f"{1_700_000_000 + 100 * number} line {number}\n".encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    lines = open_lines(tmp_path, ["*.log*"], FORM)
    assert lines.frame.collect()["message"].to_list() == [f"line {number}" for number in range(len(order))]
    assert lines.counted is not None
    assert "lines_far_back_in_time" not in lines.counted()


def test_times_go_before_numbers_and_other_files_stay(tmp_path: Path) -> None:
    names = ["a.log", "a.log.1", "b.log", "part.1", "part.2"]
    begins = {"a.log": 1, "a.log.1": 2}
    found = in_turn([tmp_path / name for name in names], lambda file: begins.get(file.name))
    assert [file.name for file in found] == names


def test_steps_back_of_a_minute_are_counted_over_all_files(tmp_path: Path) -> None:
    rng = random.Random(1)
    times = [1_700_000_000 + 10 * at - 3 * rng.randrange(3) for at in range(50)]
    times[20] -= 500
    (tmp_path / "a.log").write_text("".join(f"{time} x\n" for time in times))
    (tmp_path / "b.log").write_text("".join(f"{time} x\n" for time in times))
    lines = open_lines(tmp_path, ["*.log"], FORM)
    lines.frame.collect()
    assert lines.counted is not None
    both = [*times, *times]
    expected = sum(after - before <= -60 for before, after in itertools.pairwise(both))
    assert lines.counted()["lines_far_back_in_time"] == expected == 3
