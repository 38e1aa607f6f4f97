"""Own logs by a TOML file: checked, added, run and removed; what is wrong is said with its key."""

from __future__ import annotations

import json
import os
import re
from dataclasses import fields, replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from logbench.api.plan import Plan
from logbench.base.errors import ConfigError, DataError
from logbench.cli import cli
from logbench.components.registry import Registry
from logbench.running.resolve import dataset_called, resolve
from logbench.testing.command import Done, runner
from logbench_ownlogs.definition import OwnLog, load
from logbench_ownlogs.example import example
from logbench_ownlogs.labels import read_labels

BASE = """files = ["*.log"]
pattern = '<Time> <Level> <Content>'
time = "Time"
time_format = "epoch"
level = "Level"
"""
BY_ID = BASE + "id = 'message'\nid_pattern = 'job ([0-9]+)'\n"


@pytest.fixture(autouse=True)
def own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "config"
    monkeypatch.setenv("LOGBENCH_CONFIG", str(folder))
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """60 jobs of three lines, in two files, and a line that is none."""
    folder = tmp_path / "my 'logs'"
    folder.mkdir()
    lines = [
        f"{1_500_000_000 + 60 * job + k} INFO {word} job {job}"
        for job in range(60)
        for k, word in enumerate(("start", "work on", "end"))
    ]
    (folder / "a.log").write_text("\n".join(lines[:90]) + "\n\tat nowhere\n")
    (folder / "b.log").write_text("\n".join(lines[90:]))
    return folder


def define(folder: Path, text: str, name: str = "my.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def invoke(*words: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, [str(word) for word in words])
    if code == 0 and result.exception:
        raise result.exception
    return result


def typed(*words: object, code: int = 0) -> Done:
    """As `invoke`, in a process of its own: commands that run plugins start another one by what was typed."""
    done = runner(Path.cwd(), Path(os.environ["LOGBENCH_CACHE"]))(*map(str, words))
    assert done.code == code, done.err
    return done


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fils = ['a']", "fils: no such key; did you mean 'files'?"),
        ("", "files: say where the logs are"),
        ("files = 3", "files=3"),
        ("files = ['a'", "not TOML"),
        ("files = ['a']\nmultiline = 'perhaps'", "multiline=perhaps"),
        ("files = ['a']\nwindower = 'session'", "windower: session needs the key id"),
        ("files = ['a']\nid = 'file'\nwindow = '5m'", "window: a session has no size"),
        ("files = ['a']\nlabels = 'l.csv'", "labels: a file labels sessions"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(text: str, said: str, tmp_path: Path) -> None:
    path = define(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(path)
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_example_is_a_definition_and_names_every_key(tmp_path: Path) -> None:
    assert max(map(len, example().splitlines())) <= 80
    own = load(define(tmp_path, example()))
    assert own.grouped_by == "session"
    uncommented = "\n".join(
        line.removeprefix("# ") for line in example().splitlines() if " = " in line.split("#")[-1][:20]
    )
    for field in fields(OwnLog):
        assert f"{field.name} = " in uncommented


def test_a_file_is_a_data_set_and_added_it_has_a_name(log: Path, own_config: Path, tmp_path: Path) -> None:
    path = define(log, BY_ID)
    frame = dataset_called(str(path), Registry()).item
    lines = frame.build(frame.config()).read(log).frame.collect()
    assert lines["id"].drop_nulls().n_unique() == 60
    assert len(lines) == 181
    invoke("datasets", "add", path, "--name", "jobs")
    path.unlink()
    listed = [json.loads(line) for line in invoke("datasets", "list", "--json").output.splitlines()]
    assert [row["data"] for row in listed if row["name"] == "jobs"] == ["at hand"]
    out = tmp_path / "runs"
    invoke("run", "markov", "--dataset", "jobs", "--out", out)
    record = json.loads((out / "records.jsonl").read_text().splitlines()[-1])
    assert record["dataset"]["name"] == "jobs"
    invoke("datasets", "remove", "jobs")
    with pytest.raises(ConfigError, match="no dataset is called 'jobs'"):
        Registry().get("dataset", "jobs")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BASE + "parser = 'drian'", "did you mean 'drain'?"),
        (BASE + "window = 'soon'", "soon"),
        (BASE.replace("<Content>", "<Msg>"), "pattern has no field 'Content'"),
        (BASE + "id = 'message'\nid_pattern = '('", "id_pattern=(: no regular expression"),
    ],
)
def test_what_no_run_could_read_is_not_added(text: str, said: str, log: Path, own_config: Path) -> None:
    result = invoke("datasets", "add", define(log, text), code=2)
    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)
    assert not list(own_config.rglob("*.toml"))


def test_a_saved_bundle_scores_other_logs_of_the_format(log: Path, tmp_path: Path) -> None:
    path = define(log, BY_ID)
    typed("run", "markov", "--dataset", path, "--out", tmp_path / "runs", "--save", tmp_path / "bundle")
    new = tmp_path / "new.log"
    new.write_text("1600000000 INFO start job 1\n1600000001 INFO explode job 1\n")
    rows = [
        json.loads(line) for line in typed("score", tmp_path / "bundle", "--data", new, "--json").out.splitlines()
    ]
    assert [row["unit"] for row in rows] == ["1"]


def test_a_name_that_is_taken_is_refused(log: Path) -> None:
    result = invoke("datasets", "add", define(log, BASE), "--name", "hdfs", code=2)
    assert isinstance(result.exception, ConfigError)
    assert "another data set's name" in str(result.exception)


def test_an_added_file_that_breaks_harms_no_other(log: Path, own_config: Path) -> None:
    invoke("datasets", "add", define(log, BASE), "--name", "good")
    (own_config / "datasets" / "bad.toml").write_text("files = 3")
    registry = Registry()
    assert "good" in registry.components["dataset"]
    assert [(plugin.name, plugin.distribution) for plugin in registry.broken] == [("bad", "logbench-harness")]


def test_a_definition_takes_no_name_from_a_plugin(log: Path, own_config: Path) -> None:
    (own_config / "datasets").mkdir(parents=True)
    for name in ("hdfs", "ownlogs"):
        (own_config / "datasets" / f"{name}.toml").write_text("files = '*.log'")
    registry = Registry()
    assert registry.components["dataset"]["hdfs"].plugin.name == "datasets"
    assert registry.components["dataset"]["ownlogs"].plugin.name == "ownlogs"
    assert [plugin.name for plugin in registry.broken] == ["hdfs"]
    assert registry.broken[0].error.startswith("'hdfs' is already taken by datasets")


def test_the_core_lists_data_sets_without_the_plugin(log: Path) -> None:
    path = define(log, BASE)
    invoke("datasets", "add", path, "--name", "good")
    listed = invoke("--block", "ownlogs", "list").output
    assert "hdfs" in listed and "good" not in listed
    for words in (("add", path), ("add", "--example"), ("remove", "good")):
        refused = invoke("--block", "ownlogs", "datasets", *words, code=2)
        assert isinstance(refused.exception, ConfigError)
        assert "no dataset is called" in str(refused.exception) or "no plugin that" in str(refused.exception)
    with pytest.raises(ConfigError, match="no dataset is called"):
        dataset_called(str(path), Registry(block=["ownlogs"]))


def test_check_shows_lines_misses_and_the_next_command(log: Path) -> None:
    result = typed("datasets", "check", define(log, BY_ID))
    assert "1 line does not match; the whole line is the message" in result.out
    assert "91: " in result.out
    labelled = define(log, BY_ID.replace('level = "Level"', 'label = "Level"\nnormal = ["INFO"]'))
    assert "not match; as it would hold the label, it is no message" in typed("datasets", "check", labelled).out
    assert "60 without label" in result.out
    assert "times: 2017-07-14 02:40:00 to 2017-07-14 03:39:02; 1 line without" in result.out
    assert "next: logbench datasets add" in result.err
    assert "no labels: a run trains and scores" in result.out


def test_check_names_a_model_that_units_of_this_length_have_events_enough_for(log: Path) -> None:
    short = typed("datasets", "check", define(log, BY_ID)).err
    named = re.search(r"logbench run (\S+)", short)
    assert named is not None
    (log / "a.log").write_text("".join(f"{i} INFO job {i // 20}\n" for i in range(400)))
    (log / "b.log").write_text("")
    assert "logbench run deeplog" in typed("datasets", "check", define(log, BY_ID)).err
    assert named[1] != "deeplog"


def test_check_shows_the_line_numbers_of_an_editor_and_nothing_that_a_terminal_acts_on(log: Path) -> None:
    (log / "a.log").write_text("7 INFO job 1\n\tat one\n7 INFO job 2\n")
    (log / "b.log").write_text("7 INFO job 3\n7 WARN\x1b[2J job 4\n7 INFO job 5\n7 INFO job 5\n")
    regex = "^(?P<Time>[0-9]) (?P<Level>INFO) (?P<Content>.*)"
    form = "format = 'regex'\n" + re.sub("pattern = '<.*", f"pattern = '{regex}'", BY_ID)
    single = typed("datasets", "check", define(log, form)).out
    assert "  a.log:2: at one\n  b.log:2: 7 WARN\ufffd[2J job 4\n" in single
    joined = typed("datasets", "check", define(log, "multiline = true\n" + form)).out
    assert [row.split()[0] for row in joined.splitlines()[2:7]] == ["1", "3", "1", "3", "4"]
    assert "job 1 at one" in joined
    assert [row.split()[0] for row in joined.splitlines() if row.split()[1:] == ["job", "<*>"]] == ["3"]


def test_check_says_what_a_run_would_end_in(log: Path) -> None:
    (log / "a.log").write_text("")
    (log / "b.log").write_text("")
    assert "is the file empty?" in typed("datasets", "check", define(log, BASE), code=2).err


def test_a_window_has_the_size_that_the_definition_says_unless_the_user_says_otherwise(log: Path) -> None:
    registry = Registry()
    for text, size in (("window = '10m'", "10m"), ("windower = 'count'\nwindow = '50'", 50)):
        plan = Plan(model="markov", dataset=str(define(log, BASE + text)))
        assert resolve(plan, registry).windower.config.size == size
        other = replace(plan, settings={"windower": {"size": "20" + "m" * isinstance(size, str)}})
        assert resolve(other, registry).windower.config.size == (20 if size == 50 else "20m")


def test_labels_come_from_a_file_and_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("unit,label\na,Normal\nb,Broken\na,Normal\n")
    assert read_labels(path, OwnLog()).rows() == [("a", 0), ("b", 1)]
    assert read_labels(path, OwnLog(anomalous=("Normal",))).rows() == [("a", 1), ("b", 0)]
    with pytest.raises(DataError, match="label of b is in neither"):
        read_labels(path, OwnLog(normal=("Normal",), anomalous=("X",)))
    path.write_text("unit,label\na,0\na,1\n")
    with pytest.raises(DataError, match="gives a both labels"):
        read_labels(path, OwnLog())
    path.write_text('"a\nheader",label\nx,0\n')
    with pytest.raises(DataError, match="no column 'unit'; there is a header, label") as error:
        read_labels(path, OwnLog())
    assert "\n" not in str(error.value)
    path.write_text("unit,label\na,0\n")
    with pytest.raises(DataError, match="no column 'who'"):
        read_labels(path, OwnLog(labels_unit="who"))


def test_labelled_jobs_are_measured_and_unlabelled_ones_are_not(log: Path, tmp_path: Path) -> None:
    rows = pl.DataFrame({"unit": [str(n) for n in range(60)], "label": [int(n > 55) for n in range(60)]})
    rows.write_csv(log / "labels.csv")
    records = []
    for text in (BY_ID + "labels = 'labels.csv'\n", BY_ID):
        out = tmp_path / f"runs{len(records)}"
        invoke("run", "markov", "--dataset", define(log, text), "--out", out)
        records.append(json.loads((out / "records.jsonl").read_text().splitlines()[-1]))
    assert "f1" in json.dumps(records[0]["metrics"])
    assert not any(key.endswith("f1") for key in records[1]["metrics"])


def test_the_process_of_models_looks_at_no_definition(log: Path, own_config: Path, tmp_path: Path) -> None:
    """They may name labels, so that a look at them would be noted as a model's own."""
    invoke("datasets", "add", define(log, BY_ID))
    assert list(own_config.rglob("*.toml"))
    done = typed("run", "new-event", "--dataset", "my", "--out", tmp_path / "runs", "--no-baselines", "--json")
    (record,) = map(json.loads, done.out.splitlines())
    assert record["status"] == "ok" and "files" not in record["audit"], record["audit"]
