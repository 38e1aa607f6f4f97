"""The door `--executor`: plans travel, records are those of this machine, and other data are refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import logbench
from logbench import ConfigError, ExecutorComponent, ExecutorRequest, Plan, Running
from logbench.base.child_process import Limits
from logbench.base.failure import ReportedError
from logbench.base.progress_bars import Bars
from logbench.components.entry import Plugin, installed
from logbench.components.registry import Registry
from logbench.running import on_node, records
from logbench.running.on_node import Lacking, OnNode, Parcel
from logbench.running.workers import Crew
from logbench.studies.workbench import Workbench, open_elsewhere

TIMES = ("run_id", "stages", "started", "finished", "checksums", "artifacts", "environment", "training")
FILES = {
    "hdfs_train": "1 2 3 1 2 3\n" * 30,
    "hdfs_test_normal": "1 2 3 1 2 3\n" * 10,
    "hdfs_test_abnormal": "1 2 3 4 5\n",
}


@pytest.fixture(autouse=True)
def _crews(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "cache"))
    yield
    on_node._crew.cache_clear()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


class Elsewhere:
    """Calls the function for bytes of plans, as another machine would that has other files: see `there`."""

    jobs = 2

    def __init__(self, there: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        self.there, self.asked = there, list[ExecutorRequest]()

    def map_watched(self, function: Any, plans: Sequence[Plan], watch: Any) -> Iterator[tuple[int, Any]]:
        for number, plan in enumerate(plans):
            watch({number: Running("there")})
            call, parcel = pickle.loads(pickle.dumps((function, plan)))
            with self.there():
                answer = call(parcel)
            yield number, pickle.loads(pickle.dumps(answer))

    def map(self, function: Any, plans: Sequence[Plan]) -> Iterator[tuple[int, Any]]:
        return self.map_watched(function, plans, lambda _: None)

    @contextmanager
    def open(self, request: ExecutorRequest) -> Iterator[Elsewhere]:
        self.asked.append(request)
        yield self


class Sending(Elsewhere):
    """It can send values, too."""

    def share(self, value: bytes) -> Value:
        return Value(value)


class Value:
    def __init__(self, value: bytes) -> None:
        self.value = value

    def __call__(self) -> bytes:
        return self.value


def plans(data: Path | None, out: Path, *models: str) -> list[Plan]:
    name = "deeplog-archive" if data else "hdfs-sim"
    settings = {} if data else {"dataset": {"blocks": 300}, "protocol": {"train_units": 100}}
    return [Plan(model=one, dataset=name, data=data, settings=settings, out=out) for one in models]


def ran(asked: Sequence[Plan], executor: Elsewhere | None = None, **limits: float) -> dict[int, Any]:
    registry, most = Registry(), Limits(**limits)
    with Bars(enabled=False) as bars, Crew(1, (), most, bars.note) as crew:
        bench = Workbench(registry, bars, crew)
        if executor is None:
            return dict(bench.run(asked))
        place = ExecutorComponent("elsewhere", executor.open)
        with open_elsewhere(place, "there:1", bench, crew, block=(), limits=most, jobs=None) as far:
            return dict(far.run(asked))


@contextmanager
def without(folder: Path) -> Iterator[None]:
    """The folder is not there."""
    folder.rename(folder.with_name("away"))
    try:
        yield
    finally:
        folder.with_name("away").rename(folder)


def facts(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in TIMES}


@pytest.mark.parametrize("of", ["generated", "given"])
def test_records_and_tables_are_those_of_this_machine(of: str, data: Path, tmp_path: Path) -> None:
    given = data if of == "given" else None
    here = ran(plans(given, tmp_path / "here", "length", "ecvc"))
    executor = Elsewhere()
    there = ran(plans(given, tmp_path / "there", "length", "ecvc"), executor)
    assert executor.asked[0].address == "there:1" and executor.asked[0].jobs is None
    for number in (0, 1):
        assert here[number]["status"] == "ok", here[number]["error"]
        assert facts(here[number]) == facts(there[number])
        assert here[number]["artifacts"].keys() == there[number]["artifacts"].keys()
        for name in here[number]["artifacts"]:
            first, second = (
                (tmp_path / side / one["artifacts"][name]).read_bytes()
                for side, one in (("here", here[number]), ("there", there[number]))
            )
            assert first == second, name
    assert len(list(records.read(tmp_path / "there"))) == 2


def test_other_data_in_the_same_place_are_refused_in_a_line(data: Path, tmp_path: Path) -> None:
    @contextmanager
    def other() -> Iterator[None]:
        (data / "hdfs_train").write_text("9 9 9\n" * 30)
        yield

    record = ran(plans(data, tmp_path / "out", "length"), Elsewhere(other))[0]
    assert record["status"] == "error"
    assert f"has other data in {data}: digest " in record["error"]["message"]
    assert record["error"].get("traceback") is None


def test_data_that_are_not_there_are_sent_whole_and_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logbench.running.remote.PART", 100)  # several parts a file
    here = ran(plans(data, tmp_path / "here", "length", "ecvc"))
    gone = Sending(partial(without, data))
    there = ran(plans(data, tmp_path / "there", "length", "ecvc"), gone)
    assert {number: facts(one) for number, one in here.items()} == {n: facts(one) for n, one in there.items()}
    (received,) = (tmp_path / "cache" / "received").iterdir()
    assert {path.name: path.read_text() for path in received.iterdir()} == FILES


def test_an_executor_that_sends_nothing_says_what_lacks(data: Path, tmp_path: Path) -> None:
    gone = Elsewhere(partial(without, data))
    record = ran(plans(data, tmp_path / "out", "length"), gone)[0]
    assert record["error"]["message"].endswith(
        f"has no {data}, and this executor sends no files; put the data there"
    )


def test_other_code_is_refused_in_a_line(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbench.running.remote.code_of", lambda resolved: {"polars": "0.1"})
    record = ran(plans(data, tmp_path / "out", "length"), Elsewhere())[0]
    assert " has another release or other code of Python, " in record["error"]["message"]
    assert "polars" in record["error"]["message"] and "plugin datasets" in record["error"]["message"]


def test_a_limit_of_time_holds_there(data: Path, tmp_path: Path) -> None:
    (tmp_path / "hang.py").write_text(
        "import time\n\n\nclass Hang:\n    def fit(self, train, context):\n        time.sleep(600)\n\n"
        "    def score(self, sessions, context):\n        return sessions.lengths\n"
    )
    asked = plans(data, tmp_path / "out", f"{tmp_path / 'hang.py'}", "length")
    found = ran(asked, Elsewhere(), timeout=1.0)
    assert found[0]["error"]["message"] == "took longer than --timeout 1 s to fit and score"
    assert found[1]["status"] == "ok"


def test_what_travels_is_small_and_whole() -> None:
    wanted = on_node.Wanted("/data", "d" * 64, False, {"logbench": "c" * 12})
    plan = Plan(model="length", dataset="hdfs-sim", seed=3)
    parcel = pickle.loads(pickle.dumps(Parcel.of(plan, wanted)))
    assert parcel.plan_at(None) == plan and parcel.wanted == wanted
    task = OnNode(logbench.run_plan, (), Limits())
    assert len(pickle.dumps((task, parcel))) < 2000
    assert isinstance(task(parcel), Lacking)
    error = pickle.loads(pickle.dumps(ReportedError({"type": "A", "message": "b"})))
    assert error.facts == {"type": "A", "message": "b"}


class Offer:
    @staticmethod
    @logbench.hookimpl
    def logbench_executors() -> Iterator[ExecutorComponent]:
        yield ExecutorComponent("pool", Elsewhere().open)
        yield ExecutorComponent("far", Elsewhere().open, requires=("no-such-package",))


def test_executors_are_found_by_their_names() -> None:
    registry = Registry([*installed(), Plugin("offer", "tests", "0", lambda: Offer)])
    assert registry.executor("pool").item.name == "pool"
    with pytest.raises(ConfigError, match="did you mean 'pool'"):
        registry.executor("pol")
    with pytest.raises(ConfigError, match="executor far needs no-such-package, which is not installed: pip"):
        registry.executor("far")
