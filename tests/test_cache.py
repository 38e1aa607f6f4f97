"""The cache: what comes out is what went in, whole or not at all."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from logbench import DataError, cache, prepare, run
from logbench.grouping import Grouped
from logbench.storage import whole

FULL = Grouped(
    units=pl.DataFrame(
        {
            "unit": ["a", "ü"],
            "label": [1, -1],
            "first_line": [0, 1],
            "last_line": [4, 1],
            "part": ["train", "test"],
        },
        schema_overrides={"label": pl.Int8},
    ),
    offsets=np.array([0, 2, 3], dtype=np.int64),
    codes=np.array([0, 1, 0], dtype=np.int32),
    lines=np.array([0, 4, 1], dtype=np.int64),
    messages=pl.Series("message", ["x\ny", ""]),
    times=np.array([-1, 5, 10**15], dtype=np.int64),
    line_labels=np.array([0, 1, -1], dtype=np.int8),
    facts={"lines": 5, "events": 3},
)
BARE = replace(FULL, times=None, line_labels=None, units=FULL.units.drop("part"), sequences=True)
notes: list[str] = []


def assert_same(found: Grouped, expected: Grouped) -> None:
    assert found.units.equals(expected.units) and found.units.schema == expected.units.schema
    assert found.messages.equals(expected.messages)
    assert found.facts == expected.facts and found.sequences == expected.sequences
    for name in ("offsets", "codes", "lines", "times", "line_labels"):
        mine, theirs = getattr(found, name), getattr(expected, name)
        assert (mine is None) == (theirs is None), name
        if theirs is not None:
            assert mine.dtype == theirs.dtype and mine.tolist() == theirs.tolist(), name


@pytest.mark.parametrize("value", [FULL, BARE], ids=["full", "bare"])
def test_grouped_lines_come_back(value: Grouped, own_cache: Path) -> None:
    assert not cache.has("k")
    cache.store("k", value, notes.append)
    assert cache.has("k") and not cache.has("other")
    assert_same(cache.load("k"), value)
    assert own_cache in Path(cache.entries()[0]["path"]).parents


def test_a_cache_that_cannot_be_written_is_done_without(own_cache: Path) -> None:
    own_cache.write_text("a file is in the way")
    said: list[str] = []
    cache.store("k", FULL, said.append)
    assert not cache.has("k") and len(said) == 1 and "without cache" in said[0]


def test_the_key_changes_with_every_fact() -> None:
    keys = [
        cache.key_of(a=1),
        cache.key_of(a=2),
        cache.key_of(b=1),
        cache.key_of(a=[1]),
        cache.key_of(a=1, b=None),
    ]
    assert len(set(keys)) == len(keys)
    assert cache.key_of(a=1, b=2) == cache.key_of(b=2, a=1)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    folder = tmp_path / "place"
    with pytest.raises(DataError if error is OSError else error), whole(folder / "kept") as target:
        (target / "half").write_text("written")
        raise error
    assert list(folder.iterdir()) == []


def test_whoever_is_first_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with whole(kept) as target:
        (target / "by").write_text("slow")
        assert not kept.exists(), "nothing is to be seen before the end"
        with whole(kept) as other:
            (other / "by").write_text("fast")
    assert (kept / "by").read_text() == "fast"
    assert [path.name for path in tmp_path.iterdir() if path.name != "own-cache"] == ["kept"]


def test_many_at_once_all_get_the_whole(own_cache: Path) -> None:
    gate = threading.Barrier(6)
    found: list[Grouped] = []
    errors: list[object] = []

    def work() -> None:
        gate.wait()
        try:
            for _ in range(3):
                cache.store("k", FULL, errors.append)
                found.append(cache.load("k"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and len(found) == 18
    for value in found:
        assert_same(value, FULL)
    assert [path.name for path in (own_cache / "grouped").iterdir()] == ["k"]


def test_clear_by_kind_and_leftovers(own_cache: Path) -> None:
    assert cache.entries() == [] and cache.clear() == 0
    cache.store("k", FULL, notes.append)
    leftover = own_cache / "grouped" / ".k2-abc"
    leftover.mkdir()
    (leftover / "half").write_bytes(b"12345")
    (own_cache / "digests.json").write_text("{}")
    kinds = {entry["kind"]: entry["bytes"] for entry in cache.entries()}
    assert set(kinds) == {"grouped", "leftover", "digests.json"} and kinds["leftover"] == 5
    assert cache.clear("leftover") == 5 and not leftover.exists()
    assert cache.has("k")
    assert cache.clear() == kinds["grouped"] + 2 and cache.entries() == []


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.mark.parametrize("reader", ["own", "hdfs"])
def test_a_log_that_changes_while_it_is_read_is_not_cached(
    reader: str, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    (data / "preprocessed").mkdir(parents=True)
    line = "081109 203500 1 INFO dfs.X: block blk_{}\n"
    (data / "HDFS.log").write_text("".join(line.format(n % 20) for n in range(60)))
    names = "".join(f"blk_{n},Normal\n" for n in range(20))
    (data / "preprocessed" / "anomaly_label.csv").write_text(f"BlockId,Label\n{names}")
    (data / "my.toml").write_text("files = 'HDFS.log'\nid = 'message'\nid_pattern = 'blk_[0-9]+'\n")
    known = prepare.digest_of

    def grown(*given: Any) -> str:
        monkeypatch.setattr(prepare, "digest_of", known)
        if reader == "own":  # it grows before it is hashed: its digest is of more than is read
            add(data / "HDFS.log", line.format(3))
            return known(*given)
        digest = known(*given)  # afterwards: more is read than its digest is of
        add(data / "HDFS.log", line.format(3))
        return digest

    monkeypatch.setattr(prepare, "digest_of", grown)
    chosen: dict[str, Any] = {"dataset": str(data / "my.toml") if reader == "own" else "hdfs", "data": data}
    chosen["settings"] = {"protocol": {"train": "ratio"}}
    lines = [run("markov", out=tmp_path / f"runs{n}", **chosen)[0].dataset["lines"] for n in range(2)]
    assert lines[1] == 61
    assert [entry["kind"] for entry in cache.entries()].count("grouped") == 1, "of the second run alone"
