"""The leaderboard: work is shared, labels stay where they belong, nothing that one model does stops another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import click
import numpy as np
import polars as pl
import pytest
from distributions import distribution
from hypothesis import given
from hypothesis import strategies as st

import logbench
from logbench import Plan, Sessions
from logbench.api.protocol import EvaluationProtocol
from logbench.cli.leaderboard import chosen
from logbench.components.entry import Plugin, installed
from logbench.components.registry import Registry
from logbench.evaluation.threshold_traits import ThresholdTraits
from logbench.evaluation.verdicts import decide
from logbench.studies.leaderboard import Leaderboard, ranked
from logbench.studies.workbench import Workbench

MODELS = """
import os, subprocess, time
from pathlib import Path
import numpy as np
import polars as pl
import logbench

class Good:
    def fit(self, train, context): ...
    def score(self, sessions, context):
        return sessions.lengths.astype(float)

class Hang(Good):
    def fit(self, train, context):
        child = subprocess.Popen(["sleep", "600"])
        Path(os.environ["PIDS"]).write_text(f"{os.getpid()} {child.pid}")
        time.sleep(600)

class Killed(Good):
    def score(self, sessions, context):
        os.kill(os.getpid(), 9)

class Leaves(Good):
    def fit(self, train, context):
        os._exit(3)

class Spoils(Good):
    def fit(self, train, context):
        train.keys += 1

class Panics(Good):
    def fit(self, train, context):
        class Panic(BaseException): ...
        raise Panic("no way on")

class Hungry(Good):
    def fit(self, train, context):
        raise MemoryError

class Exits(Good):
    def fit(self, train, context):
        raise SystemExit(3)

class Explains(Good):
    def score(self, sessions, context):
        scores = sessions.lengths.astype(float)
        return logbench.Scores(scores, np.zeros(len(sessions), dtype=np.int64))
    def expected(self, sessions, events, context):
        time.sleep(5)
        return pl.Series([[0]] * len(sessions))

class Noisy(Good):
    def fit(self, train, context):
        os.write(1, b"native noise")

@logbench.hookimpl
def logbench_models():
    for kind in (Good, Hang, Killed, Leaves, Spoils, Panics, Hungry, Exits, Explains, Noisy):
        yield logbench.ModelComponent(kind.__name__.lower(), kind)
"""


def write_archive(folder: Path) -> Path:
    """Ten sessions to train, ten normal ones to test and one anomaly."""
    folder.mkdir()
    (folder / "hdfs_train").write_text("1 2 3 1 2 3 1 2 3 1 2 3\n" * 10)
    (folder / "hdfs_test_normal").write_text("1 2 3 1 2 3 1 2 3 1 2 3\n" * 10)
    (folder / "hdfs_test_abnormal").write_text("1 2 3 1 2 3 1 2 3 1 2 3 4 5\n")
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a plugin of models that go wrong, installed, and data."""
    folder = tmp_path / "site"
    distribution(folder, "nasty", MODELS)
    write_archive(folder / "data")
    return folder


def command(site: Path, models: str, *words: str) -> dict[str, Any]:
    """What starts a leaderboard of `models` in the folder `site`, for `subprocess`."""
    line = [sys.executable, "-m", "logbench", "leaderboard", "--dataset", "deeplog-archive", "--data", "data"]
    env = {**os.environ, "PYTHONPATH": str(site), "LOGBENCH_CACHE": str(site / "cache"), "OMP_NUM_THREADS": "1"}
    env["PIDS"] = str(site / "pids")
    line += ["--models", models, "--seeds", "1", "--no-baselines"]
    return {"args": [*line, *words], "cwd": site, "env": env, "text": True}


def board(site: Path, models: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(**command(site, models, *words), capture_output=True, timeout=300, check=False)


def records_of(site: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (site / "runs" / "records.jsonl").read_text().splitlines()]


def test_each_end_is_a_row_with_its_reason_and_stops_nothing_else(site: Path) -> None:
    bad = {
        "hang": "took longer than --timeout 4 s to fit and score",
        "killed": "killed by signal 9 (out of memory?)",
        "leaves": "its process ended with code 3",
        "spoils": "output array is read-only",
        "panics": "Panic: no way on",
        "hungry": "MemoryError",
        "exits": "it called sys.exit(3)",
    }
    names = ",".join([*bad, "explains", "noisy", "good", "knn"])  # explaining is slow, but no fitting nor scoring
    done = board(site, names, "--timeout", "4", "--format", "json")
    rows = {row["name"]: row for row in json.loads(done.stdout) if row["kind"] == "model"}
    assert {name: rows[name]["reason"] for name in bad} == bad
    assert all(rows[name]["status"] == "error" for name in bad)
    assert rows["knn"]["status"] == "skipped" and "protocol.content=labelled" in rows["knn"]["reason"]
    assert rows["good"]["f1"] == rows["noisy"]["f1"] == rows["explains"]["f1"] == 1.0
    assert list(rows)[:3] == ["explains", "good", "noisy"]  # the best first
    assert "native noise" in done.stderr and "11 of 11" in done.stderr
    assert done.returncode == 1  # spoils is a bug
    assert sorted(record["model"] for record in records_of(site)) == sorted(rows)
    assert not alive(site)


def test_what_ran_is_taken_over_and_what_failed_is_tried_again(site: Path) -> None:
    assert board(site, "good,leaves,noisy").returncode == 2
    again = board(site, "good,leaves,noisy")
    assert "2 of 3 runs taken over" in again.stderr and "leaves: its process ended with code 3" in again.stdout
    assert [record["model"] for record in records_of(site)] == ["good", "leaves", "noisy", "leaves"]
    (lost,) = (record for record in records_of(site) if record["model"] == "noisy")
    (site / "runs" / lost["artifacts"]["scores"]).unlink()
    assert "1 of 2 runs taken over" in board(site, "good,noisy").stderr
    (site / "nasty.py").write_text(MODELS + "\n# edited\n")
    assert "taken over" not in board(site, "good").stderr


def test_runs_side_by_side_say_so_and_give_no_times(site: Path) -> None:
    done = board(site, "good,noisy", "--jobs", "2")
    assert "up to 2 runs went side by side" in done.stdout and "CPU s" not in done.stdout
    assert [record["environment"]["contended"] for record in records_of(site)] == [2, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_end_from_outside_leaves_no_process_and_what_was_finished(site: Path, number: int) -> None:
    quiet = subprocess.PIPE
    running = subprocess.Popen(**command(site, "good,hang"), stdout=quiet, stderr=quiet)
    wait_for(lambda: (site / "pids").exists() and (site / "pids").read_text())
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == (130 if number == signal.SIGINT else -number)
    assert "Traceback" not in said
    wait_for(lambda: not alive(site))
    again = board(site, "good,hang", "--timeout", "1")
    assert "1 of 2 runs taken over" in again.stderr


def alive(site: Path) -> list[int]:
    """The worker that hangs and its child, those of them that still run."""
    found = []
    for pid in map(int, (site / "pids").read_text().split()):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        found += [pid] if state != "Z" else []  # a zombie waits for whoever adopted it
    return found


def wait_for(condition: Any) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


class Seen:
    """Keeps what it was given first; a few units are scored again without the others."""

    given: ClassVar[list[tuple[Sessions, Sessions | None, Sessions]]] = []

    def fit(self, train: Sessions, context: Any) -> None:
        self.train, self.held, self.scored = train, context.held_out, False

    def score(self, sessions: Sessions, context: Any) -> Any:
        if not self.scored:
            Seen.given.append((self.train, self.held, sessions))
            self.scored = True
        return sessions.lengths.astype(np.float64)


class Offer:
    @staticmethod
    @logbench.hookimpl
    def logbench_models() -> Iterator[logbench.ModelComponent[Any]]:
        for kind in ("unsupervised", "semi-supervised", "supervised"):
            yield logbench.ModelComponent(kind, Seen, traits=logbench.ModelTraits(supervision=kind))  # type: ignore[arg-type]


@pytest.fixture
def registry() -> Registry:
    Seen.given.clear()
    return Registry([*installed(), Plugin("offer", "tests", "0", lambda: Offer)])


LABELLED = {
    "dataset": {"blocks": 400},
    "protocol": {"train": "random", "train_units": 300, "content": "labelled", "held_out": 0.5},
}


def test_labels_reach_only_supervised_models_and_anomalies_no_semi_supervised_one(
    registry: Registry, tmp_path: Path
) -> None:
    kinds = ("unsupervised", "semi-supervised", "supervised")
    records = logbench.run(kinds, dataset="hdfs-sim", registry=registry, out=tmp_path, settings=LABELLED)
    assert [record.status for record in records] == ["ok"] * 3
    (blind, *_), (semi, semi_held, _), (taught, *_) = Seen.given
    assert blind.labels is None and semi.labels is None and taught.labels is not None
    held = [held for _, held, _ in Seen.given]
    assert [one is not None and one.labels is not None for one in held] == [False, False, True]
    assert all(scored.labels is None for _, _, scored in Seen.given)
    told = [record.audit["labels"] for record in records]
    assert told == ["none", "none", "training and held-out units"]
    assert blind.keys.tolist() == taught.keys.tolist() and blind.offsets.tolist() == taught.offsets.tolist()
    assert sequences(semi) == sequences(taught.take(taught.labels == 0))
    assert len(semi) < len(taught) and semi_held is not None and len(semi_held) < len(Seen.given[0][1] or ())
    normal = records[0].threshold["held_out"]
    assert normal == len(semi_held)  # alpha counts false alarms, whoever is trained


def sequences(sessions: Sessions) -> list[list[int]]:
    """The key sequences, sorted: units come in an order of their own."""
    return sorted(part.tolist() for part in np.split(sessions.keys, sessions.offsets[1:-1]))


def test_models_of_one_command_are_given_the_same_objects(registry: Registry, tmp_path: Path) -> None:
    settings = {"dataset": {"blocks": 200}, "protocol": {"train_units": 50}}
    names = ("unsupervised", "semi-supervised")
    logbench.run(names, dataset="hdfs-sim", registry=registry, out=tmp_path, settings=settings)
    first, second = Seen.given
    assert all(one is other for one, other in zip(first, second, strict=True))
    with pytest.raises(ValueError, match="read-only"):
        first[2].keys[0] = 0


@given(st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=12), st.data())
def test_distinct_sequences_of_a_part_are_those_found_afresh(
    sequences: list[list[int]], data: st.DataObject
) -> None:
    index = np.array(data.draw(st.lists(st.integers(0, len(sequences) - 1), max_size=15)), dtype=np.int64)
    whole = Sessions.of(sequences, 3)
    afresh = whole.take(index).distinct
    _ = whole.distinct
    found = whole.take(index).distinct
    for name in ("first", "inverse", "counts"):
        assert getattr(found, name).tolist() == getattr(afresh, name).tolist()
        assert getattr(found, name).dtype == getattr(afresh, name).dtype


def test_what_is_made_once_is_not_made_again_nor_handed_to_unlabelled_twins() -> None:
    sessions = Sessions.of([[0, 1], [1]], 2, labels=np.array([0, 1], dtype=np.int8))
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [sessions.cached("x", make), sessions.cached("x", make)] == [1, 1]
    distinct, bare = sessions.distinct, sessions.unlabelled()
    assert bare.distinct is distinct and bare.labels is None
    assert bare.cached("x", make) == 2


@pytest.mark.parametrize(("content", "expected"), [("labelled", 3.0), ("mixed", 9.0)])
def test_known_anomalies_do_not_raise_a_threshold_of_false_alarms(content: Any, expected: float) -> None:
    held = pl.DataFrame({"raw": [1.0, 2.0, 3.0, 9.0], "label": [0, 0, -1, 1]})
    scored = held.with_columns(
        part=pl.lit("held_out"), weight=1.0, events=3, unseen=0, event=pl.lit(None, pl.Int64)
    ).cast({"label": pl.Int8})
    protocol = EvaluationProtocol(content=content, alpha=0.01)
    decision = decide(
        pl.concat([scored, scored.with_columns(part=pl.lit("test"))]), protocol, ThresholdTraits(), short_limit=1
    )
    assert decision.threshold["value"] == expected


def plans(data: Path, out: Path, *names: str, **options: Any) -> list[Plan]:
    return [
        Plan(model=name, dataset="deeplog-archive", data=data, out=out, companions=names, **options)
        for name in names
    ]


def taken(registry: Registry, asked: list[Plan], resume: bool = True) -> int:
    return Leaderboard(asked, Workbench.here(registry, resume=resume)).taken_over


def test_only_the_same_plan_data_and_protocol_is_taken_over(tmp_path: Path, registry: Registry) -> None:
    data, out = write_archive(tmp_path / "data"), tmp_path / "out"
    for model in ("length", "isolation-forest"):
        options = {"dataset": "deeplog-archive", "data": data, "out": out}
        (record,) = logbench.run(model, registry=registry, **options)
        assert record.status == "ok", record.error
    same = plans(data, out, "length", "isolation-forest")
    assert taken(registry, same) == 2
    assert taken(registry, same, resume=False) == 0
    assert taken(registry, plans(data, tmp_path / "elsewhere", "length")) == 0
    assert taken(registry, plans(data, out, "isolation-forest", seed=1)) == 0
    assert taken(registry, plans(data, out, "isolation-forest", settings={"model": {"trees": 3}})) == 0
    assert taken(registry, plans(data, out, "length", settings={"protocol": {"short": "drop"}})) == 0
    assert taken(registry, plans(data, out, "length", "10-gram", settings={"protocol": {"min_events": 3}})) == 0
    (data / "hdfs_test_abnormal").write_text("1 2 3 4 6\n")
    assert taken(registry, plans(data, out, "length")) == 0


def test_the_best_mean_f1_comes_first_and_failures_last() -> None:
    def record(model: str, f1: float | None, seed: int = 0, auprc: float = 0.5) -> dict[str, Any]:
        metrics = {} if f1 is None else {"session": {"all": {"f1": f1, "auprc": auprc}, "distinct": None}}
        return {
            "run_id": model, "model": model, "seed": seed, "metrics": metrics,
            "status": "ok" if metrics else "error",
            "directions": {"session": {"f1": "higher"}},
            "dataset": {"unit": "session"}, "protocol": {"duplicates": "all", "split_seed": 0},
        }  # fmt: skip

    found = [
        record("fails", None),
        record("mean .5", 0.9, 1),
        record("mean .5", 0.1, 0),
        record("tie low", 0.6, auprc=0.1),
        record("tie high", 0.6, auprc=0.2),
        record("zero", 0.0),
    ]
    order = [(one["model"], one["seed"]) for one in ranked(found)]
    assert order == [("tie high", 0), ("tie low", 0), ("mean .5", 0), ("mean .5", 1), ("zero", 0), ("fails", 0)]


@pytest.mark.parametrize("models", ["", ", ,"])
def test_no_name_is_not_every_model(models: str) -> None:
    with pytest.raises(click.UsageError, match="no model to run"):
        chosen(Registry(), [models], [])


def test_an_option_that_is_given_twice_holds_twice() -> None:
    assert chosen(Registry(), ["length,ecvc", "new-event"], ["ecvc"]) == ("length", "new-event")
    left = chosen(Registry(), [], ["deeplog", "edit"])
    assert "ecvc" in left and not {"deeplog", "edit"} & set(left)


@pytest.mark.parametrize("metric", ["nope", "prevalence", "cost.nope"])
def test_a_metric_that_cannot_rank_is_refused_before_anything_runs(site: Path, metric: str) -> None:
    done = board(site, "good", "--metric", metric)
    why = "has no direction" if metric == "prevalence" else "no evaluator gives"
    assert done.returncode == 2 and metric in done.stderr and why in done.stderr, done.stderr
    assert not (site / "runs").exists() and not done.stdout


def test_which_models_are_not_told_apart_stands_under_the_table_and_in_no_json(site: Path) -> None:
    done = board(site, "good,noisy")
    assert "told apart from" in done.stdout and "told apart from" not in done.stderr
    rows = board(site, "good,noisy", "--format", "json")
    assert len(json.loads(rows.stdout)) > 1 and "told apart from" in rows.stderr
    tied = {row["name"]: row["tied"] for row in json.loads(rows.stdout)}
    assert tied["good"] and tied["noisy"] and not tied["predict all"]
    assert " tied " in done.stdout and all(len(line) <= 100 for line in done.stdout.splitlines())
