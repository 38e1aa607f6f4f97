"""The ladder: every rung does what its name says, and its figures are what the table claims."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from one_thread import one_thread  # noqa: F401 (a fixture)

from logbench import Context, IncompatibleError, Sessions, prepare_sessions
from logbench.cli import cli
from logbench.torch import BruteBatches, DistinctBatches, new_network
from logbench_deeplog import DeepLogConfig
from logbench_deeplog.ladder.command import shown
from logbench_deeplog.ladder.device_table import device_table, equality, launches
from logbench_deeplog.ladder.evaluation_steps import time_evaluation
from logbench_deeplog.ladder.measurement import Clock, Memory, Row, Slices, compare, measure
from logbench_deeplog.ladder.naive_evaluation import Evaluation, EvaluationSettings, Items, confusion
from logbench_deeplog.ladder.on_device import Replayed, distinct_windows, verdicts_on_device
from logbench_deeplog.ladder.training_steps import InputSettings, _fed, time_training
from logbench_deeplog.model import DeepLog
from logbench_deeplog.network import Network

CONFIG = DeepLogConfig(h=3, g=4, hidden=8, batch=8, eval_batch=16)
KEYS = 6
REPORT = [
    EvaluationSettings(),
    EvaluationSettings(batch=7),
    EvaluationSettings(batch=7, passes=1),
    EvaluationSettings(batch=7, maps=True),
    EvaluationSettings(batch=7, passes=1, maps=True),
    EvaluationSettings(batch=7, passes=1, maps=True, tensors=True),
    EvaluationSettings(batch=7, passes=1, maps=True, tensors=True, forwards=1),
]


def sessions(units: int = 30, seed: int = 0, shortest: int = 4) -> Sessions:
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(0, KEYS, rng.integers(shortest, shortest + 8)).tolist() for _ in range(units)]
    drawn[1][-1] = KEYS + 2  # a key out of vocabulary comes
    drawn[2][0] = KEYS  # and one is only in a history
    return Sessions.of(drawn, KEYS, labels=rng.integers(-1, 2, units).astype(np.int8))


def evaluation(config: DeepLogConfig = CONFIG) -> Evaluation:
    network = new_network(lambda: Network(KEYS, config), 0, "cpu").eval()
    with torch.no_grad():  # so that some histories alarm and some do not
        for value in network.parameters():
            value.mul_(3)
    return Evaluation(network, config, Context())


def expected(given: Sessions, found: Evaluation) -> list[bool]:
    """Verdicts window by window, with a sorted list instead of ranks."""
    answer = []
    for begin, end in zip(given.offsets[:-1], given.offsets[1:], strict=True):
        keys, alarm = [min(int(k), KEYS) for k in given.keys[begin:end]], False
        for at in range(CONFIG.h, len(keys)):
            with torch.no_grad():
                logits = found.network(torch.tensor([keys[at - CONFIG.h : at]]))[0].tolist()
            likeliest = sorted(range(KEYS), key=lambda k: -logits[k])[: CONFIG.g]
            alarm |= keys[at] not in likeliest
        answer.append(alarm)
    return answer


@pytest.mark.parametrize("way", REPORT, ids=str)
def test_each_way_gives_the_verdicts_of_a_loop(way: EvaluationSettings) -> None:
    data, found = sessions(), evaluation()
    truth = expected(data, found)
    assert 0 < sum(truth) < len(truth)
    assert found.by(way, data).tolist() == truth


@pytest.mark.parametrize("name", ["plain", "brute", "distinct", "prefix"])
def test_our_rungs_give_the_verdicts_of_a_loop(name: str) -> None:
    data, found = sessions(seed=1), evaluation()
    assert getattr(found, name)(data).tolist() == expected(data, found)


@pytest.mark.parametrize(
    "config", [CONFIG, replace(CONFIG, pad=True), replace(CONFIG, h=30, g=5)], ids=["", "pad", "long"]
)
def test_windows_made_distinct_on_the_device_give_the_verdicts_of_each_by_itself(config: DeepLogConfig) -> None:
    given = evaluation(config)
    data = sessions(seed=3, shortest=31) if config.h == 30 else sessions(seed=3)
    truth = given.plain(data).tolist()
    assert 0 < sum(truth) < len(truth)
    assert verdicts_on_device(given, data).tolist() == truth


@given(st.lists(st.integers(0, 3), min_size=3, max_size=40), st.sampled_from([4, 2**40]))
@settings(deadline=None)
def test_distinct_windows_on_the_device_are_those_of_a_set(keys: list[int], codes: int) -> None:
    each = [tuple(keys[at : at + 3]) for at in range(len(keys) - 2)]
    found, inverse = distinct_windows(torch.tensor(keys), torch.arange(len(each)), 3, codes)
    rows = [tuple(row) for row in found.tolist()]
    assert len(set(rows)) == len(rows) and set(rows) == set(each)
    assert [rows[number] for number in inverse.tolist()] == each


def test_a_replayed_network_gives_the_verdicts_of_its_own() -> None:
    """On a CPU the work stands in for its graph: what is tested is what fills the batch and what is read of it."""
    data, found = sessions(seed=4), evaluation()

    def again(work: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, Callable[[], Any]]:
        out = work()
        return out, lambda: out.copy_(work())

    replayed = replace(found, network=Replayed(found.network, CONFIG.eval_batch, CONFIG.h, again))
    assert replayed.brute(data).tolist() == expected(data, found)


def test_a_way_that_a_device_refuses_is_a_row_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("no room on the device\nand more")

    monkeypatch.setattr(Evaluation, "distinct", refuse)
    data = Slices.of(sessions(60), CONFIG.h, 0)
    table = device_table(evaluation(), data, Clock(0.01, 0, "cpu"), lambda *_: None)
    failed = next(row for row in table["throughput"] if row["way"] == "distinct windows")
    assert failed["unmeasured"] == "distinct windows failed: no room on the device"
    assert failed["windows_per_s"] is None and table["throughput"][-1]["windows_per_s"]


def test_the_check_of_all_sessions_asks_each_distinct_window_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data, found = sessions(units=60, seed=2), evaluation()
    twice = data.take(np.tile(np.arange(60), 2))
    calls = count_forwards(found, monkeypatch)
    assert found.plain(twice, distinct=True).tolist() == expected(data, evaluation()) * 2
    assert calls[0] == len(data.histories(CONFIG.h).distinct)


def count_forwards(found: Evaluation, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls, forward = [0], found.network.forward

    def counted(histories: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        return forward(histories)

    monkeypatch.setattr(found.network, "forward", counted)
    return calls


@pytest.mark.parametrize(("way", "forwards", "walks"), [
    (EvaluationSettings(), 2.0, 3),
    (EvaluationSettings(passes=1), 2.0, 1),
    (EvaluationSettings(forwards=1), 1.0, 3),
    (EvaluationSettings(batch=10, passes=1), 0.2, 1),
])  # fmt: skip
def test_a_way_repeats_exactly_what_it_says(
    way: EvaluationSettings, forwards: float, walks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, found, asked = sessions(), evaluation(), Counter[int]()
    calls, get = count_forwards(found, monkeypatch), Items.__getitem__

    def counted(items: Items, number: int) -> Any:
        asked[number] += 1
        return get(items, number)

    monkeypatch.setattr(Items, "__getitem__", counted)
    found.by(way, data)
    windows = len(data.histories(CONFIG.h))
    assert calls[0] == pytest.approx(windows * forwards, abs=2)
    assert asked == Counter(dict.fromkeys(range(windows), walks))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="processes cannot be forked")
def test_workers_give_the_same_verdicts() -> None:
    data, found = sessions(), evaluation()
    way = EvaluationSettings(batch=7, passes=1, maps=True, tensors=True, workers=2)
    assert found.by(way, data).tolist() == expected(data, found)


def test_counts_leave_unlabelled_units_out() -> None:
    cells = confusion(np.array([0, 0, 1, 1, 1, -1]), np.array([True, False, True, True, False, True]))
    assert cells.tolist() == [[1, 1], [1, 2]]


@given(wanted=st.integers(1, 400), seed=st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_slices_begin_one_order_and_are_as_small_as_they_can(wanted: int, seed: int) -> None:
    slices = Slices.of(sessions(25, shortest=1), CONFIG.h, seed)
    part, windows = slices.first(wanted)
    assert windows == len(part.histories(CONFIG.h)) <= slices.windows
    assert part.ids.to_list() == slices.sessions.ids.gather(slices.order[: len(part)]).to_list()
    assert (slices.sessions.lengths > CONFIG.h).all()
    if windows < slices.windows:
        assert windows >= wanted > windows - int(part.lengths[-1] - CONFIG.h)


class Pretended(Clock):
    """Every window takes a ten-thousandth of a second."""

    def timed(self, work: Any, sessions: Sessions) -> tuple[Any, float]:
        return work(sessions), len(sessions.histories(CONFIG.h)) * 1e-4


def alarms(sessions: Sessions) -> Any:
    return sessions.keys[sessions.offsets[:-1]] == 0


def test_a_slow_rung_is_timed_on_a_slice_and_a_fast_one_on_all() -> None:
    slices = Slices.of(sessions(2000), CONFIG.h, 0)
    row = measure(Row("slow"), alarms, slices, Pretended(0.1, 0, "cpu"), whole=False)
    assert row.windows == pytest.approx(1000, abs=20) and row.of == slices.windows
    assert row.as_dict()["extrapolated"] and row.per_s == pytest.approx(1e4)
    for clock, whole in ((Pretended(9, 0, "cpu"), False), (Pretended(0.1, 0, "cpu"), True)):
        row = measure(Row("all"), alarms, slices, clock, whole)
        assert row.windows == row.of == slices.windows and not row.as_dict()["extrapolated"]
        assert row.verdicts is not None and row.verdicts.tolist() == alarms(slices.sessions)[slices.order].tolist()
    row = measure(Row("asked"), alarms, slices, Pretended(9, 300, "cpu"), whole=False)
    assert 300 <= row.windows < 320


def rated(per_s: float, verdicts: list[int], kept: bool = True) -> Row:
    return Row("r", per_s=per_s, kept=kept, verdicts=np.array(verdicts, dtype=bool))


def test_ratios_pass_over_rungs_that_are_not_built_upon() -> None:
    rows = [rated(10, [1]), Row("gone", skipped="why"), rated(40, [1]), rated(20, [1], kept=False)]
    row = rated(80, [1])
    compare(row, rows)
    assert (row.below, row.first) == (2, 8)


def test_one_other_verdict_is_seen_also_beyond_the_first_slice() -> None:
    rows = [rated(1, [0, 1]), rated(2, [0, 1, 0, 0])]
    same, other = rated(3, [0, 1, 0, 0, 1, 1]), rated(3, [0, 1, 0, 1])
    compare(same, rows)
    compare(other, rows)
    assert (same.equal_first, same.equal_others, same.different) == (2, 4, 0)
    assert (other.equal_first, other.equal_others, other.different) == (2, 4, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets a peak")
def test_memory_is_what_the_block_took_at_its_height() -> None:
    before = np.ones(30_000_000)  # 240 MB that are gone when the block begins
    del before
    with Memory("cpu") as memory:
        del (taken := [np.ones(10_000_000)])[0]  # noqa: F841
    assert memory.added_mb is not None and 70 < memory.added_mb < 130


@pytest.mark.parametrize("feed", [
    InputSettings(), InputSettings(batch=8), InputSettings(batch=8, tensors=True),
    InputSettings(batch=8, batches=BruteBatches), InputSettings(batch=8, batches=DistinctBatches),
], ids=str)  # fmt: skip
def test_a_pass_of_training_holds_every_known_window_as_often_as_it_occurs(feed: InputSettings) -> None:
    histories = sessions(40, seed=3).histories(CONFIG.h)
    windows = histories.windows(np.arange(len(histories)))
    known = windows[windows[:, -1] < KEYS]
    assert 0 < len(known) < len(windows)
    steps = -(-len(known) // feed.batch)
    mass: Counter[tuple[int, ...]] = Counter()
    stood = 0.0
    for (rows, weights), stands_for in islice(_fed(histories, feed, CONFIG, Context()), steps):
        stood += stands_for
        scale = 1.0 if feed.batches is None else len(known) / steps
        scale = len(rows) if feed.batches is None else scale
        for row, weight in zip(rows.tolist(), weights.tolist(), strict=True):
            mass[tuple(row)] += weight * scale
    truth = Counter(map(tuple, known.tolist()))
    assert set(mass) == set(truth) and stood == pytest.approx(len(known))
    for window, count in truth.items():
        assert mass[window] == pytest.approx(count, rel=1e-3)


def test_progress_names_each_step_and_counts_them_all() -> None:
    calls: list[tuple[float, float | None, str]] = []

    def progress(done: float, total: float | None = None, detail: str = "") -> None:
        calls.append((done, total, detail))

    data = sessions(40)
    trained = time_training(data, DeepLog(CONFIG), Context(), 0.001, progress)
    slices, clock = Slices.of(data, CONFIG.h, 0), Clock(0.001, 20, "cpu")
    evaluated = time_evaluation(evaluation(), slices, clock, False, progress)
    for rows in (trained, evaluated):
        told, calls = calls[: len(rows)], calls[len(rows) :]
        assert told == [(number, len(rows), row.name) for number, row in enumerate(rows)]
    assert not calls


SIM = ("--set", "dataset.blocks=400", "--set", "protocol.train_units=150", "--set", "deeplog.steps=5",
       "--set", "deeplog.hidden=8", "--seconds", "0.01", "--windows", "60")  # fmt: skip


def climb(*words: str) -> str:
    done = CliRunner().invoke(cli, ["ladder", *SIM, *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_the_command_writes_json_and_a_trace_and_all_verdicts_agree(tmp_path: Path) -> None:
    out, trace = tmp_path / "ladder.json", tmp_path / "trace.json"
    found = json.loads(climb("--json", "--verify", "--out", str(out), "--profile", str(trace)))
    assert json.loads(out.read_text(encoding="utf-8")) == found
    events = {event.get("name") for event in json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]}
    assert "ours: distinct prefixes" in events
    names = [row["name"] for row in found["evaluation"]]
    assert names[:2] == ["batch 1", "batch 512"] and names[-2:] == ["distinct prefixes", "compile"]
    for row in found["evaluation"]:
        assert bool(row["skipped"]) == (row["per_s"] is None)
        assert not row["different"] and row["extrapolated"] == (row["windows"] < row["of"])
    if found["device"] != "cuda":
        assert [r["name"] for r in found["evaluation"] if r["skipped"].startswith("CUDA only")] == [
            "pinned memory", "mixed precision"]  # fmt: skip
    assert found["criterion"]["sessions_compared"] == found["sessions"] and not found["criterion"]["different"]
    assert found["dataset"]["simulated"] and len(found["training"]) == 8
    table = found["table"]
    assert set(table) == {"device", "throughput", "launches", "equality"}
    assert set(table["device"]) >= {"name", "driver", "cudnn", "cuda", "torch", "memory_mb"}
    assert table["equality"]["different"] == 0 and not table["equality"]["enough"]
    assert [row["batch"] for row in table["throughput"]][:5] == [32, 128, 512, 2048, 8192]
    for row in table["throughput"]:
        assert (row["windows_per_s"] is None) == bool(row["unmeasured"])
        assert row["unmeasured"] or (row["repeats"] == 3 and row["spread"] >= 0 and row["seconds_each"] >= 0.01)
    if found["device"] != "cuda":
        assert table["launches"]["kernels"] is None and "CUDA only" in table["launches"]["unmeasured"]
        assert [row["way"] for row in table["throughput"] if row["unmeasured"]] == [
            "brute force", "brute force, one graph"]  # fmt: skip
        assert "not measured: CUDA only" in shown(found)
    text = shown(found)
    assert "SIMULATED" in text and "slice of" in text and "skipped: compiling" in text and "identical" in text


def test_the_table_says_where_verdicts_differ_and_training_can_be_left_out() -> None:
    found = json.loads(climb("--json", "--no-training"))
    assert found["training"] == []
    found["evaluation"][1]["different"] = 3
    for row in found["evaluation"]:
        row["cpu_s"] = row["seconds"]
    text = shown(found)
    assert "no: 3 differ" in text and "TRAINING" not in text and "busy" not in text
    found["evaluation"][4]["cpu_s"] = 0.4 * found["evaluation"][4]["seconds"]
    found["device"] = "cpu"
    assert "The machine was busy: some rung had 40% of one core" in shown(found)


def test_the_table_of_a_device_sees_a_verdict_that_is_not_a_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    data, found = sessions(60), evaluation()
    slices = Slices.of(data, CONFIG.h, 0)
    same = equality(found, slices)
    assert (same["sessions"], same["enough"], same["different"]) == (60, False, 0)
    assert same["alarms"] == sum(expected(data, found))
    real = Evaluation.brute

    def one_off(self: Evaluation, given: Sessions) -> Any:
        verdicts = real(self, given)
        verdicts[3] = not verdicts[3]
        return verdicts

    monkeypatch.setattr(Evaluation, "brute", one_off)
    assert equality(found, slices)["different"] == 1


def test_launches_are_counted_for_one_forward_of_the_batch() -> None:
    counted = launches(evaluation(), Slices.of(sessions(200), CONFIG.h, 0))
    assert counted["windows"] >= 512 and counted["operators"] > 5


def test_data_without_windows_and_a_missing_folder_are_told_in_a_line(
    tmp_path: Path, write_hdfs: Callable[..., Path]
) -> None:
    done = CliRunner().invoke(cli, ["ladder", "--out", str(tmp_path / "no" / "ladder.json")])
    assert done.exit_code == 2 and "there is no folder" in done.stderr
    done = CliRunner().invoke(cli, ["ladder", "--dataset", "hdfs", "--data", str(write_hdfs())])
    assert isinstance(done.exception, IncompatibleError) and "no test unit has more than 10 events" in str(
        done.exception
    )


def test_prepared_sessions_are_those_of_a_run() -> None:
    chosen = {"dataset": {"blocks": "300"}, "protocol": {"train_units": "100"}, "deeplog": {"g": "7"}}
    found = prepare_sessions("deeplog", "hdfs-sim", settings=chosen, device="cpu")
    held = found.context.held_out
    assert held is not None and held.labels is None and found.train.labels is None
    assert (len(found.train) + len(held), len(found.test), found.config.g) == (100, 200, 7)
    assert found.test.labels is not None and set(found.test.labels.tolist()) == {0, 1}
    for part in (found.train, held, found.test):  # ids and line numbers of the log may tell the label
        assert part.ids.to_list() == [str(n) for n in range(len(part))] and part.lines is None
    assert found.facts["dataset"]["blocks"] == 300
    assert replace(found.config, g=9) == DeepLogConfig()
