"""`--format` and `--json`: each table for papers and machines, and nothing else on standard output."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hdfs_lines import WriteHdfs

from logbench.cli import cli
from logbench.cli.shown import Shown

ROWS: list[dict[str, Any]] = [
    {"option": "a_b|c", "95%\ninterval": "0.1 … 0.2", "f1": 0.123456789},
    {"option": "=1+1", "95%\ninterval": None, "f1": 1.0},
]
# Commands without --json, and why.
WITHOUT_JSON = {
    "datasets guess": "prints TOML",
    "schema": "prints JSON as it is",
    "workflow": "has --format json",
    **dict.fromkeys(("man", "new-plugin", "report", "seal", "site", "submit"), "writes files"),
}


def test_csv_has_numbers_in_full_and_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    Shown("csv").say("said beside it")
    Shown("csv").table(ROWS, drop=["f1"])
    shown = capsys.readouterr()
    read = [*csv.DictReader(io.StringIO(shown.out))]
    assert [float(row["f1"]) for row in read] == [0.123456789, 1.0]
    assert [row["95% interval"] for row in read] == ["0.1 … 0.2", ""]
    assert read[1]["option"] == "'=1+1" and shown.err == "said beside it\n"


def test_documents_escape_what_others_say(capsys: pytest.CaptureFixture[str]) -> None:
    Shown("markdown").table(ROWS)
    text = capsys.readouterr().out
    assert (
        "| a\\_b&#124;c" in text and "0.123 " in text and len({line.count("|") for line in text.splitlines()}) == 1
    )
    Shown("latex").table(ROWS)
    text = capsys.readouterr().out
    assert "a\\_b|c" in text and "95\\% interval" in text and "\\toprule" in text


def commands(command: click.Command, *words: str) -> dict[str, click.Command]:
    if not isinstance(command, click.Group):
        return {" ".join(words): command}
    context = click.Context(command)
    below = {name: command.get_command(context, name) for name in command.list_commands(context)}
    return {key: one for name, of in below.items() if of for key, one in commands(of, *words, name).items()}


def test_every_command_with_a_table_has_json_and_those_of_runs_formats() -> None:
    options = {name: {text for p in one.params for text in p.opts} for name, one in commands(cli).items()}
    assert {name for name, of in options.items() if "--json" not in of} == set(WITHOUT_JSON)
    for name in ("run", "leaderboard", "sweep", "protocols", "compare", "reproduce", "runs", "rescore"):
        assert "--format" in options[name], name


def test_formats_of_runs_and_rows(write_hdfs: WriteHdfs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    labels = "".join(f"blk_{n},{'Anomaly' if n > 7 else 'Normal'}\n" for n in range(9))
    messages = [f"Receiving block blk_{n % 9} src: /10.0.0.{n}" for n in range(80)]
    write_hdfs("small", messages, "BlockId,Label\n" + labels)
    data = ["--dataset", "hdfs", "--data", "small", "--set", "protocol.train_units=4"]

    def said(*words: str) -> str:
        done = CliRunner().invoke(cli, [*words, *data], standalone_mode=False)
        assert done.exception is None, done.output
        return done.stdout

    records = [
        json.loads(line) for line in said("leaderboard", "--models", "new-event,length", "--json").splitlines()
    ]
    assert {record["model"] for record in records} >= {"new-event", "length"} and all("tied" in r for r in records)
    swept = [*csv.DictReader(io.StringIO(said("sweep", "length", "--over", "alpha=.1,.2", "--format", "csv")))]
    assert [row[""] for row in swept] == ["alpha=.1", "alpha=.2", "label-free", "oracle"]
    both = CliRunner().invoke(cli, ["protocols", "length", *data, "--format", "csv", "--json"])
    assert both.exit_code == 2 and "exclude each other" in both.output
