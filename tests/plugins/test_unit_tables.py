"""Parquet and tables whose rows are units, by a definition: every event, id, time and label as it stands there."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import logbench
from logbench import ConfigError, DataError
from logbench.components.registry import Registry
from logbench.running.resolve import dataset_called

UNITS: list[tuple[str, list[Any], int]] = [
    ("a", [5, 300, 5], 0),
    ("b", [7], 1),
    ("c", [], 0),
    ("d", [1, 2, 3], 0),
]


def opened(folder: Path, toml: str) -> logbench.Lines:
    (folder / "my.toml").write_text(toml)
    own = dataset_called(str(folder / "my.toml"), Registry()).item
    config = own.config()  # type: ignore[misc]
    lines = own.build(config).read(folder)
    assert isinstance(lines, logbench.Lines)
    return lines


def units_of(lines: logbench.Lines) -> dict[str, list[str]]:
    frame = lines.frame.collect()
    assert frame["line"].to_list() == list(range(len(frame)))
    return {str(name): part["message"].to_list() for (name,), part in frame.group_by("id", maintain_order=True)}


def table(events: Any) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "block": [name for name, _, _ in UNITS],
            "seq": [events(keys) for _, keys, _ in UNITS],
            "bad": [label for *_, label in UNITS],
        }
    )


WRITTEN = {
    "parquet": (lambda keys: keys, "parquet"),
    "csv": (lambda keys: "[" + ",".join(map(str, keys)) + "]", "csv"),
    "spaces": (lambda keys: " ".join(map(str, keys)), "csv"),
    "quoted": (lambda keys: json.dumps([str(key) for key in keys]), "csv"),
    "python": (lambda keys: str([str(key) for key in keys]), "csv"),
    "json": (lambda keys: keys, "json"),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_a_row_a_unit_gives_its_events_and_labels(how: str, tmp_path: Path) -> None:
    events, form = WRITTEN[how]
    frame = table(events)
    {"parquet": frame.write_parquet, "csv": frame.write_csv, "json": frame.write_ndjson}[form](tmp_path / "t")
    toml = f'files = "t"\nformat = "{form}"\nevents = "seq"\nid = "block"\nlabel = "bad"\nnormal = "0"\n'
    lines = opened(tmp_path, toml)
    assert units_of(lines) == {name: list(map(str, keys)) or ["(no event)"] for name, keys, _ in UNITS}
    assert lines.labels is not None
    assert dict(lines.labels().iter_rows()) == {name: label for name, _, label in UNITS}
    assert lines.frame.collect()["at"].n_unique() == len(UNITS)


def test_events_of_several_words_and_rows_without_an_id(tmp_path: Path) -> None:
    pl.DataFrame({"seq": [["open, file", 'say "x"\n'], ["close"]]}).write_parquet(tmp_path / "t.parquet")
    lines = opened(tmp_path, 'files = "*.parquet"\nformat = "Parquet"\nevents = "seq"\n')
    assert units_of(lines) == {"row 1": ["open, file", 'say "x"\n'], "row 2": ["close"]}


def test_rows_of_units_are_sessions(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("seq\n1 2\n")
    with pytest.raises(ConfigError, match="events: a row is a session; windower = count"):
        opened(tmp_path, 'files = "t"\nformat = "csv"\nevents = "seq"\nwindower = "count"\n')


def test_parquet_is_read_by_columns_as_json_lines_are(tmp_path: Path) -> None:
    start = dt.datetime(2026, 3, 1, 8, 0, 4, 667000)
    rows = pl.DataFrame(
        {
            "when": [start, start + dt.timedelta(seconds=1)],
            "zoned": pl.Series([start, start]).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
            "what": ["an event", "of two\nlines"],
            "host": pl.Series(["h1", "h2"], dtype=pl.Categorical),
            "more": [{"level": "INFO"}, {"level": None}],
            "bytes": [b"one", b"two"],
        }
    )
    rows.write_parquet(tmp_path / "t.parquet", row_group_size=1)
    toml = 'files = "*.parquet"\nformat = "parquet"\nmessage = "what"\nlevel = "more.level"\nnode = "host"\n'
    for time in ("when", "zoned"):
        frame = opened(tmp_path, toml + f'time = "{time}"\n').frame.collect()
        assert frame["message"].to_list() == rows["what"].to_list()
        assert (frame["level"].to_list(), frame["node"].to_list()) == (["INFO", None], ["h1", "h2"])
        assert frame["time"].to_list() == (rows["when"].to_list() if time == "when" else [start, start])
        assert (frame["file"][1], frame["at"][1]) == ("t.parquet", 2)


def test_parquet_that_is_damaged_or_none_is_told_in_a_line(tmp_path: Path) -> None:
    pl.DataFrame({"what": ["x"] * 1000}).write_parquet(tmp_path / "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    toml = 'files = "t.parquet"\nformat = "parquet"\nmessage = "what"\n'
    for damaged in (whole[:-20], whole[: len(whole) // 2], b"what\nx\n"):
        (tmp_path / "t.parquet").write_bytes(damaged)
        with pytest.raises(DataError, match=r"t\.parquet.*\b(again)$") as told:
            opened(tmp_path, toml).frame.collect()
        assert "\n" not in str(told.value)
