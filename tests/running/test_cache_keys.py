"""What changes the key of the cache: options, data and definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logbench import run
from logbench.base import cache_folder
from logbench.components.configured import ConfiguredComponent, configured
from logbench.components.registry import Registry
from logbench.running import grouped_log, identity
from logbench.running.provenance import environment


def part(name: str = "new-event", **options: Any) -> ConfiguredComponent:
    return configured(Registry().get("model", name), options)


def test_the_key_changes_with_every_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    def keys() -> list[identity.Key]:
        ways = ({}, {"a": 1}, {"a": 2}, {"b": 1}, {"a": [1]}, {"a": 1, "b": None}, {"a": float("inf")})
        found = [identity.of({"model": part()}, **facts) for facts in ways]
        found.append(identity.of({"model": part("length")}))
        found += [identity.of({"model": part("deeplog", h=h)}) for h in (4, 5)]
        found.append(identity.of({"parser": part("deeplog", h=4)}))
        return found

    before = keys()
    assert len(set(before)) == len(before) and all(key.known for key in before)
    assert identity.of({"model": part()}, a=1, b=2) == identity.of({"model": part()}, b=2, a=1)
    for name, value in (("python", "9.9"), ("packages", {"polars": "0"})):
        monkeypatch.setattr(identity, "environment", lambda name=name, value=value: {**environment(), name: value})
        assert not {key.text for key in keys()} & {key.text for key in before}, name
    monkeypatch.undo()
    monkeypatch.setattr(identity, "core_digest", lambda: "other")
    assert not {key.text for key in keys()} & {key.text for key in before}
    assert [key.text[:12] for key in keys()] == [key.text[:12] for key in before], "what is asked for is the same"
    monkeypatch.setattr(identity, "core_digest", lambda: None)
    assert not any(key.known for key in keys()), "of code that is not known nothing may be kept"


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
    known = grouped_log.digest_of

    def grown(*given: Any, **options: Any) -> str:
        monkeypatch.setattr(grouped_log, "digest_of", known)
        if reader == "own":  # it grows before it is hashed: its digest is of more than is read
            add(data / "HDFS.log", line.format(3))
            return known(*given, **options)
        digest = known(*given, **options)  # afterwards: more is read than its digest is of
        add(data / "HDFS.log", line.format(3))
        return digest

    monkeypatch.setattr(grouped_log, "digest_of", grown)
    chosen: dict[str, Any] = {"dataset": str(data / "my.toml") if reader == "own" else "hdfs", "data": data}
    chosen["settings"] = {"protocol": {"train": "ratio"}}
    lines = [run("markov", out=tmp_path / f"runs{n}", **chosen)[0].dataset["lines"] for n in range(2)]
    assert lines[1] == 61
    assert [entry["kind"] for entry in cache_folder.entries()].count("grouped") == 1, "of the second run alone"


# One unit trains.
ONE: dict[str, Any] = {"protocol": {"train": "random", "train_units": "1", "held_out": "0"}}


def folders(root: Path, *names: str) -> Path:
    """A log of two nodes, each in a folder of its own, and its definition."""
    for number, name in enumerate(names):
        (root / name).mkdir(parents=True)
        (root / name / "app.log").write_text("".join(f"step {n % 5} of {number}\n" for n in range(40)))
    (root / "my.toml").write_text("files = '*/app.log'\nwindower = 'file'\n")
    return root / "my.toml"


def test_a_folder_that_gets_another_name_is_other_data(tmp_path: Path) -> None:
    """Files are called alike, and units are named after their folders."""

    def units(definition: Path) -> tuple[list[str], str]:
        (record,) = run("length", dataset=str(definition), out=tmp_path / "runs", settings=ONE)
        assert record.status == "ok", record.error
        frame = pl.read_parquet(tmp_path / "runs" / record.artifacts["scores"])
        return sorted(frame["unit"].to_list()), record.dataset["digest"]

    definition = folders(tmp_path / "logs", "n1", "n2", "n3")
    before = units(definition)
    (tmp_path / "logs" / "n1").rename(tmp_path / "logs" / "a")
    (tmp_path / "logs" / "n2").rename(tmp_path / "logs" / "b")
    (tmp_path / "logs" / "n3").rename(tmp_path / "logs" / "c")
    after = units(definition)
    assert all(name.startswith(("a", "b", "c")) for name in after[0])
    assert after[1] != before[1]


def test_an_edited_definition_of_own_logs_is_read_anew(tmp_path: Path) -> None:
    log = "".join(f"job {n % 4} step {n % 3}\n" for n in range(60))
    (tmp_path / "a.log").write_text(log)
    found = []
    for pattern in ("job [0-9]+", "step [0-9]+"):
        (tmp_path / "my.toml").write_text(f"files = 'a.log'\nid = 'message'\nid_pattern = '{pattern}'\n")
        (record,) = run("length", dataset=str(tmp_path / "my.toml"), out=tmp_path / "runs", settings=ONE)
        assert record.status == "ok", record.error
        found.append(record.dataset["sessions"])
    assert found == [4, 3]
