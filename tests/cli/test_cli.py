"""The commands as a user types them: what is printed where, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest

from logbench.cli import COMMANDS, cli
from logbench.running.stored import record_sum

Run = Callable[..., subprocess.CompletedProcess[str]]
BASELINE = ("run", "new-event+length", "--dataset", "hdfs")


def typed_in(home: Path) -> Run:
    """The command in a folder of its own, with a cache of its own."""

    def run(*words: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "LOGBENCH_CACHE": str(home / "cache"), **(env or {})}
        command = [sys.executable, "-m", "logbench", *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=home, env=variables, timeout=300, check=False
        )

    return run


@pytest.fixture
def logbench(tmp_path: Path) -> Run:
    return typed_in(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of 40 normal blocks of 14 lines and 2 anomalies, in HDFS's layout."""
    write_hdfs(tmp_path / "data")
    return tmp_path / "data"


def write_hdfs(target: Path, end: str = "\n") -> None:
    lines, labels = [], ["BlockId,Label"]
    for block in range(42):
        bad = block in (30, 41)
        labels.append(f"blk_{block},{'Anomaly' if bad else 'Normal'}")
        for number in range(14):
            what = (
                "Strange end of" if bad and number == 13 else "Receiving block" if number % 2 else "Served block"
            )
            lines.append(f"081109 20{block:02d}{number:02d} 148 INFO dfs.DataNode$DataXceiver: {what} blk_{block}")
    (target / "preprocessed").mkdir(parents=True)
    (target / "HDFS.log").write_bytes((end.join(lines) + end).encode())
    (target / "preprocessed" / "anomaly_label.csv").write_bytes((end.join(labels) + end).encode())


SMALL = ("--set", "protocol.train_units=20")


@dataclass(frozen=True)
class Twice:
    """Two seeds were run with `--json` in a folder, for all tests that only look at what there is then."""

    logbench: Run
    home: Path
    out: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def of(self, data: Path, *words: str) -> dict[str, Any]:
        """The record of one more run, on other data, that leaves those of the folder alone."""
        done = self.logbench(*BASELINE, "--data", data, *SMALL, "--json", "--out", "other", *words)
        record: dict[str, Any] = json.loads(done.stdout)
        return record


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Twice:
    home = tmp_path_factory.mktemp("twice")
    write_hdfs(home / "data")
    logbench = typed_in(home)
    done = logbench(*BASELINE, "--data", home / "data", *SMALL, "--json", "--seeds", "2")
    assert done.returncode == 0, done.stderr
    return Twice(logbench, home, done.stdout)


def test_run_prints_a_table_and_keeps_a_record(logbench: Run, folder: Path) -> None:
    done = logbench(*BASELINE, "--data", folder, *SMALL)
    assert done.returncode == 0, done.stderr
    assert "new-event+length" in done.stdout and "rule: unseen or short" in done.stdout
    assert "next: logbench show" in done.stderr
    shown = logbench("show", "last", "--top", "1")
    assert "Strange end of blk_30" in shown.stdout, shown.stderr


def test_json_is_all_that_standard_output_carries(twice: Twice) -> None:
    assert [record["seed"] for record in twice.records] == [0, 1]
    stored = (twice.home / "runs" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in stored][:2] == twice.records


def test_counts_add_up(twice: Twice) -> None:
    for record in twice.records:
        assert record["dataset"]["lines"] == 42 * 14 and record["dataset"]["sessions"] == 42
        split = record["split"]
        assert split["train"] + split["held_out"] == 20 and split["test"] == 22
        metrics = record["metrics"]["session"]["all"]
        assert sum(metrics[cell] for cell in ("tp", "fp", "tn", "fn")) == record["counts"]["scored"] == 22


def test_crlf_reads_the_same(twice: Twice, tmp_path: Path) -> None:
    write_hdfs(tmp_path / "crlf", end="\r\n")
    one, two = twice.records[0], twice.of(tmp_path / "crlf")
    assert one["metrics"] == two["metrics"] and one["split"] == two["split"]


def test_zip_reads_as_the_folder(twice: Twice, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "HDFS_v1.zip", "w") as archive:
        for path in (twice.home / "data").rglob("*.*"):
            archive.write(path, path.relative_to(twice.home / "data").as_posix())
    one, two = twice.records[0], twice.of(tmp_path / "HDFS_v1.zip")
    assert one["metrics"] == two["metrics"] and one["split"] == two["split"]


def test_same_command_same_scores(twice: Twice) -> None:
    one, two = twice.records[0], twice.of(twice.home / "data")
    assert one["metrics"] == two["metrics"] and two["stages"]["read"]["cached"]
    scores = [pl.read_parquet(twice.home / out / record["artifacts"]["scores"])
              for out, record in (("runs", one), ("other", two))]  # fmt: skip
    assert scores[0].equals(scores[1])


def test_compare_and_rescore(twice: Twice) -> None:
    runs = [record["run_id"] for record in twice.records]
    same = twice.logbench("compare", *runs)
    assert same.returncode == 0, same.stderr
    rescored = twice.logbench("rescore", runs[0], "--set", "protocol.unseen=ignore", "--json", "--out", "runs")
    new = json.loads(rescored.stdout)
    assert new["metrics"]["session"]["all"]["recall"] == 0 and not rescored.stderr.startswith("error")
    unlike = twice.logbench("compare", runs[0], new["run_id"])
    assert unlike.returncode == 2 and "unseen: target against ignore" in unlike.stderr


def test_worse_run_exits_1(twice: Twice) -> None:
    good = twice.records[0]
    bad = json.loads(json.dumps(good).replace(good["run_id"], "worse"))
    bad["metrics"]["session"]["all"]["f1"] -= 0.1
    bad["checksums"]["record"] = record_sum(bad)
    (twice.home / "worse").mkdir()
    lines = "".join(json.dumps(record) + "\n" for record in (good, bad))
    (twice.home / "worse" / "records.jsonl").write_text(lines, encoding="utf-8")
    words = ("compare", good["run_id"], "worse", "--out", "worse")
    assert twice.logbench(*words).returncode == 1
    assert twice.logbench(*words, "--tolerance", "0.2").returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_an_example_and_begins_as_the_list_of_commands_says(command: str) -> None:
    loaded = cli.get_command(click.Context(cli), command)
    assert loaded is not None
    last = loaded.get_help(click.Context(loaded)).rstrip().split("\n\n")[-1]
    assert last.strip().startswith("Example: logbench")
    assert loaded.get_short_help_str(limit=1000) == COMMANDS[command]


@pytest.mark.parametrize("command", [(), ("parsers",)])
def test_a_command_without_words_shows_its_help(logbench: Run, command: tuple[str, ...]) -> None:
    done = logbench(*command)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("Usage: logbench") and len(done.stderr.splitlines()) > 8


def damaged(folder: Path, how: str) -> Sequence[str | Path]:
    """Damage the data; what to type then."""
    log, labels = folder / "HDFS.log", folder / "preprocessed" / "anomaly_label.csv"
    if how == "missing":
        return (*BASELINE, "--data", folder / "nowhere")
    if how == "wrong zip":
        (folder / "x.zip").write_bytes(b"this is no archive")
        return (*BASELINE, "--data", folder / "x.zip")
    if how == "truncated zip":
        with zipfile.ZipFile(folder / "x.zip", "w") as archive:
            archive.write(log, "HDFS.log")
        (folder / "x.zip").write_bytes((folder / "x.zip").read_bytes()[:-30])
        return (*BASELINE, "--data", folder / "x.zip")
    if how == "empty log":
        log.write_bytes(b"")
    elif how == "no labels":
        labels.unlink()
    elif how == "other label":
        labels.write_text(labels.read_text().replace("blk_3,Normal", "blk_3,Perhaps"))
    elif how == "two labels":
        labels.write_text(labels.read_text() + "blk_3,Anomaly\n")
    elif how == "no block":
        log.write_text(log.read_text().replace("blk_", "block "))
    return (*BASELINE, "--data", folder, *SMALL)


@pytest.mark.parametrize(
    ("how", "said"),
    {
        "missing": "no such file",
        "wrong zip": "x.zip",
        "truncated zip": "x.zip",
        "empty log": "empty",
        "no labels": "anomaly_label.csv",
        "other label": "Perhaps",
        "two labels": "blk_3",
        "no block": "no line of 588 belongs",
    }.items(),
)
def test_bad_data_is_one_line(logbench: Run, folder: Path, how: str, said: str) -> None:
    done = logbench(*damaged(folder, how))
    assert_one_line(done, said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rnu",), "did you mean 'run'"),
        (("run", "deplog", "--dataset", "hdfs"), "did you mean 'deeplog'"),
        (("run", "deeplog", "--dataset", "hdsf"), "did you mean 'hdfs'"),
        (("run", "deeplog"), "--dataset"),
        (("run", "deeplog", "--dataset", "hdfs", "--set", "deeplog.gg=3"), "did you mean 'g'"),
        (("run", "deeplog", "--dataset", "hdfs", "--set", "deeplog.g=many"), "deeplog.g=many"),
        (("run", "deeplog", "--dataset", "hdfs", "--set", "deeplog.h=0"), "greater than or equal to 1"),
        (("run", "deeplog", "--dataset", "hdfs", "--set", "g=3"), "component.key=value"),
        (("run", "deeplog", "--dataset", "hdfs", "--set", "new-event.x=3"), "takes no part"),
        (("run", "deeplog", "--dataset", "hdfs", "--preset", "field-2"), "did you mean 'field-2e'"),
        (("run", "deeplog", "--dataset", "hdfs", "--config", "no.toml"), "no.toml"),
        (("run", "deeplog", "--dataset", "deeplog-archive"), "give --data PATH"),
        (("show", "nothing"), "no run in runs is called so"),
        (("score", "nowhere", "--data", "x"), "no bundle"),
        (("run", "deeplog", "--dataset", "hdfs", "--frobnicate"), "--frobnicate"),
    ],
)
def test_bad_words_are_one_line(logbench: Run, words: tuple[str, ...], said: str) -> None:
    assert_one_line(logbench(*words), said)


def assert_one_line(done: subprocess.CompletedProcess[str], said: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and said in errors[0], done.stderr


def test_labels_of_unknown_blocks_are_counted(logbench: Run, folder: Path) -> None:
    labels = folder / "preprocessed" / "anomaly_label.csv"
    labels.write_text(labels.read_text().replace("blk_3,Normal\n", "") + "blk_77,Normal\nblk_78,Anomaly\n")
    (record,) = map(json.loads, logbench(*BASELINE, "--data", folder, *SMALL, "--json").stdout.splitlines())
    assert record["dataset"]["labels_without_unit"] == 2 and record["dataset"]["units_without_label"] == 1


def test_latin_1_and_a_megabyte_line_are_read(logbench: Run, folder: Path) -> None:
    log = folder / "HDFS.log"
    odd = "081109 235959 1 INFO dfs.X: caf\xe9 blk_3\n".encode("latin-1")
    log.write_bytes(log.read_bytes() + odd + b"081109 235959 1 INFO dfs.X: " + b"x" * 2**20 + b" blk_3\n")
    (record,) = map(json.loads, logbench(*BASELINE, "--data", folder, *SMALL, "--json").stdout.splitlines())
    assert record["dataset"]["lines"] == 42 * 14 + 2 and record["dataset"]["undecodable_lines"] == 1
    assert any("not UTF-8: 1;" in note for note in record["notes"])


def test_offline_names_three_ways_on(logbench: Run) -> None:
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")
    done = logbench(*BASELINE, env=nowhere)
    assert_one_line(done, "--dataset hdfs-sim")
    assert "--data" in done.stderr


def test_nothing_is_overwritten(logbench: Run, folder: Path) -> None:
    (folder.parent / "kept").mkdir()
    (folder.parent / "kept" / "mine.txt").write_text("mine")
    assert_one_line(logbench(*BASELINE, "--data", folder, "--save", "kept"), "already exists")
    said = "is not what --save wrote"
    assert_one_line(logbench(*BASELINE, "--data", folder, "--save", "kept", "--overwrite"), said)
    assert (folder.parent / "kept" / "mine.txt").read_text() == "mine"


def test_the_command_can_be_called_again_in_one_process() -> None:
    """Its subcommand `list` is a module of the package and must not stand in the way of Python's own."""
    code = "import logbench.cli.list\nfrom logbench.cli import main\nmain(['list', 'reporter'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "markdown" in done.stdout, done.stderr
