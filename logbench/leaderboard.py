"""Many models under one protocol: what was run before is taken over, the rest runs in worker processes."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from . import record as records
from .errors import DataError
from .locate import locate
from .metrics import all_figures, direction, figure, headline
from .plain import plain
from .plan import Job, Plan, resolve
from .prepare import digest_of
from .progress import Bars
from .record import RunRecord
from .registry import Registry
from .runner import opened
from .workers import Ended, run_apart

Record = Mapping[str, Any]
MATERIAL = ("name", "digest", "normal_total", "anomaly_total")


class Leaderboard:
    """Runs of several models, seeds and splits on one data set.

    Args:
        plans: what to run, all on the same data set, each with all models as its companions (see `Plan`).
        resume: take over what ran before with the same plan, data and code.

    Attributes:
        taken_over: how many runs `results` will not do again.

    Raises:
        ConfigError: an unknown name, option or value.
        DataError: the data set is not there.
    """

    def __init__(self, plans: Sequence[Plan], registry: Registry, bars: Bars, *, resume: bool = True) -> None:
        self._registry, self._bars = registry, bars
        self._plans = list(plans)
        self._jobs = [resolve(plan, registry) for plan in plans]
        with bars.stage("locate") as progress:
            job = self._jobs[0]
            path = locate(job.dataset, job.plan.data, registry, progress)
            assert path is not None
            files = job.dataset.build().read(path).files
            self._data = {"path": str(path), "digest": digest_of(files, progress)}
        before = _earlier(job.plan.out) if resume else {}
        keys = [_identity(self._opened(one).as_dict()) for one in self._jobs]
        self._done = {at: before[key] for at, key in enumerate(keys) if key in before}
        self.taken_over = len(self._done)

    def results(
        self, jobs: int = 1, timeout: float | None = None, block: Sequence[str] = ()
    ) -> Iterator[tuple[int, Record]]:
        """Index of the plan and record of every run: those taken over first, then as they finish.

        Args:
            jobs: how many run side by side; their records say so. timeout: most seconds to fit and score.
            block: plugins kept out of the workers.
        """
        yield from self._done.items()
        todo = [at for at in range(len(self._jobs)) if at not in self._done]
        total, finished = len(self._jobs), len(self._done)
        contended = min(jobs, len(todo)) if min(jobs, len(todo)) > 1 else 0
        with self._bars.stage("runs") as progress:

            def watch(running: Mapping[int, str]) -> None:
                now = ", ".join(f"{self._name(todo[n])}: {stage}" for n, stage in running.items())
                progress(finished, total, f"{finished} of {total} done; {now}")

            plans = [self._plans[at] for at in todo]
            apart = run_apart(plans, jobs=jobs, timeout=timeout, block=block, note=self._bars.note, watch=watch)
            for number, outcome in apart:
                at, finished = todo[number], finished + 1
                record = self._lost(at, outcome, contended) if isinstance(outcome, Ended) else outcome
                self._bars.note(f"{finished} of {total}  {self._name(at)}: {_told(record)}")
                yield at, record

    def _name(self, at: int) -> str:
        """Model, and seed and split where there are several."""
        plan = self._plans[at]
        name = plan.model
        if len({one.seed for one in self._plans}) > 1:
            name += f" seed {plan.seed}"
        if len({one.split_seed for one in self._plans}) > 1:
            name += f" split {plan.split_seed}"
        return name

    def _opened(self, job: Job) -> RunRecord:
        record = opened(job)
        totals = {"normal_total": job.totals.normal_total, "anomaly_total": job.totals.anomaly_total}
        record.dataset |= {**self._data, **totals}
        return record

    def _lost(self, at: int, ended: Ended, contended: int) -> Record:
        """The record of a run whose process left none."""
        record = self._opened(self._jobs[at])
        record.status = "error"
        record.error = {"stage": ended.stage, "type": ended.type, "message": ended.message}
        if contended:
            record.environment["contended"] = contended
        records.append(record, self._plans[at].out)
        self._registry.notify("run_finished", record=record)
        return record.as_dict()


def _told(record: Record) -> str:
    """One line of how a run went."""
    if record["status"] == "skipped":
        return "skipped"
    if record["status"] != "ok":
        return f"error: {record['error']['message']}"
    values, seconds = headline(record), sum(stage["wall_s"] for stage in record["stages"].values())
    f1 = f"F1 {values['f1']:.3f}, " if values and values.get("f1") is not None else ""
    return f"{f1}{seconds:.1f} s"


def _identity(record: Record) -> str:
    """What decides the result of a run: equal texts, equal results (timings apart)."""
    facts = {name: record[name] for name in ("model", "preset", "protocol", "config", "seed", "plugins")}
    environment = record["environment"]
    facts["material"] = {name: record["dataset"].get(name) for name in MATERIAL}
    facts["code"] = [record["source"].get(name) for name in ("version", "code")]
    facts["machine"] = [environment.get(name) for name in ("python", "packages", "device")]
    return json.dumps(plain(facts), sort_keys=True)


def _earlier(folder: Path) -> dict[str, Record]:
    """Successful runs of a folder by their identity, the newest of each, as far as their scores are there."""
    try:
        found = [record for record in records.read(folder) if record["status"] == "ok"]
    except DataError:
        return {}
    runs = [record for record in found if "fit" in record["stages"]]  # not rescored
    return {_identity(one): one for one in runs if (folder / one["artifacts"]["scores"]).exists()}


def ranked(found: Sequence[Record], metric: str = "f1") -> list[Record]:
    """Records by their model's mean of a headline metric, the best first, then by AUPRC; runs without it last.

    Raises:
        ConfigError: a run has no such metric, or the metric has no direction.
    """
    good = [record for record in found if record["status"] == "ok" and all_figures(record)]
    sign = {record["model"]: -1.0 if direction(record, metric) == "higher" else 1.0 for record in good}
    own, second = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for record in good:
        for kept, value in ((own, figure(record, metric)), (second, all_figures(record).get("auprc"))):
            if value is not None:
                kept[record["model"]].append(value)

    def place(record: Record) -> tuple[Any, ...]:
        name = record["model"]
        first = sign[name] * fmean(own[name]) if own[name] else math.inf
        then = -fmean(second[name]) if second[name] else math.inf
        return first, then, name, record["protocol"]["split_seed"], record["seed"]

    return sorted(found, key=place)
