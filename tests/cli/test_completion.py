"""What the shell offers for a begun word, by the words before it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from made_records import made

from logbench.cli import cli
from logbench.running import records

OFFERED = """
import json, sys
from click.shell_completion import BashComplete
from logbench.cli import cli
found = BashComplete(cli, {}, "logbench", "_LOGBENCH_COMPLETE").get_completions(sys.argv[1:-1], sys.argv[-1])
print(json.dumps([[item.value for item in found], sorted({"torch", "polars", "sklearn"} & set(sys.modules))]))
"""


def offered(*words: str) -> list[str]:
    """Values for the last word."""
    *before, begun = words
    found = BashComplete(cli, {}, "logbench", "_LOGBENCH_COMPLETE").get_completions(before, begun)
    return [item.value for item in found]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("run ecvc-", ["ecvc-idf"]),
        ("run ecvc+new-e", ["ecvc+new-event", "ecvc+new-event-online"]),
        ("leaderboard --models ecvc,new-e", ["ecvc,new-event", "ecvc,new-event-online"]),
        ("run ecvc --dataset hdfs-s", ["hdfs-sim"]),
        ("sweep ecvc --preset loglizer-u", ["loglizer-unsupervised"]),
        ("run deeplog --set deeplog.lr", ["deeplog.lr="]),
        ("run x --set protocol.duplicates=u", ["protocol.duplicates=unique"]),
        ("run x --set deeplog.pad=", ["deeplog.pad=", "deeplog.pad=true", "deeplog.pad=false"]),
        ("runs --format mark", ["markdown"]),
        ("reproduce ait", ["ait-archive"]),
        ("options deeplog-v", ["deeplog-values"]),
        ("models info logr", ["logrobust"]),
        ("datasets info adf", ["adfa-ld"]),
        ("ladder --dataset hdfs-s", ["hdfs-sim"]),
        ("ladder --preset loglizer-u", ["loglizer-unsupervised"]),
        ("ladder --set protocol.duplicates=u", ["protocol.duplicates=unique"]),
        ("run no-such", []),
    ],
)
def test_values_are_offered(words: str, values: list[str]) -> None:
    assert offered(*words.split()) == values


def test_runs_of_the_folder_that_the_command_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("20260101-a", "20260102-b"):
        records.append(made(name), tmp_path)
    records.append(made("20260103-c", baseline=True), tmp_path)
    assert offered("show", "--out", str(tmp_path), "2026") == ["20260102-b", "20260101-a"]
    monkeypatch.chdir(tmp_path)
    assert offered("compare", "--out", ".", "la") == ["last"] and offered("show", "la") == []
    for words in (
        "cite --out .",
        "report --runs .",
        "report --runs . last",
        "track mlflow --out .",
        "workflow --out .",
    ):
        assert offered(*words.split(), "la") == ["last"], words
    (tmp_path / "records.jsonl").write_text("damaged\n")
    assert offered("show", "--out", ".", "2") == []
    assert capsys.readouterr() == ("", ""), "the shell would show it within the line that is typed"


def test_nothing_heavy_is_loaded_for_it() -> None:
    words = ["run", "deeplog", "--set", "deeplog.lr"]
    done = subprocess.run([sys.executable, "-c", OFFERED, *words], capture_output=True, text=True, check=True)
    values, loaded = json.loads(done.stdout)
    assert values == ["deeplog.lr="] and loaded == []
