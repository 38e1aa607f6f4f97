"""A file of the user's own is a component: every command that takes a model takes `./my_model.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import logbench
from logbench.components.lone_files import component_in, components_in, names_file
from logbench.testing import Done

MODEL = '''
import beside


class MyModel:
    """Distance from the mean length.

    factor: what multiplies it
    """

    traits = beside.logbench.ModelTraits(stochastic=False)

    def __init__(self, factor: float = 1.0):
        self.factor = factor

    def fit(self, train, context):
        self.mean = train.lengths.mean()

    def score(self, sessions, context):
        return beside.times(self.factor, abs(sessions.lengths - self.mean))

    def save(self, folder):
        (folder / "mean.txt").write_text(str(self.mean))

    def load(self, folder):
        self.mean = float((folder / "mean.txt").read_text())
'''
BESIDE = "import logbench\n\n\ndef times(factor, values):\n    return factor * values\n"
SMALL = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=600", "--set", "protocol.train_units=300")
Command = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of commands, with a model in `my_model.py`."""
    (tmp_path / "my_model.py").write_text(MODEL)
    (tmp_path / "beside.py").write_text(BESIDE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def records(done: Done) -> list[dict[str, Any]]:
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_it_runs_in_processes_beside_installed_models(folder: Path, run_logbench: Command) -> None:
    done = run_logbench("run", "./my_model.py", "length", "my_model.py:MyModel+length", *SMALL, "--json",
                        "--set", "my-model.factor=2")  # fmt: skip
    mine, length, both = records(done)
    assert [one["model"] for one in (mine, length, both)] == ["my-model", "length", "my-model+length"]
    assert {one["isolation"] for one in (mine, length, both)} == {"worker"}
    assert mine["config"]["model"] == {"factor": 2.0}
    ((plugin,), twice) = mine["components"]["model"]["plugins"], both["components"]["model"]["plugins"]
    assert (plugin["plugin"], plugin["distribution"], plugin["version"]) == ("my_model", "my_model.py", None)
    assert plugin["code"] and plugin in twice and len(twice) == 2
    assert not mine["audit"].get("opened"), "the file and what lies beside it are its own"


def test_the_file_and_what_it_imports_are_its_code(folder: Path, run_logbench: Command) -> None:
    def code(*before: tuple[str, str]) -> str:
        for name, text in before:
            (folder / name).write_text(text)
        (record,) = records(run_logbench("run", "./my_model.py", *SMALL, "--json"))
        return str(record["components"]["model"]["plugins"][0]["code"])

    first = code()
    other = code(("beside.py", BESIDE.replace("factor * values", "values * factor")))
    assert first != other
    assert code(("beside.py", BESIDE)) == first
    assert code(("my_model.py", MODEL + "# a remark\n")) not in (first, other)


@pytest.mark.slow
def test_leaderboard_takes_it_over_until_it_is_edited(folder: Path, run_logbench: Command) -> None:
    def taken() -> bool:
        done = run_logbench("leaderboard", "--models", "./my_model.py,length", *SMALL, "--no-baselines")
        assert done.code == 0 and "my-model" in done.out, done.err
        return "2 of 2 runs taken over" in done.err

    assert [taken(), taken()] == [False, True]
    (folder / "my_model.py").write_text(MODEL.replace("self.factor,", "2 * self.factor,"))
    assert [taken(), taken()] == [False, True]


@pytest.mark.slow
def test_sweep_writes_a_command_that_runs(folder: Path, run_logbench: Command) -> None:
    done = run_logbench("sweep", "./my_model.py", *SMALL, "--over", "factor=1,2", "--json")
    command = json.loads(done.out.splitlines()[0])["command"].split()
    assert command[:3] == ["logbench", "run", "./my_model.py"]
    again = run_logbench(*command[1:])
    assert again.code == 0 and "my-model" in again.out, again.err


def test_check_and_options(folder: Path, run_logbench: Command) -> None:
    done = run_logbench("check", "./my_model.py", "--set", "my-model.factor=2")
    assert done.code == 0, done.out + done.err
    assert done.out.startswith("model my-model, from my_model (my_model.py)")
    assert "  process       ok:" in done.out and "  save          ok:" in done.out
    assert "my-model.factor  float  1.0      what multiplies it" in run_logbench("options", "./my_model.py").out


def test_a_bundle_runs_no_code_that_is_not_named(folder: Path, run_logbench: Command, hdfs_sim: Path) -> None:
    assert run_logbench("run", "./my_model.py", *SMALL, "--save", "saved").code == 0
    score = ("score", "saved", "--data", str(hdfs_sim), "--json")
    unasked = run_logbench(*score)
    assert unasked.code == 2 and "if you trust that file: --code my_model.py" in unasked.err
    before = run_logbench(*score, "--code", "my_model.py")
    assert before.code == 0, before.err
    place = folder / "elsewhere" / "my_model.py"
    place.parent.mkdir()
    (folder / "my_model.py").rename(place)
    place.write_text(MODEL + "# edited\n")
    edited = run_logbench(*score, "--code", "elsewhere/my_model.py")
    assert edited.out == before.out and "edited since the model was saved" in edited.err


def test_options_are_named_as_they_are_typed(folder: Path, run_logbench: Command) -> None:
    (folder / "batch.py").write_text(
        "from typing import Literal\n\n\n"
        "class Batch:\n"
        "    def __init__(self, rows: int | Literal['auto'] = 'auto', clip: float | None = None): ...\n\n"
        "    def fit(self, train, context): ...\n\n"
        "    def score(self, sessions, context): ...\n"
    )
    rows = [line.split() for line in run_logbench("options", "./batch.py").out.splitlines()]
    assert ["batch.rows", "int", "|", "auto", "auto"] in [row[:5] for row in rows]
    assert ["batch.clip", "float", "|", "None", "None"] in [row[:5] for row in rows]


def test_components_of_other_kinds(folder: Path, run_logbench: Command) -> None:
    (folder / "cost.py").write_text(
        "class Cost:\n    def evaluate(self, units):\n        return {'n': len(units)}\n"
    )
    (record,) = records(run_logbench("run", "length", *SMALL, "--evaluator", "./cost.py", "--json"))
    assert record["metrics"]["cost"]["all"]["n"] > 0


def test_an_evaluator_in_a_file_is_asked_again(folder: Path, run_logbench: Command) -> None:
    (folder / "cost.py").write_text(
        "class Cost:\n"
        "    directions = {'missed': 'lower'}\n\n"
        "    def evaluate(self, units):\n"
        "        return {'missed': units.filter(~units['verdict'], label=1)['weight'].sum()}\n"
    )
    evaluators = ("--evaluator", "classification", "--evaluator", "./cost.py")
    records(run_logbench("run", "length", "new-event", *SMALL, *evaluators, "--json"))
    metric = ("compare", "last~1", "last", "--metric", "cost.missed", "--resamples", "20")
    named = run_logbench(*metric, "--evaluator", "./cost.py", "--json")
    first, second = map(json.loads, named.out.splitlines())
    assert second["low"] <= second["difference"] == second["cost.missed"] - first["cost.missed"] <= second["high"]
    unnamed = run_logbench(*metric)
    assert "no interval of cost.missed: " in unnamed.err and "--evaluator" in unnamed.err
    again = run_logbench("rescore", "last", "--evaluator", "./cost.py", "--json")
    (record,) = records(again)
    assert record["metrics"]["cost"]["all"]["missed"] == second["cost.missed"]
    assert "not installed" not in again.err
    gone = run_logbench("rescore", "last")
    assert "evaluator cost is not installed, so its metrics are gone" in gone.err


def test_a_reporter_in_a_file_writes_into_a_folder_of_its_name(folder: Path, run_logbench: Command) -> None:
    (folder / "drawn.py").write_text(
        "class Drawn:\n"
        "    def report(self, records, runs):\n"
        "        (runs.folder / 'a.svg').write_text('<svg/>')\n"
        "        return 'drawn'\n"
    )
    done = run_logbench("run", "length", *SMALL, "--reporter", "./drawn.py")
    assert done.code == 0 and done.out == "drawn\n", done.err
    (made,) = (folder / "runs" / "reports").iterdir()
    assert "-drawn-" in made.name and [path.name for path in made.iterdir()] == ["a.svg"]


def test_python_takes_it_and_sees_an_edit(folder: Path) -> None:
    settings: Any = {"dataset": {"blocks": 600}, "protocol": {"train_units": 300}}

    def run() -> logbench.RunRecord:
        (record,) = logbench.run("./my_model.py", dataset="hdfs-sim", settings=settings, out=None)
        assert record.status == "ok", record.error
        return record

    first = run()
    (folder / "my_model.py").write_text(MODEL.replace("return beside.times(", "return -beside.times("))
    second = run()
    assert second.scores["score"].to_list() != first.scores["score"].to_list()
    code = [one.components["model"]["plugins"][0]["code"] for one in (first, second)]
    assert code[0] != code[1] and all(code)


def test_the_same_code_by_import_and_by_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "by_import.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(folder))
    import by_import  # type: ignore[import-not-found]

    options: Any = {"dataset": "hdfs-sim", "settings": {"dataset": {"blocks": 600}}, "out": None}
    made = [logbench.run(one, **options)[0] for one in (by_import.MyModel, "./by_import.py")]
    first, second = (one.components["model"]["plugins"][0]["code"] for one in made)
    assert first == second and first


PLUGIN = """
import logbench
from my_model import MyModel


@logbench.hookimpl
def logbench_models():
    yield logbench.ModelComponent("by-hook", MyModel)
"""


def test_what_a_file_holds(folder: Path) -> None:
    (folder / "several.py").write_text(
        "import logbench\nfrom my_model import MyModel\n"
        "class First(MyModel): ...\nclass _Hidden(MyModel): ...\n"
        "class Second(MyModel): ...\nnamed = logbench.ModelComponent('called', Second)\n"
        "class Cost:\n    def evaluate(self, units): ...\n"
    )
    kinds = [("model", "several.py:named"), ("model", "several.py:First"), ("evaluator", "several.py:Cost")]
    assert components_in("./several.py") == kinds
    assert component_in("model", "several.py:named").item.name == "called"
    assert component_in("model", "several.py:_Hidden").item.name == "hidden"
    (folder / "plugin.py").write_text(PLUGIN)
    assert component_in("model", "plugin.py").item.name == "by-hook"
    assert component_in("evaluator", "several.py").address == f"{folder / 'several.py'}:Cost"


def test_a_name_of_another_module_is_no_matter(folder: Path) -> None:
    (folder / "json.py").write_text(MODEL)
    assert component_in("model", "./json.py").item.build is not None
    assert json.loads("1") == 1


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("./a.py", True),
        ("a.py:B", True),
        ("deeplog", False),
        ("a.py+b", False),
        ("a.py+b.py", False),
        ("a.pyc", False),
    ],
)
def test_names_file(name: str, wanted: bool) -> None:
    assert names_file(name) is wanted


@pytest.mark.parametrize(
    ("text", "typed", "why"),
    [
        (None, "./no.py", r"\./no\.py: No such file or directory"),
        ("def f(:\n", "./no.py", r"\./no\.py: line 1: SyntaxError: "),
        ("x = 1\ny = x / 0\n", "./no.py", r"\./no\.py: line 2: ZeroDivisionError: division by zero"),
        ("import no_such_package\n", "./no.py", r"line 1: ModuleNotFoundError: No module named 'no_such_package'"),
        ("import sys\nsys.exit(3)\n", "./no.py", r"line 2: SystemExit: 3"),
        ("x = 1\n", "./no.py", r"\./no\.py: no model in it; that is a class with fit and score"),
        ("class A:\n    def fit(self, t, c): ...\n", "./no.py", r"\./no\.py: A is not a model: it lacks score"),
        (MODEL + MODEL.replace("MyModel", "Other"), "./no.py",
         r"\./no\.py holds several, MyModel, Other: say which, such as no\.py:MyModel"),
        (MODEL, "./no.py:MyModl", r"no\.py has no 'MyModl'; did you mean 'MyModel'\?"),
        (MODEL.replace(": float = 1.0", ""), "./no.py", r"\./no\.py: MyModel: parameter factor has neither type"),
        (MODEL.replace("MyModel", "Length"), "./no.py",
         r"no \(no\.py\): the name 'length' is already taken by baselines"),
    ],
)  # fmt: skip
def test_one_line_says_what_is_wrong(
    folder: Path, run_logbench: Command, text: str | None, typed: str, why: str
) -> None:
    if text is not None:
        (folder / "no.py").write_text(text)
    with pytest.raises(logbench.LogbenchError, match=why) as caught:
        logbench.run(typed, dataset="hdfs-sim", out=None)
    assert "\n" not in str(caught.value)


def test_the_command_says_it_in_one_line(folder: Path, run_logbench: Command) -> None:
    (folder / "no.py").write_text("def f(:\n")
    done = run_logbench("run", "./no.py", *SMALL)
    assert (done.code, done.out) == (2, "") and done.err.startswith("error: ./no.py: line 1: SyntaxError")
    assert done.err.count("\n") == 1
