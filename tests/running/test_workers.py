"""What a plugin tries beside its work: it finds no label, changes no other model, and ends no command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from distributions import distribution

from logbench import ModelTraits, Sessions
from logbench.base.failure import failure_of
from logbench.base.file_watch import Watch
from logbench.base.kernel import LIBRARY
from logbench.base.state_guard import guarded
from logbench.data.handout import read, write, write_templates
from logbench.data.neutral import neutral
from logbench.running.workers import Running
from logbench_reporters.table import Table

HEAD = """
import gc, os, subprocess, time
from pathlib import Path
import numpy as np
import polars as pl
import logbench

class Honest:
    def fit(self, train, context): ...
    def score(self, sessions, context):
        return sessions.lengths.astype(float)
"""
CHEATS = """
class Zeroes(Honest):
    def fit(self, train, context):
        train.keys.flags.writeable = True
        train.keys[:] = 0

class Rewrites(Honest):
    def fit(self, train, context):
        file = Path(train.keys.filename)
        file.chmod(0o600)
        with file.open("r+b") as opened:
            opened.seek(-4, 2)
            opened.write(b"\\7\\0\\0\\0")

class Patches(Honest):
    def fit(self, train, context):
        np.bincount = np.add = np.unique = None

class Leaves(Honest):
    def fit(self, train, context):
        os._exit(0)

class Counts(Honest):
    fitted = 0
    def fit(self, train, context):
        Counts.fitted += 1
        return {"fitted": Counts.fitted}

class Searches(Honest):
    def fit(self, train, context):
        self.train = len(train)
    def score(self, sessions, context):
        if len(sessions) < 12:
            return super().score(sessions, context)
        arrays = [o for o in gc.get_objects() if isinstance(o, np.ndarray) and o.dtype == np.int8]
        frames = [o for o in gc.get_objects() if type(o).__name__ == "DataFrame" and "label" in o.columns]
        found = len(arrays) + len(frames) + (sessions.labels is not None)
        ids = all(name == str(int(name)) for name in sessions.ids)
        return logbench.Scores(sessions.lengths.astype(float), facts={"found": found, "neutral": ids})

class Peeks(Honest):
    def fit(self, train, context):
        Path("data/hdfs_test_abnormal").read_bytes()
        pl.read_csv("data/hdfs_test_normal", has_header=False, ignore_errors=True)
        subprocess.run(["cat", "data/hdfs_train"], stdout=subprocess.DEVNULL)

class Begins(Honest):
    def __init__(self):
        self.seen = Path("data/hdfs_test_abnormal").read_bytes()

class Floods(Honest):
    def fit(self, train, context):
        for number in range(10**9):
            context.note(f"{number}\x1b[31m")

class Closes(Honest):
    def fit(self, train, context):
        os.closerange(3, 200)
        time.sleep(600)

class Forks(Honest):
    def fit(self, train, context):
        os.fork()

class Beyond(Honest):
    def score(self, sessions, context):
        return logbench.Scores(sessions.lengths.astype(float), event=sessions.lengths)

class Ranks(Honest):
    def score(self, sessions, context):
        return sessions.lengths / sessions.lengths.max()

class Declared(Ranks): ...

class Eats(Honest):
    def fit(self, train, context):
        self.much = np.ones(10**8)
        time.sleep(20)

SEEN = []
class Teacher(Honest):
    def fit(self, train, context):
        SEEN.append(train.labels)
        return {"told": len(context.held_out.labels)}

class Twin(Honest):
    def fit(self, train, context):
        return {"seen": len(SEEN), "told": context.held_out.labels is not None}

@logbench.hookimpl
def logbench_models():
    for kind in (Zeroes, Rewrites, Patches, Leaves, Counts, Searches, Peeks, Ranks, Eats, Twin, Honest, Begins,
                 Floods, Closes, Forks, Beyond):
        yield logbench.ModelComponent(kind.__name__.lower(), kind)
    yield logbench.ModelComponent("declared", Declared, traits=logbench.ModelTraits(joint_scores=True))
    yield logbench.ModelComponent("teacher", Teacher, traits=logbench.ModelTraits(supervision="supervised"))

class Quits:
    def evaluate(self, units):
        os._exit(0)

@logbench.hookimpl
def logbench_evaluators():
    yield logbench.EvaluatorComponent("quits", Quits)
"""
READERS = """
import os
import logbench

class Gone:
    def read(self, path):
        os._exit(0)

@logbench.hookimpl
def logbench_datasets():
    card = logbench.Card(title="x", label="x", parser="none", windower="session", protocol="hdfs", layout="x")
    yield logbench.DatasetComponent("gone", Gone, card=card)
"""
Run = Callable[..., tuple[subprocess.CompletedProcess[str], dict[str, dict[str, Any]]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`logbench run` in a folder with plugins that cheat; the answer and the records by model (the last one)."""
    distribution(tmp_path / "site", "cheats", HEAD + CHEATS)
    distribution(tmp_path / "site", "readers", READERS)
    data = tmp_path / "data"
    data.mkdir()
    short, long = "1 2 3" + " 4" * 10 + "\n", "1 2 2 3" + " 4" * 10 + "\n"
    (data / "hdfs_train").write_text((short + long) * 40)
    (data / "hdfs_test_normal").write_text((short + long) * 20)
    (data / "hdfs_test_abnormal").write_text("1 2 3 5" + " 4" * 20 + "\n" + "1 2 3 5" + " 4" * 21 + "\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "OMP_NUM_THREADS": "1"}

    def call(*words: str, dataset: str = "deeplog-archive") -> Any:
        line = [sys.executable, "-m", "logbench", "run", *words, "--dataset", dataset, "--data", "data", "--json"]
        done = subprocess.run(
            line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
        )
        return done, {record["model"]: record for record in map(json.loads, done.stdout.splitlines())}

    return call


def f1(record: dict[str, Any]) -> float:
    return float(record["metrics"]["session"]["all"]["f1"])


def test_no_model_changes_what_another_one_gets(run: Run, tmp_path: Path) -> None:
    _, alone = run("ecvc")
    done, found = run("zeroes", "rewrites", "patches", "leaves", "honest", "ecvc")
    assert f1(found["ecvc"]) == f1(alone["ecvc"]) and found["ecvc"]["threshold"] == alone["ecvc"]["threshold"]
    kept = [pl.read_parquet(tmp_path / "runs" / one["ecvc"]["artifacts"]["scores"]) for one in (alone, found)]
    assert kept[0].equals(kept[1])
    assert "read-only" in found["zeroes"]["error"]["message"] or "WRITEABLE" in found["zeroes"]["error"]["message"]
    assert "changed the units that it was given: keys.npy" in found["rewrites"]["error"]["message"]
    assert found["leaves"]["error"] == {
        "stage": "fit", "type": "Killed", "message": "its process ended with code 0",
    }  # fmt: skip
    assert found["honest"]["status"] == "ok" and f1(found["honest"]) == 1.0
    assert done.returncode != 0


def test_a_process_of_models_is_fresh_for_each_seed_and_after_labels_were_seen(run: Run) -> None:
    done, _ = run("counts", "--seeds", "2")
    assert [json.loads(line)["training"]["fitted"] for line in done.stdout.splitlines()] == [1, 1]
    labelled = ("--set", "protocol.content=labelled")
    _, found = run("teacher", "twin", *labelled)
    assert found["twin"]["training"] == {"seen": 0, "told": False}
    assert found["teacher"]["training"]["told"] == found["teacher"]["split"]["held_out"] > 0


def test_a_model_finds_no_label_and_files_that_it_opens_are_said(run: Run) -> None:
    done, found = run("searches", "peeks")
    assert done.returncode == 0, done.stderr
    assert found["searches"]["stages"]["score"]["found"] == 0
    assert found["searches"]["stages"]["score"]["neutral"] is True
    assert found["searches"]["isolation"] == "worker" and "files" not in found["searches"]["audit"]
    files = [Path(file).name for file in found["peeks"]["audit"]["files"]]
    assert sorted(files) == ["hdfs_test_abnormal", "hdfs_test_normal", "hdfs_train"]
    assert "opened a file that is not its own" in done.stderr


def test_a_model_that_misbehaves_gives_one_line_and_the_others_their_results(run: Run) -> None:
    done, found = run("forks", "beyond", "begins", "floods", "closes", "honest", "--timeout", "3")
    errors = {name: record["error"]["message"] for name, record in found.items() if record["error"]}
    assert errors == {
        "beyond": "model 'beyond': 'event' is 14 at unit 0, which has 14 events",
        "floods": "took longer than --timeout 3 s to fit and score",
        "closes": "its process closed its pipe, and was ended",
    } and done.returncode == 2  # fmt: skip
    assert [Path(file).name for file in found["begins"]["audit"]["files"]] == ["hdfs_test_abnormal"]
    assert len(found["floods"]["notes"]) == 101 and found["floods"]["notes"][-1] == "more notes are left out"
    assert "0�[31m" in found["floods"]["notes"] and "\x1b" not in done.stderr
    assert f1(found["forks"]) == f1(found["honest"]) == 1.0


def test_any_error_is_told_in_few_plain_words() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    facts = failure_of(ValueError("a\x1b[31m" + "x" * 10**6))
    assert len(facts["message"]) == 1000 and facts["message"].startswith("a�[31mx")
    assert len(facts["traceback"]) < 1100
    assert failure_of(MuteError())["message"] == "its text cannot be made: RuntimeError"


def test_scores_that_depend_on_what_else_is_scored_are_said(run: Run) -> None:
    done, found = run("ranks", "declared", "honest")
    assert found["ranks"]["audit"]["alone"]["differ"] > 0
    assert found["declared"]["audit"]["alone"] == "declared"
    assert found["honest"]["audit"]["alone"]["differ"] == 0
    assert done.stderr.count("depend on the other scored units") == 2
    lines = Table("simple").report(list(found.values())).splitlines()
    assert [line.split()[0] for line in lines if " * " in line] == ["ranks", "declared"]
    assert "*: its scores depend on the other scored units" in lines


def test_memory_is_limited_and_the_rest_goes_on(run: Run) -> None:
    done, found = run("eats", "honest", "--memory-limit", "600")
    assert found["eats"]["error"]["type"] == "MemoryLimit" and found["honest"]["status"] == "ok"
    assert "more than --memory-limit 600 MB" in found["eats"]["error"]["message"] and done.returncode == 2


def test_a_data_set_or_an_evaluator_that_ends_its_process_loses_neither_scores_nor_the_command(
    run: Run, tmp_path: Path
) -> None:
    done, found = run("honest", dataset="gone")
    assert found["honest"]["error"]["message"] == "its process ended with code 0" and done.returncode == 2
    done, found = run("honest", "counts", "--evaluator", "quits")
    assert {record["error"]["stage"] for record in found.values()} == {"evaluate"} and done.returncode == 2
    scored = sorted(path.name for path in (tmp_path / "runs").glob("*/scores.parquet"))
    assert len(scored) == 2, "scores are on disk before anything is evaluated"


def test_global_state_is_put_back_and_each_change_is_noted(tmp_path: Path) -> None:
    notes: list[str] = []
    before = (np.geterr(), Path.cwd(), dict(os.environ))
    with guarded(notes.append):
        np.seterr(all="raise")
        os.chdir(tmp_path)
        os.environ["LOGBENCH_TESTED"] = "1"
        np.random.seed(1)
    assert before == (np.geterr(), Path.cwd(), dict(os.environ))
    (note,) = notes
    for name in ("working directory", "environment variables", "numpy's error state", "numpy's global random"):
        assert name in note
    with guarded(notes.append):
        pass
    assert len(notes) == 1


def test_torch_is_put_back_as_well() -> None:
    torch = pytest.importorskip("torch")
    notes: list[str] = []
    with guarded(notes.append):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True)
    assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()
    assert not torch.are_deterministic_algorithms_enabled() and len(notes) == 1


def test_files_are_seen_but_what_is_allowed_or_made_anew(tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("x")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "state").write_text("x")
    watch = Watch()
    try:
        (tmp_path / "labels").read_text()
        (tmp_path / "own" / "state").read_text()
        (tmp_path / "made").write_text("x")
        (tmp_path / "made").rename(tmp_path / "moved")
        (tmp_path / "moved").read_text()
        Path("/proc/self/status").read_text()
        LIBRARY.with_name("kernel.c").read_bytes()  # whoever loads the kernel reads it
        assert watch.take([tmp_path / "own"]) == [str((tmp_path / "labels").resolve())]
        assert watch.take([]) == []
        (tmp_path / "code.so").hardlink_to(tmp_path / "labels")
        (tmp_path / "code.so").read_bytes()
        Path(f"/proc/{os.getppid()}/status").read_text()
        assert watch.take([]) == [str((tmp_path / "labels").resolve()), f"/proc/{os.getppid()}/status"]
    finally:
        watch.end()


# How a model may come to labels beside `open`, and how what is seen of it ends or what is in it.
WAYS = {
    "a program of Python": ("subprocess.run([sys.executable, '-c', f'open({str(labels)!r})'])", "program"),
    "a process that is spawned": (
        "import multiprocessing as m\nm.get_context('spawn').Process(target=os.getpid).start()", "program"),
    "a process that is forked": ("os.fork() or (labels.read_text(), os._exit(0))\nos.wait()", "labels.csv"),
    "a query of polars": ("pl.sql(f\"select * from read_csv('{labels}')\").collect()", "labels.csv"),
    "a query of its tables": (
        "pl.DataFrame({'a': [1]}).sql(f\"select * from read_csv('{labels}')\")", "labels.csv"),
    "a reader of polars by its module": (
        "__import__('polars.io.csv.functions').io.csv.functions.read_csv(labels)", "labels.csv"),
    "a pattern that polars expands": ("pl.read_csv(f'{labels.parent}/*.csv')", "labels.csv"),
    "names in a folder": ("os.listdir(labels.parent)", "data/"),
    "names in a folder by a walk": ("list(os.walk(labels.parent))", "data/"),
    "a file that is called a module": ("(labels.parent / 'x.py').read_text()", "x.py"),
    "a file below site-packages of its own": ("(labels.parent / 'site-packages' / 'x').read_text()", "x"),
    "a function of C": ("ctypes.CDLL(None).open(str(labels).encode(), 0)", "(a function of C) open"),
    "memory of another process": ("ctypes.CDLL(None).process_vm_readv", "(a function of C) process_vm_readv"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_a_file_that_can_be_seen_is_seen(tmp_path: Path, way: str) -> None:
    """In a process of its own, as that of models: what is watched once stays so."""
    code, seen = WAYS[way]
    (tmp_path / "data" / "site-packages").mkdir(parents=True)
    for name in ("labels.csv", "x.py", "site-packages/x"):
        (tmp_path / "data" / name).write_text("unit,label\na,1\n")
    head = (
        "import ctypes, os, subprocess, sys\nfrom pathlib import Path\nimport polars as pl\n"
        "from logbench.base.file_watch import Watch, watch_polars, watch_processes\n"
        f"labels = Path({str(tmp_path / 'data' / 'labels.csv')!r})\n"
        "watch_polars()\nwatch_processes()\nwatch = Watch()\nimport package, package.module\n"
        "import sqlite3, json, zoneinfo, importlib.metadata\nimportlib.metadata.version('polars')\n"
        "assert watch.take([]) == [], 'Python itself is not seen'\n"
    )
    (tmp_path / "package").mkdir()
    for name in ("__init__", "module"):
        (tmp_path / "package" / f"{name}.py").touch()
    (tmp_path / "way.py").write_text(f"{head}{code}\nprint('\\n'.join(watch.take([])))\n")
    done = subprocess.run([sys.executable, "way.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert any(line.endswith(seen) or f"(a {seen})" in line for line in done.stdout.splitlines()), done.stdout


def test_what_a_model_writes_among_its_own_files_is_seen_since_its_twin_may_read_it(tmp_path: Path) -> None:
    own, given = tmp_path / "package", tmp_path / "given"
    own.mkdir(), given.mkdir()
    (own / "weights").write_text("x")
    watch = Watch()
    try:
        (own / "weights").read_text()
        (given / "model").write_text("x")
        assert watch.take([given], [own]) == []
        (own / "labels").write_text("0, 1")
        assert watch.take([given], [own]) == [f"(written) {own.resolve() / 'labels'}"]
    finally:
        watch.end()


def test_units_come_back_from_files_as_they_were_and_a_changed_byte_is_seen(tmp_path: Path) -> None:
    whole = Sessions.of(
        [[0, 1], [], [2, 2, 5]], 3, labels=np.array([0, 1, 0], np.int8), templates=("a", "b\ud800", "c"),
        lines=np.arange(5), times=np.arange(5), weights=np.array([1.0, 9.0, 1.0]), ids=["normal", "bad", "n"],
    )  # fmt: skip
    for times, labelled in ((False, False), (True, True)):
        given = neutral(whole, {"times"} if times else frozenset(), labelled=labelled)
        folder = tmp_path / f"{times}"
        folder.mkdir()
        handed = write(given, folder / "units", write_templates(given.templates, folder))
        found = read(handed)
        assert found.keys.tolist() == whole.keys.tolist() and found.offsets.tolist() == whole.offsets.tolist()
        assert found.templates == whole.templates and found.ids.to_list() == ["0", "1", "2"]
        assert found.weights.tolist() == [1.0, 1.0, 1.0] and found.lines is None
        assert (found.times is None) != times and (found.labels is None) != labelled
        assert found.distinct.inverse.tolist() == whole.distinct.inverse.tolist()
        with pytest.raises(ValueError, match="read-only"):
            found.keys[0] = 3
        assert handed.changed(given) == []
        for name in ["ids", "keys", "offsets", "first", "inverse", "counts", *(["times"] if times else [])]:
            file = folder / "units" / f"{name}.npy"
            as_written = file.read_bytes()
            file.chmod(0o600)
            for other in (as_written[:-1] + b"\7", as_written[:-1], as_written.replace(b"<i", b">i"), b""):
                file.write_bytes(other)
                assert handed.changed(given) == [file.name]
            file.unlink()
            assert handed.changed(given) == [file.name]
            file.write_bytes(as_written)
        assert handed.changed(given) == []


def test_progress_is_shown_as_a_share_where_the_total_is_known() -> None:
    assert [str(Running("fit")), str(Running("fit", 1, 4))] == ["fit", "fit 25%"]
    assert ModelTraits().keys_only is False, "nothing is shared unless the author says so"


def test_what_models_share_cannot_be_counted_down_in_place() -> None:
    sessions = Sessions.of([[0, 1, 4], [], [2, 2, 5]], 3)
    histories = sessions.histories(1)
    found = [
        sessions.lengths,
        sessions.clipped_keys,
        sessions.units,
        sessions.unseen,
        sessions.cached("x", sessions.keys.copy),
    ]
    for frozen in (sessions.distinct, sessions.distinct.take(np.array([1])), histories, histories.distinct):
        found += [array for array in vars(frozen).values() if isinstance(array, np.ndarray)]
    assert len(found) == 5 + 3 + 3 + 4 + 3
    for array in found:
        with pytest.raises(ValueError, match="read-only"):
            np.subtract(array, 1, out=array)
