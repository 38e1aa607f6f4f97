"""A plugin that misbehaves harms neither the run, nor the others, nor the JSON on standard output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributions import announce, distribution

SMALL = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=300", "--set", "protocol.train_units=100")
Logbench = Callable[..., subprocess.CompletedProcess[str]]
HEAD = "import ctypes, os, subprocess, sys, threading, time, warnings\nimport numpy as np\nimport logbench\n"
MODEL = """
class Model:
    def fit(self, train, context):
        {fit}

    def score(self, sessions, context):
        {score}
        return sessions.lengths

    def save(self, folder):
        (folder / "x").write_text("x")

    def load(self, folder):
        pass

@logbench.hookimpl
def logbench_models():
    yield logbench.ModelComponent("unruly", Model, traits=logbench.ModelTraits(keys_only=True))
"""


def install(site: Path, code: str) -> None:
    """`code` as the plugin `unruly`, version 0.7."""
    distribution(site, "unruly", code, "0.7")


@pytest.fixture
def logbench(tmp_path: Path, logbench_cache: Path) -> Logbench:
    """The command with `tmp_path` beside the installed packages; data are generated once a session."""

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "LOGBENCH_CACHE": str(logbench_cache), **more}
        return subprocess.run(
            [sys.executable, "-m", "logbench", *words],
            cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


def unruly(fit: str = "pass", score: str = "pass") -> str:
    return HEAD + MODEL.format(fit=fit, score=score)


NOISE = (
    "print('by print')",
    "os.write(1, b'by descriptor\\n')",
    "ctypes.CDLL(None).puts(b'by C')",
    "subprocess.run([sys.executable, '-c', 'print(\"by child\")'])",
    "sys.__stdout__.write('by original\\n'), sys.__stdout__.flush()",
    "t = threading.Thread(target=print, args=['by thread']); t.start(); t.join()",
)


def test_what_a_model_prints_never_reaches_standard_output(tmp_path: Path, logbench: Logbench) -> None:
    install(tmp_path, unruly(fit="; ".join(NOISE), score="; ".join(NOISE)))
    done = logbench("run", "unruly", *SMALL, "--json")
    assert done.returncode == 0, done.stderr
    (record,) = map(json.loads, done.stdout.splitlines())
    assert record["status"] == "ok"
    for how in ("print", "descriptor", "C", "child", "original", "thread"):
        assert done.stderr.count(f"by {how}\n") >= 2


def test_other_components_and_hooks_may_print_as_well(tmp_path: Path, logbench: Logbench) -> None:
    code = HEAD + (
        "class W:\n    def assign(self, lines):\n        print('noise')\n"
        "        return lines.with_columns(unit=__import__('polars').col('id').list.first())\n"
        "@logbench.hookimpl\ndef logbench_windowers():\n"
        "    print('noise')\n    yield logbench.WindowerComponent('loud', W)\n"
        "@logbench.hookimpl\ndef logbench_run_started(plan):\n    print('noise')\n"
        "@logbench.hookimpl\ndef logbench_run_finished(record):\n    print('noise')\n"
    )
    install(tmp_path, code)
    done = logbench("run", "length", *SMALL, "--json", "--windower", "loud", "--no-cache")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["ok"]
    assert done.stderr.count("noise") >= 3


@pytest.mark.parametrize(
    "what", ["sys.exit(0)", pytest.param("1 / 0", marks=pytest.mark.slow), "raise OSError(28, 'x')"]
)  # fmt: skip
def test_a_model_that_ends_or_fails_is_a_record_and_the_next_one_runs(
    tmp_path: Path, logbench: Logbench, what: str
) -> None:
    install(tmp_path, unruly(fit=what))
    done = logbench("run", "unruly", "length", *SMALL, "--json")
    bad, good = map(json.loads, done.stdout.splitlines())
    assert bad["status"] == "error" and bad["error"]["stage"] == "fit" and good["status"] == "ok"
    assert done.returncode in (1, 2)


def test_a_model_that_warns_or_changes_directory_leaves_the_run_as_it_was(
    tmp_path: Path, logbench: Logbench
) -> None:
    install(tmp_path, unruly(fit="warnings.warn('careful'); os.chdir('/')", score="os.chdir('/tmp')"))
    done = logbench("run", "unruly", "length", *SMALL, "--json", "--out", "here")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2 and "careful" in done.stderr
    kept = [json.loads(line) for line in (tmp_path / "here" / "records.jsonl").read_text().splitlines()]
    assert all((tmp_path / "here" / record["artifacts"]["scores"]).is_file() for record in kept)


def test_a_thread_that_never_ends_does_not_keep_the_command(tmp_path: Path, logbench: Logbench) -> None:
    install(tmp_path, unruly(fit="threading.Thread(target=time.sleep, args=[90], name='worker').start()"))
    begun = time.monotonic()
    done = logbench("run", "unruly", *SMALL, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["status"] == "ok"
    assert "left running: worker" in done.stderr
    assert time.monotonic() - begun < 80, "it did not sleep for 90 s"


def test_a_thread_that_ends_soon_is_waited_for(tmp_path: Path, logbench: Logbench) -> None:
    wait = "lambda: (time.sleep(1), open('late', 'w').close())"
    install(tmp_path, unruly(fit=f"threading.Thread(target={wait}).start()"))
    done = logbench("run", "unruly", *SMALL, "--json")
    assert done.returncode == 0 and (tmp_path / "late").exists() and "left running" not in done.stderr


def test_a_saved_model_may_print_when_it_scores(tmp_path: Path, logbench: Logbench) -> None:
    install(tmp_path, unruly(score="print('noise'); os.write(1, b'noise\\n')"))
    assert logbench("run", "unruly", *SMALL, "--save", "kept").returncode == 0
    data = tmp_path / "data"
    data.mkdir()
    (data / "HDFS.log").write_text("081109 203530 143 INFO dfs.DataNode: Served block blk_1\n" * 3)
    done = logbench("score", "kept", "--data", str(data / "HDFS.log"), "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["unit"] for line in done.stdout.splitlines()] == ["blk_1"] and "noise" in done.stderr


def test_a_process_of_models_loads_the_one_plugin_and_reads_files_of_its_whole_distribution(
    tmp_path: Path, logbench: Logbench
) -> None:
    fit = "open('{}').close(); return {{'others': int('second' in sys.modules)}}".format(
        tmp_path / "second/table.csv"
    )
    (tmp_path / "first.py").write_text(unruly(fit=fit))
    (tmp_path / "second").mkdir()
    (tmp_path / "second/__init__.py").write_text(unruly().replace("unruly", "other"))
    (tmp_path / "second/table.csv").write_text("1")
    announce(tmp_path, "dist-both", "0.1", {"first": "first", "second": "second"})
    record = json.loads(logbench("run", "unruly", *SMALL, "--json").stdout)
    assert record["training"]["others"] == 0 and "files" not in record["audit"], record["error"]


def test_the_record_names_distribution_and_version_of_each_plugin(tmp_path: Path, logbench: Logbench) -> None:
    install(tmp_path, unruly())
    record = json.loads(logbench("run", "unruly", *SMALL, "--json").stdout)
    assert record["plugins"]["unruly"].items() >= {"distribution": "dist-unruly", "version": "0.7"}.items()
    assert record["plugins"]["datasets"]["distribution"] == "logbench-harness"


OFFER = "import logbench\n@logbench.hookimpl\ndef logbench_models():\n    yield logbench.ModelComponent"
BROKEN = {
    "import nothing_like_it\n": "ModuleNotFoundError",
    "import os\nos.write(1, b'noise')\nraise SystemExit\n": "SystemExit",
    "import os\nos._exit(0)\n": "SystemExit",
    "import logbench\nprint('noise')\n": "implements no hook",
    f"{OFFER}('x', 3)\n": "not callable",
    f"{OFFER}('pca', dict)\n": "already taken by classic (logbench-harness",
    f"{OFFER}('x', dict, dict)\n": "no dataclass",
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_plugin_is_set_aside_by_name_and_version_and_others_run(
    tmp_path: Path, logbench: Logbench, code: str
) -> None:
    install(tmp_path, code)
    done = logbench("list", "model", "--json")
    assert done.returncode == 0 and all(json.loads(line)["kind"] == "model" for line in done.stdout.splitlines())
    said = [line for line in done.stderr.splitlines() if "unruly (dist-unruly 0.7) is set aside: " in line]
    assert len(said) == 1 and BROKEN[code] in said[0]


@pytest.mark.parametrize("name", ["unruly", "dist-unruly"])
def test_block_keeps_a_plugin_out(tmp_path: Path, logbench: Logbench, name: str) -> None:
    install(tmp_path, "raise ImportError('was imported')\n")
    for done in (logbench("--block", name, "list"), logbench("list", LOGBENCH_BLOCK=f"other,{name}")):
        assert done.returncode == 0 and not done.stderr, done.stderr


def test_a_hook_that_raises_in_a_run_sets_its_plugin_aside(tmp_path: Path, logbench: Logbench) -> None:
    hooks: Any = "".join(
        f"@logbench.hookimpl\ndef logbench_{name}:\n    {what}\n"
        for name, what in {
            "run_started(plan)": "sys.exit(3)",
            "stage_finished(stage)": "print('too late')",
        }.items()
    )
    install(tmp_path, HEAD + hooks)
    done = logbench("run", "length", *SMALL, "--json")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert not re.search("too late", done.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_error(closed: str, tmp_path: Path) -> None:
    install(tmp_path, "1 / 0")  # so that a warning is written, too
    shell = f'"{sys.executable}" -m logbench list model {closed}'
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(["/bin/sh", "-c", shell], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert "unruly" not in done.stdout


def test_options_whose_types_only_a_checker_can_see_set_the_plugin_aside(
    tmp_path: Path, logbench: Logbench
) -> None:
    config = (
        "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass Config:\n"
        "    size: 'Array' = logbench.option(1, 'a number')\n"
    )
    install(
        tmp_path, unruly().replace("class Model", f"{config}class Model").replace("Model, tr", "Model, Config, tr")
    )
    done = logbench("options", "length")
    assert done.returncode == 0
    assert "unruly (dist-unruly 0.7) is set aside" in done.stderr
    assert "'unruly' whose options cannot be typed: name 'Array' is not defined" in done.stderr


ANSWERS = {
    "reporters": ("report(self, records)", "--reporter"),
    "windowers": ("assign(self, lines)", "--windower"),
    "evaluators": ("evaluate(self, units)", "--evaluator"),
}


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("reporters", "return None", "error: reporter 'odd' must return a text, got NoneType"),
        pytest.param(
            "reporters",
            "1 / 0",
            "error: reporter 'odd' failed: ZeroDivisionError: division by zero; the runs are",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "reporters",
            "sys.exit(0)",
            "error: reporter 'odd' failed: SystemExit: 0; the runs are recorded",
            marks=pytest.mark.slow,
        ),
        ("reporters", "os._exit(0)", "error: reporter 'odd' failed: SystemExit: 0; the runs are recorded"),
        pytest.param(
            "windowers",
            "return lines.collect()",
            "length: the windower must return a LazyFrame, got DataFrame",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "windowers",
            "return lines.with_columns(unit='line')",
            "must add column 'unit' (String), got UInt32",
            marks=pytest.mark.slow,
        ),
        ("windowers", "return lines", "length: the windower must add column 'unit' (String), got None"),
        ("evaluators", "return [1.0]", "length: evaluator 'odd' must return names and numbers, got list"),
    ],
)
def test_a_wrong_answer_is_one_line_that_says_what_came(
    tmp_path: Path, logbench: Logbench, kind: str, body: str, said: str
) -> None:
    signature, option = ANSWERS[kind]
    hook = f"@logbench.hookimpl\ndef logbench_{kind}():\n    yield logbench.Component('odd', Odd)\n"
    install(tmp_path, f"{HEAD}class Odd:\n    def {signature}:\n        {body}\n{hook}")
    done = logbench("run", "length", *SMALL, option, "odd", "--no-baselines")
    assert done.returncode == 2 and said in done.stderr
    assert (tmp_path / "runs" / "records.jsonl").read_text().count("\n") == 1


def test_a_plugin_that_fails_while_it_is_told_of_a_run_is_named_once(tmp_path: Path, logbench: Logbench) -> None:
    install(tmp_path, unruly() + "\n@logbench.hookimpl\ndef logbench_stage_finished(stage):\n    1 / 0\n")
    done = logbench("run", "length", *SMALL, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["status"] == "ok"
    said = "warning: plugin unruly (dist-unruly 0.7) is set aside: ZeroDivisionError: division by zero"
    assert done.stderr.count(said) == 1


def test_a_blocked_name_that_nothing_has_is_an_error(tmp_path: Path, logbench: Logbench) -> None:
    install(tmp_path, unruly())
    done = logbench("--block", "unrully", "list", "model")
    assert done.returncode == 2 and "did you mean 'unruly'" in done.stderr
    assert logbench("--block", "dist-unruly", "list", "model").returncode == 0


def test_checking_it_as_another_kind_says_what_it_is(tmp_path: Path, logbench: Logbench) -> None:
    install(tmp_path, unruly())
    done = logbench("check", "unruly", "--kind", "parser")
    assert done.returncode == 2 and "no parser is called 'unruly', but a model" in done.stderr
