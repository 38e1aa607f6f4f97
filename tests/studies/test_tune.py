"""Tuning sees training units alone, judges by what it says, and goes on after a kill as if there was none."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import logbench
from logbench import ConfigError, Plan, Sessions, option
from logbench.components.registry import Registry
from logbench.running.asked import model_names, plan_fields
from logbench.running.resolve import resolve
from logbench.studies.tune.copies import KINDS, with_copies
from logbench.studies.tune.space import space_of
from logbench.studies.tune.study import Trial, TuneRequest, Tuning
from logbench.studies.workbench import Workbench

optuna = pytest.importorskip("optuna", reason="needs logbench-harness[tune]")

# Keys of training units, and a key that only units of the test have.
USUAL, SECRET = (0, 1, 2, 3, 4), 77
TRAIN = 60
REGISTRY = Registry()


def units(test_labels: Sequence[int], secret: bool = True) -> pl.DataFrame:
    """Sixty normal units that train, then twenty tested ones."""
    rng = np.random.default_rng(5)
    keys = [[*USUAL, *rng.integers(0, 5, 4).tolist()] for _ in range(TRAIN + len(test_labels))]
    if secret:
        keys[TRAIN:] = [[*sequence, SECRET] for sequence in keys[TRAIN:]]
    return pl.DataFrame(
        {
            "unit": [f"u{at}" for at in range(len(keys))],
            "keys": keys,
            "label": [0] * TRAIN + list(test_labels),
        }
    )


@dataclass(frozen=True)
class Options:
    """Options of the model below."""

    power: float = option(1.0, "of the surprise", gt=0, le=8)
    known: int = option(2, "how often a pair must occur", ge=1, tune=(1, 6))


class Pairs:
    """Surprise at pairs of keys; keeps every unit that it is ever given."""

    given: list[bytes] = []  # noqa: RUF012
    killed_at: int | None = None
    fits = 0

    def __init__(self, config: Options) -> None:
        self.config = config

    def fit(self, train: Sessions, context: logbench.Context) -> dict[str, float]:
        type(self).fits += 1
        if type(self).fits == type(self).killed_at:
            raise KeyboardInterrupt
        self.keep(train)
        if context.held_out is not None:
            self.keep(context.held_out)
        self.counts: dict[tuple[int, int], int] = {}
        for unit in train:
            for pair in zip(unit.keys.tolist(), unit.keys.tolist()[1:], strict=False):
                self.counts[pair] = self.counts.get(pair, 0) + 1
        self.seed = context.seed
        return {"validation_loss": self.config.power}

    def score(self, sessions: Sessions, context: logbench.Context) -> Any:
        self.keep(sessions)
        found = []
        for unit in sessions:
            pairs = zip(unit.keys.tolist(), unit.keys.tolist()[1:], strict=False)
            found.append(sum(self.counts.get(pair, 0) < self.config.known for pair in pairs) ** self.config.power)
        return np.array(found, dtype=np.float64) + 1e-6 * self.seed

    def keep(self, sessions: Sessions) -> None:
        type(self).given += [unit.keys.tobytes() for unit in sessions]


class Peeking:
    """An evaluator that keeps every unit that it is given."""

    name = "peeking"
    default = True
    asked: list[Any] = []  # noqa: RUF012

    def evaluate(self, units: pl.DataFrame) -> dict[str, float]:
        type(self).asked.append(units)
        return {}


@pytest.fixture(autouse=True)
def _nothing_given() -> Iterator[None]:
    Pairs.given, Pairs.fits, Pairs.killed_at, Peeking.asked = [], 0, None, []
    yield


def tuning(folder: Path, labels: Sequence[int], secret: bool = True, **request: Any) -> tuple[Tuning, Workbench]:
    registry = REGISTRY.copy()
    (name,) = model_names(Pairs, registry)
    settings = {
        "protocol": {"train": "first", "train_units": TRAIN, "held_out": 0.25, **request.pop("protocol", {})}
    }
    asked = {"evaluators": [Peeking], "settings": settings, "out": folder, "device": request.pop("device", "auto")}
    fields = plan_fields("tune", units(labels, secret), asked, registry)
    plan = Plan(model=name, **fields)
    bench = Workbench.here(registry)
    return Tuning.of(TuneRequest(plan=plan, **{"trials": 8, "draws": 2, **request}), bench), bench


def told(trials: Sequence[Trial]) -> list[tuple[Any, ...]]:
    return [(one.number, one.status, one.draws, one.judged, dict(one.options)) for one in trials]


def test_no_trial_knows_of_test_units(tmp_path: Path) -> None:
    """Whatever their labels, keys or number: the study is the same to the bit, and nothing was given any."""
    rng = np.random.default_rng(0)
    labels = [0, 1] * 10
    study, bench = tuning(tmp_path / "a", labels)
    first = told(list(study.run(bench)))
    assert len(first) == 8
    assert len({draws for _, _, draws, _, _ in first}) > 1, "the options must matter, or equality shows nothing"
    other = [1 - label for label in labels]
    for at, (relabelled, secret) in enumerate(
        [(other, True), (rng.permutation(labels).tolist(), False), ([1], True)]
    ):
        study, bench = tuning(tmp_path / str(at), relabelled, secret)
        assert told(list(study.run(bench))) == first
    tested = {np.array(keys, np.int32).tobytes() for keys in units(labels)["keys"].to_list()[TRAIN:]}
    assert Pairs.given
    assert not tested & set(Pairs.given)
    assert not any(SECRET in np.frombuffer(one, np.int32) for one in Pairs.given)
    assert Peeking.asked == []


def test_other_training_units_are_another_study(tmp_path: Path) -> None:
    study, bench = tuning(tmp_path / "a", [0, 1] * 10)
    other, _ = tuning(tmp_path / "b", [0, 1] * 10, protocol={"split_seed": 1})
    assert told(list(study.run(bench))) != told(list(other.run(bench)))


def test_another_device_is_another_study(tmp_path: Path) -> None:
    """As a run is: its draws are others, so they are not taken over."""
    study, same, other = (tuning(tmp_path, [0, 1] * 10, device=one)[0] for one in ("auto", "auto", "cpu"))
    assert study.name == same.name != other.name


@pytest.mark.parametrize("killed_at", [1, 6, 11])
def test_a_killed_study_ends_as_one_that_was_not(tmp_path: Path, killed_at: int) -> None:
    study, bench = tuning(tmp_path / "whole", [0, 1] * 10)
    whole = told(list(study.run(bench)))
    study, bench = tuning(tmp_path / "cut", [0, 1] * 10)
    Pairs.fits, Pairs.killed_at = 0, killed_at
    with pytest.raises(KeyboardInterrupt):
        list(study.run(bench))
    Pairs.killed_at = None
    with study.journal.open("a") as journal:  # as if the power went while a line was written
        journal.write('{"op_code":5,"worker_id"')
    Path(f"{study.journal}.writing.lock").touch()
    study, bench = tuning(tmp_path / "cut", [0, 1] * 10)
    rest = told(list(study.run(bench)))
    assert len(rest) < 8 or killed_at == 1
    assert sorted(told(study.trials())) == sorted(whole)
    assert list(study.run(bench)) == []
    more, bench = tuning(tmp_path / "cut", [0, 1] * 10, trials=10)
    assert len(list(more.run(bench))) == 2


def test_two_commands_never_share_a_journal(tmp_path: Path) -> None:
    study, bench = tuning(tmp_path, [0, 1] * 10)
    running = study.run(bench)
    next(running)
    with pytest.raises(logbench.DataError, match="another logbench tune uses this journal"):
        next(study.run(bench))
    running.close()


def test_trials_run_side_by_side_by_the_executor_that_is_given(tmp_path: Path) -> None:
    widths: list[int] = []

    class Backwards:
        """Answers in another order than asked."""

        def map(self, function: Callable[[Plan], Any], plans: Sequence[Plan]) -> Iterator[tuple[int, Any]]:
            widths.append(len(plans))
            for number in reversed(range(len(plans))):
                ((_, answer),) = bench.executor.map(function, [plans[number]])
                yield number, answer

    study, bench = tuning(tmp_path / "a", [0, 1] * 10, jobs=4)
    in_order = told(list(study.run(bench)))
    study, bench = tuning(tmp_path / "b", [0, 1] * 10, jobs=4)
    assert told(list(study.run(replace(bench, executor=Backwards())))) == in_order
    assert max(widths) == 4


def test_a_trial_behind_the_median_is_pruned_and_one_that_fails_is_told(tmp_path: Path) -> None:
    study, bench = tuning(tmp_path, [0, 1] * 10, trials=20, draws=3, over=["known=1:40"])
    trials = list(study.run(bench))
    pruned = [one for one in trials if one.status == "pruned"]
    assert pruned
    assert all(len(one.draws) < 3 for one in pruned)
    assert all(len(one.draws) == 3 for one in trials if one.status == "ok")
    best = study.trials()[0]
    assert best.status == "ok"
    assert best.value == max(one.value for one in trials if one.status == "ok" and one.value is not None)
    study, bench = tuning(tmp_path, [0, 1] * 10, trials=2, protocol={"min_events": 1000, "short": "drop"})
    failed = list(study.run(bench))
    assert [one.status for one in failed] == ["error", "error"]
    assert "of one class" in str(failed[0].error)


def test_the_objective_is_average_precision_of_the_units_held_out(tmp_path: Path) -> None:
    """Computed anew: the score of each held-out unit and copy against every cut."""
    study, bench = tuning(tmp_path, [0, 1] * 10, trials=1, draws=1)
    Pairs.given = []
    (trial,) = study.run(bench)
    assert trial.judged is not None
    assert trial.judged > 20
    apart, judged = Pairs.given[34:45], Pairs.given[45 : 45 + 11 + trial.judged]
    for one in apart:  # scored, too, for what a threshold would need
        judged.remove(one)
    assert trial.options == {"power": 1.0, "known": 2}
    kept = {np.array(keys, np.int32).tobytes() for keys in units([0, 1] * 10)["keys"].to_list()[:TRAIN]}
    train = Pairs.given[:34]  # of 60, 15 are held out and 11 set apart
    counts: dict[tuple[int, int], int] = {}
    for sequence in (np.frombuffer(one, np.int32).tolist() for one in train):
        for pair in itertools.pairwise(sequence):
            counts[pair] = counts.get(pair, 0) + 1

    def score(sequence: bytes) -> int:
        keys = np.frombuffer(sequence, np.int32).tolist()
        return sum(counts.get(pair, 0) < 2 for pair in itertools.pairwise(keys))

    scores, truth = np.array([score(one) for one in judged]), np.array([one not in kept for one in judged])
    assert 0 < truth.mean() <= 0.5
    points = [
        (truth[scores >= cut].mean(), truth[scores >= cut].sum() / truth.sum()) for cut in np.unique(scores)[::-1]
    ]
    recalls = np.diff([0.0, *(recall for _, recall in points)])
    assert trial.value == pytest.approx(
        float(sum(precision * more for (precision, _), more in zip(points, recalls, strict=True)))
    )


def test_loss_is_what_the_model_reports_and_less_is_better(tmp_path: Path) -> None:
    study, bench = tuning(tmp_path, [0, 1] * 10, objective="loss", trials=4, over=["power=0.5:4"])
    trials = list(study.run(bench))
    assert all(one.value == pytest.approx(one.options["power"]) for one in trials)
    assert study.trials()[0].value == min(one.value for one in trials if one.value is not None)


def test_labels_judge_only_where_they_are_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="labelled judges by labels of training units"):
        tuning(tmp_path, [0, 1] * 10, objective="labelled")


def test_copies_are_unknown_sequences_made_by_the_edits_named() -> None:
    rng = np.random.default_rng(3)
    sequences = [rng.integers(0, 6, rng.integers(3, 40)).tolist() for _ in range(120)]
    times = np.concatenate([np.sort(rng.integers(0, 10**6, len(one))) for one in sequences]).astype(np.int64)
    given = Sessions.of(sequences, labels=[0] * 120, times=times)
    made, copies = with_copies(given, np.arange(100), rng)
    assert made[:120].keys.tolist() == given.keys.tolist()
    assert len(copies) > 90
    assert made.labels is not None
    assert made.labels[copies].tolist() == [1] * len(copies)
    assert made.labels[:120].tolist() == [0] * 120
    known, kinds = {tuple(one) for one in sequences}, set()
    for at in copies.tolist():
        copy, source = made[at], sequences[int(str(made.ids[at]).split()[0][1:])]
        keys = tuple(copy.keys.tolist())
        assert keys not in known
        assert copy.times is not None and (np.diff(copy.times) >= 0).all()
        more = len(keys) - len(source)
        assert abs(more) <= max(1, round(0.1 * len(source)))
        same = sorted(keys) == sorted(source)
        kinds.add("repeat" if more > 0 else "remove" if more < 0 else "swap" if same else "replace")
    assert kinds == set(KINDS)


def test_a_unit_whose_every_edit_is_known_goes_without_a_copy() -> None:
    given = Sessions.of([[0], [0, 0]], labels=[0, 0])
    _, copies = with_copies(given, np.array([0]), np.random.default_rng(0))
    assert len(copies) == 0


def over(model: str, *texts: str) -> list[str]:
    return [str(one) for one in space_of(resolve(Plan(model=model, dataset="hdfs-sim"), REGISTRY), texts)]


def test_what_is_tried() -> None:
    assert over("deeplog", "lr=0.001:0.01:log", "hidden=32,64", "steps=50:400") == [
        "lr=0.001:0.01:log",
        "hidden=32,64",
        "steps=50:400",
    ]
    every = over("deeplog")
    assert {"h=2:10", "batch=32,128,512", "lr=0.0002:0.02:log", "steps=25:400:log", "hidden=16:256:log"} <= set(
        every
    )
    assert not {"g", "amp", "eval_amp", "compile", "dedup", "stop", "passes"} & {
        one.split("=")[0] for one in every
    }
    assert over("isolation-forest") == [
        "weighting=counts,tf-idf",
        "unseen_column=False,True",
        "trees=25:400:log",
        "max_samples=0.09999:1:log",
        "contamination=0.003:0.3:log",
    ]
    assert over("ecvc+deeplog", "deeplog.lr=0.001:0.01") == ["deeplog.lr=0.001:0.01"]


def test_no_bound_of_work_is_tried() -> None:
    """Such an option keeps large data fast; only its default is exact at the sizes that the docs state."""
    found = set()
    for model in REGISTRY.offered("model"):
        with contextlib.suppress(ConfigError):  # none to tune
            found |= {one.partition("=")[0] for one in over(model) if one.startswith("max_")}
    assert found == {"max_dist", "max_samples"}


@pytest.mark.parametrize(
    ("model", "text", "said"),
    [
        ("deeplog", "lr", "expected KEY=LOW:HIGH"),
        ("deeplog", "learning_rate=1:2", "no such option"),
        ("deeplog", "lr=0.2:0.1", "the lower one first"),
        ("deeplog", "lr=0.2:5", r"deeplog.lr=5: input should be less than or equal to 1"),
        ("deeplog", "g=1:9", "acts after scoring"),
        ("deeplog", "alpha=0.1:0.2", "no such option"),
        ("deeplog", "input=scalar:one-hot", "two numbers"),
        ("knn", "k=0:4:log", "knn.k=0"),
        ("length", "", "no option to tune"),
    ],
)
def test_a_wrong_range_is_one_line(model: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        over(model, *([text] if text else []))


@pytest.mark.slow
def test_the_command_goes_on_after_a_kill_and_tests_once(tmp_path: Path, run_logbench: Callable[..., Any]) -> None:
    words = ["tune", "isolation-forest", "--dataset", "hdfs-sim", "--set", "dataset.blocks=1500",
             "--set", "protocol.train_units=400", "--draws", "1", "--out", str(tmp_path)]  # fmt: skip
    assert run_logbench(*words, "--trials", "2", "--no-final", "--json").code == 0
    done = run_logbench(*words, "--trials", "4", "--jobs", "2", "--json")
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["status"] for row in rows[:4]] == ["ok"] * 4
    assert [row["final"] for row in rows[4:]] in (["default"], ["default", "tuned"])
    assert "test unit" not in done.err
    shown = run_logbench(*words, "--trials", "4", "--no-final")
    assert "4 trials: 4 ok" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
