"""Many models under one protocol: what was run before is taken over, the rest runs in worker processes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean
from typing import Any, Unpack

from ..api.executor import Executor, Running
from ..api.plan import Plan, PlanOptions
from ..api.record import RunRecord
from ..api.record_sections import Record
from ..base.errors import DataError
from ..base.failure import ReportedError
from ..base.jsonable import several
from ..base.progress_bars import Bars
from ..base.temporary_folders import temporary_folder
from ..components.registry import Registry
from ..evaluation.metrics import direction, figure, figures, headline
from ..running import identity, records, run_names, worker_tasks
from ..running.asked import check_findable, model_names, plan_fields
from ..running.resolve import ResolvedPlan, resolve
from ..running.results import begun
from ..running.stored import fault
from .asked_metric import check_metric
from .label_tables import parted, plans_of_both
from .plans import ModelsRequest, choose_models, plans_of
from .time_left import TimeLeft, seconds_of
from .workbench import Workbench

# What is known of data before a run, as a record has it.
DATA = ("path", "digest", "source_digest")


class Leaderboard:
    """Runs of several models, seeds and splits on one data set.

    Args:
        plans: what to run, with records in one folder. bench: does the runs.
        lenient: where data cannot be looked at, its runs say so in their records, and the others go on.

    Attributes:
        taken_over: how many runs `results` will not do again.

    Raises:
        ConfigError: an unknown name, option or value.
        DataError: the data set is not there.
    """

    def __init__(self, plans: Sequence[Plan], bench: Workbench, *, lenient: bool = False) -> None:
        self._bench = bench
        self._plans = list(plans)
        self._jobs = [resolve(plan, bench.registry) for plan in plans]
        out = plans[0].out
        before = _earlier(out) if bench.resume else {}
        self._data = dict[str, dict[str, Any]]()
        if before or not lenient:
            self._data = _data_of({_asked(one): one.plan for one in self._jobs}, bench, lenient)
        keys = [identity.of_run(self._opened(one)) for one in self._jobs] if before else []
        there = {key: one for key, one in before.items() if key in keys and not fault(one, out, "scores")}
        self._done: dict[int, Record] = {
            at: {**there[key], "baseline": plans[at].baseline} for at, key in enumerate(keys) if key in there
        }
        self.taken_over = len(self._done)
        self._left = TimeLeft([one.model.name for one in self._jobs], getattr(bench.executor, "jobs", 1))
        for at, record in self._done.items():
            self._left.ended(at, seconds_of(record))

    def say_taken_over(self) -> None:
        """Note how many runs are not done again."""
        if self.taken_over:
            runs = f"{self.taken_over} of {several(len(self._plans), 'run')}"
            self._bench.bars.note(f"{runs} taken over from {self._plans[0].out} (--fresh: run again)")

    def results(self) -> Iterator[tuple[int, Record]]:
        """Index of the plan and record of every run: those taken over first, then as they finish."""
        yield from self._done.items()
        todo = [at for at in range(len(self._jobs)) if at not in self._done]
        total, finished = len(self._jobs), len(self._done)
        with self._bench.bars.stage("runs") as progress:

            def watch(running: Mapping[int, Running]) -> None:
                self._left.running(todo[n] for n in running)
                now = "".join(f"; {self._name(todo[n])}: {stage}" for n, stage in running.items())
                progress(finished, total, f"{finished} of {total} done{self._left}{now}")

            plans = [self._plans[at] for at in todo]
            for number, record in self._bench.run(plans, watch):
                at, finished = todo[number], finished + 1
                self._left.ended(at, seconds_of(record))
                self._bench.bars.note(f"{finished} of {total}  {self._name(at)}: {_describe_choice(record)}")
                progress(finished, total, f"{finished} of {total} done{self._left}")
                yield at, record

    def in_order(self) -> Iterator[Record]:
        """The records of `results` in the order of the plans, each as soon as those before it have ended."""
        waiting, following = dict[int, Record](), 0
        for at, record in self.results():
            waiting[at] = record
            while following in waiting:
                yield waiting.pop(following)
                following += 1

    def _name(self, at: int) -> str:
        """Model, and data set, seed and split where there are several."""
        plan, name = self._plans[at], self._jobs[at].model.name
        if len({one.dataset for one in self._plans}) > 1:
            name += f" on {self._jobs[at].dataset.name}"
        if len({one.seed for one in self._plans}) > 1:
            name += f" seed {plan.seed}"
        if len({one.split_seed for one in self._plans}) > 1:
            name += f" split {plan.split_seed}"
        return name

    def _opened(self, resolved: ResolvedPlan) -> Record:
        """As much of a record as decides its identity."""
        made = begun(resolved, run_names.new_run(resolved.model.name))
        totals = {"normal_total": resolved.totals.normal_total, "anomaly_total": resolved.totals.anomaly_total}
        made["dataset"] |= {**self._data.get(_asked(resolved), {}), **totals}
        return RunRecord(**made).as_dict()


def leaderboard(
    models: object = (),
    *,
    dataset: object,
    metric: str = "f1",
    seeds: Sequence[int] = (0, 1, 2),
    baselines: bool = True,
    heavy: bool = False,
    label_budget: float | None = None,
    executor: Executor | None = None,
    registry: Registry | None = None,
    bars: Bars | None = None,
    resume: bool = True,
    **options: Unpack[PlanOptions],
) -> list[Record]:
    """Run models under one protocol and rank them, like `logbench leaderboard`.

    Args:
        models: names, `a+b` among them, or classes and instances at hand, see `run`; none: all that are installed.
        dataset: see `run`.
        metric: what ranks: one of the headline, or `cost.cost` of another evaluator.
        seeds: of stochastic models; deterministic ones run with the first alone.
        baselines: the reference baselines run, too.
        heavy: where no models are named, those that train for long run, too (`ModelTraits.heavy`).
        label_budget: run all models without labels, but for supervised ones, and then all with so many labels, on
            the same test units; see `protocol.label_budget`.
        executor: does the runs; by default this process, one after another. Other processes know nothing of
            classes at hand: put them into a file, `"./my_model.py"`.
        registry, bars: by default all installed plugins, and no progress bars.
        resume: reuse runs in `out` with the same plan, data and code.
        options: fields of `Plan`, such as `protocol="field-2e"`, see `run`.

    Returns:
        The records, the best model first, those without labels before those with; also appended to
        `out/records.jsonl`. Failed runs have `error`.

    Raises:
        ConfigError: an unknown name, option or value, a metric that cannot rank, or components at hand for an
            executor.
        DataError: the data set is not there.

    Examples:
        >>> best, worst = leaderboard(["length", "ecvc"], dataset="hdfs-sim", baselines=False)
        >>> best["model"]
        'ecvc'
    """
    registry = (registry or Registry()).copy()
    fields = plan_fields("leaderboard", dataset, dict(options), registry)
    asked = model_names(models, registry)
    if executor is not None:
        check_findable(registry, "executor")
    with ExitStack() as stack:
        if fields.get("out", "") is None:
            fields["out"] = stack.enter_context(temporary_folder())
        bench = Workbench.here(registry, bars, executor, resume=resume)
        request = ModelsRequest(
            models=choose_models(registry, asked, (), heavy), fields=fields, command="", seeds=seeds,
            stochastic_only=True, baselines=baselines,
        )  # fmt: skip
        if label_budget is None:
            return run_leaderboard(plans_of(request, registry), metric, bench)
        found = run_leaderboard(plans_of_both(request, label_budget, registry), metric, bench)
        return [record for part in parted(found) for record in ranked(part, metric)]


def run_leaderboard(plans: Sequence[Plan], metric: str, bench: Workbench) -> list[Record]:
    """Records of all plans, ranked: see `ranked`.

    Raises:
        ConfigError: an unknown name, option or value, or a metric that cannot rank.
        DataError: the data set is not there.
    """
    check_metric(plans[0], metric, bench, ranks=True)
    board = Leaderboard(plans, bench)
    board.say_taken_over()
    found: list[Record] = []
    for _, record in board.results():
        found += ranked([record], metric)  # a metric that is not there is said at once
    return ranked(found, metric)


def _asked(resolved: ResolvedPlan) -> str:
    """Which data a job reads: plans may differ in options of the data set."""
    parts = {"dataset": resolved.dataset}
    if resolved.source is not None:
        parts["source"] = resolved.source.dataset
    return f"{resolved.plan.data} {resolved.plan.source_data} {identity.of(parts).text}"


def _data_of(plans: Mapping[str, Plan], bench: Workbench, lenient: bool) -> dict[str, dict[str, Any]]:
    """`path` and `digest` of the data of each plan, as a worker finds them.

    Args:
        lenient: leave out what cannot be looked at.

    Raises:
        LogbenchError: there is none to read.
    """
    asked, found = list(plans), dict[str, dict[str, Any]]()
    for number, answer in list(bench.map(worker_tasks.data, [plans[name] for name in asked])):
        if lenient and isinstance(answer, Exception):
            continue
        if isinstance(answer, ReportedError) and "traceback" not in answer.facts:
            raise DataError(f"{plans[asked[number]].dataset}: its data could not be looked at: {answer}")
        if isinstance(answer, BaseException):
            raise answer
        found[asked[number]] = {name: answer[name] for name in DATA if name in answer}
    return found


def _describe_choice(record: Record) -> str:
    """One line of how a run went."""
    if record["status"] == "skipped":
        return "skipped"
    if (error := record["error"]) is not None:
        return f"error: {error['message']}"
    values = headline(record)
    f1 = f"F1 {values['f1']:.3f}, " if values and values.get("f1") is not None else ""
    return f"{f1}{seconds_of(record):.1f} s"


def _earlier(folder: Path) -> dict[identity.Key, Record]:
    """Successful runs of a folder by their identity, the newest of each."""
    try:
        found = [record for record in records.read(folder) if record["status"] == "ok"]
    except DataError:
        return {}
    runs = [record for record in found if "fit" in record["stages"]]  # not rescored
    return {key: one for one in runs if (key := identity.of_run(one)) is not None and key.known}


def ranked(found: Sequence[Record], metric: str = "f1") -> list[Record]:
    """Records by their model's mean of a headline metric, the best first, then by AUPRC; runs without it last.

    Raises:
        ConfigError: a run has no such metric, or the metric has no direction.
    """
    good = [record for record in found if record["status"] == "ok" and figures(record)]
    sign = {record["model"]: -1.0 if direction(record, metric) == "higher" else 1.0 for record in good}
    own, second = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for record in good:
        for kept, value in ((own, figure(record, metric)), (second, figures(record).get("auprc"))):
            if value is not None:
                kept[record["model"]].append(value)

    def place(record: Record) -> tuple[Any, ...]:
        name = record["model"]
        first = sign[name] * fmean(own[name]) if own[name] else math.inf
        then = -fmean(second[name]) if second[name] else math.inf
        return first, then, name, record["protocol"]["split_seed"], record["seed"]

    return sorted(found, key=place)
