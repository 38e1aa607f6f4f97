"""A plugin that is edited between two runs, of one version: its figures follow the code, never a cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from distributions import announce

LINES = 600
PLUGIN = {
    "mine/__init__.py": """
import logbench
from . import data, judge, models, parse, windows

CARD = logbench.Card(title="mine", label="line", unit="window", parser="mine-parse", windower="mine-windows",
                     protocol="chronological", layout="a folder", simulated=True,
                     settings={"protocol": {"held_out": 0.0, "threshold": "fixed"}})


@logbench.hookimpl
def logbench_datasets():
    yield logbench.DatasetComponent("mine", data.Mine, card=CARD)


@logbench.hookimpl
def logbench_windowers():
    yield logbench.WindowerComponent("mine-windows", windows.Windows)


@logbench.hookimpl
def logbench_parsers():
    yield logbench.ParserComponent("mine-parse", parse.Parse)


@logbench.hookimpl
def logbench_models():
    binary = logbench.ModelTraits(binary_scores=True, fixed_threshold=0.5)
    yield logbench.ModelComponent("mine-model", models.Model, traits=binary)


@logbench.hookimpl
def logbench_evaluators():
    yield logbench.EvaluatorComponent("mine-judge", judge.Judge, default=True)
""",
    "mine/data.py": """
import polars as pl
import logbench
from mine_helper import LABELLED

LINES = 600


class Mine:
    def generate(self, folder, progress):
        (folder / "n.log").write_text("".join(f"step {n % 7} of {n}\\n" for n in range(LINES)))

    def read(self, path):
        frame = pl.scan_lines(path / "n.log", name="message", row_index_name="line")
        label = (pl.col("line") % LABELLED == 0).cast(pl.Int8)
        return logbench.Lines(frame.with_columns(label=label), files=[path / "n.log"])
""",
    "mine/windows.py": """
import json
import polars as pl
from pathlib import Path

SIZE = json.loads((Path(__file__).parent / "sizes.json").read_text())["size"]


class Windows:
    def assign(self, lines):
        return lines.with_columns(unit=(pl.col("line") // SIZE).cast(pl.String))
""",
    "mine/sizes.json": '{"size": 4}',
    "mine/parse.py": """
import numpy as np
import polars as pl

KEYS = 7


class Parse:
    masks = (("of [0-9]+", "of <*>"),)
    shape = ()
    templates = tuple(f"step {n}" for n in range(KEYS))

    def fit(self, messages):
        return self.match(messages)

    def match(self, messages):
        step = messages.str.extract("step ([0-9]+)").cast(pl.Int32)
        return (step % KEYS).to_numpy().astype(np.int32)

    def state(self):
        return {}

    def restore(self, state):
        pass
""",
    "mine/models.py": """
import numpy as np

ALARM = 1.0


class Model:
    def fit(self, train, context):
        return {"keys": int(train.vocabulary)}

    def score(self, sessions, context):
        return np.full(len(sessions), ALARM)
""",
    "mine/judge.py": """
FACTOR = 1


class Judge:
    def evaluate(self, units):
        return {"units": FACTOR * len(units)}
""",
    "mine_helper/__init__.py": "LABELLED = 50\n",
}
EDITS: Mapping[str, tuple[str, str, str]] = {
    "data set, what it generates": ("mine/data.py", "LINES = 600", "LINES = 900"),
    "data set, what it reads": ("mine/data.py", "% LABELLED == 0", "% LABELLED < 5"),
    "data set, by a helper in another package": ("mine_helper/__init__.py", "LABELLED = 50", "LABELLED = 25"),
    "windower, by a table in its package": ("mine/sizes.json", "4", "6"),
    "windower": ("mine/windows.py", "// SIZE", "// (SIZE // 2)"),
    "parser": ("mine/parse.py", "KEYS = 7", "KEYS = 3"),
    "parser, its masks": ("mine/parse.py", '(("of [0-9]+", "of <*>"),)', '(("of [0-9]+", "of *"),)'),
    "model": ("mine/models.py", "ALARM = 1.0", "ALARM = 0.0"),
    "evaluator": ("mine/judge.py", "FACTOR = 1", "FACTOR = 3"),
}


class Site:
    """A folder with the plugin, as `pip install -e` leaves it, and a cache and records of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in PLUGIN.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        announce(folder, "dist-mine", "0.1", {"mine": "mine"})

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def logbench(self, *words: str, compiled: bool = False) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": f"{self.folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
               "LOGBENCH_CACHE": str(self.folder / "cache"),
               "PYTHONDONTWRITEBYTECODE": "" if compiled else "1"}  # fmt: skip
        command = [sys.executable, "-m", "logbench", *words]
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=120
        )

    def run(self, *words: str, compiled: bool = False) -> dict[str, Any]:
        done = self.logbench("run", "mine-model", "--dataset", "mine", "--evaluator", "classification",
                             "--evaluator", "mine-judge", *words, "--json", compiled=compiled)  # fmt: skip
        assert done.returncode == 0, done.stderr
        record: dict[str, Any] = json.loads(done.stdout)
        return record


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def numbers(lines: int = LINES, step: int = 50, width: int = 1, size: int = 4) -> tuple[int, int, int]:
    """Windows, anomalous ones, and tested windows, counted line by line as the plugin's own code would."""
    units: dict[int, int] = {}
    for line in range(lines):
        units[line // size] = max(units.get(line // size, 0), int(line % step < width))
    return len(units), sum(units.values()), len(units) - round(0.8 * len(units))


def figures(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Windows, anomalies, tested ones, keys, recall, and what the plugin's evaluator says."""
    recall = record["metrics"]["window"]["all"]["recall"]
    counted = record["metrics"]["mine-judge"]["all"]["units"]
    return (
        *(record["dataset"]["sessions"], record["dataset"]["anomalies"], record["split"]["test"]),
        *(record["training"]["keys"], recall, counted),
    )


# What each edit changes.
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "data set, what it generates": {"lines": 900},
    "data set, what it reads": {"width": 5},
    "data set, by a helper in another package": {"step": 25},
    "windower, by a table in its package": {"size": 6},
    "windower": {"size": 2},
    "parser": {"keys": 3},
    "parser, its masks": {},
    "model": {"recall": 0.0},
    "evaluator": {"factor": 3},
}


def wanted(keys: int = 7, recall: float = 1.0, factor: int = 1, **sizes: int) -> Any:
    found = numbers(**sizes)
    return (*found, keys, recall, factor * found[2])


def test_figures_follow_the_edited_code(site: Site) -> None:
    first, again = site.run(), site.run()
    assert figures(first) == figures(again) == wanted()
    assert [record["stages"]["group"]["cached"] for record in (first, again)] == [False, True]
    assert [record["stages"]["locate"]["cached"] for record in (first, again)] == [False, True]
    for what, (file, old, new) in EDITS.items():
        site.edit(file, old, new)
        record = site.run()
        assert figures(record) == wanted(**CHANGES[what]), what
        assert not record["stages"]["locate"]["cached"] and not record["stages"]["group"]["cached"], what
        assert record["plugins"]["mine"]["code"] != first["plugins"]["mine"]["code"]
        site.edit(file, new, old)
    back = site.run()
    assert figures(back) == figures(first) and back["plugins"] == first["plugins"]
    assert back["stages"]["group"]["digest"] == first["stages"]["group"]["digest"]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no time of change that cannot be put back")
def test_edits_that_leave_size_and_time_run_though_there_are_compiled_files(site: Site) -> None:
    """Python takes a compiled file for that of a source by size and time in seconds."""
    assert figures(site.run(compiled=True)) == wanted()
    assert [*site.folder.rglob("mine/__pycache__/data.*.pyc")] and [*site.folder.rglob("mine_helper/*/*.pyc")]

    def edit(file: str, old: str, new: str) -> None:
        times = (site.folder / file).stat()
        site.edit(file, old, new)
        os.utime(site.folder / file, ns=(times.st_atime_ns, times.st_mtime_ns))

    file, old, new = EDITS["data set, what it generates"]
    changes = {"lines": 900, "recall": 0.0, "factor": 3}
    for what in ("data set, what it generates", "model", "evaluator"):
        edit(*EDITS[what])
    for found in (changes, {"recall": 0.0, "factor": 3}):
        record = site.run(compiled=True)
        assert figures(record) == wanted(**found)
        assert record["plugins"]["mine"]["code"] and not [note for note in record["notes"] if "edited" in note]
        if found is changes:
            edit(file, new, old)
    edit(*EDITS["data set, by a helper in another package"])
    record = site.run(compiled=True)
    assert record["plugins"]["mine"]["code"] is None and "edited after" in " ".join(record["notes"])
    record = site.run(compiled=True)
    assert figures(record) == wanted(step=25, recall=0.0, factor=3)
    assert record["plugins"]["mine"]["code"]


def test_no_cache_reads_and_leaves_nothing(site: Site) -> None:
    record = site.run("--no-cache")
    assert figures(record) == wanted()
    assert [path for path in (site.folder / "cache").rglob("*") if path.is_file()] == []
    site.run()
    (log,) = (site.folder / "cache").rglob("n.log")
    (log.parents[1] / "sums.json").unlink()
    log.write_text("step 1 of 1\n" * 30)
    record = site.run("--no-cache")
    assert figures(record) == wanted()
    told = {name: record["stages"][name]["cached"] for name in ("locate", "read", "group")}
    assert told == {"locate": False, "read": False, "group": False}
    assert log.read_text() == "step 1 of 1\n" * 30 and len(list((site.folder / "cache").glob("*/*"))) == 2


def test_a_leaderboard_takes_over_nothing_of_edited_code(site: Site) -> None:
    words = ("leaderboard", "--dataset", "mine", "--models", "mine-model", "--seeds", "1", "--no-baselines")

    def runs() -> int:
        done = site.logbench(*words)
        assert done.returncode == 0, done.stderr
        return len((site.folder / "runs" / "records.jsonl").read_text().splitlines())

    assert [runs(), runs()] == [1, 1], "it was taken over"
    for number, what in enumerate(("model", "data set, by a helper in another package"), 2):
        site.edit(*EDITS[what])
        assert runs() == number, what
