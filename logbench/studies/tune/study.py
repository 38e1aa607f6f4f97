"""Trials of a model's options by Optuna, kept in a journal so that a study that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ...api.executor import Running, Watch
from ...api.plan import Plan
from ...base.errors import ConfigError, DataError
from ...base.failure import failure_of
from ...base.jsonable import to_jsonable
from ...base.progress import Progress
from ...running import identity
from ...running.resolve import ResolvedPlan, resolve
from ...running.worker_tasks import data
from ..time_left import TimeLeft
from ..workbench import Workbench
from .space import Dimension, space_of
from .trial import OBJECTIVES, Objective, TrialAnswer, run_draw

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as OptunaTrial

# Trials before the sampler learns from them, and before one is pruned.
RANDOM_TRIALS, PRUNED_FROM = 10, 5
# Attributes of a trial. One whose command was killed is lost: it does not count, and is tried again.
LOST, ERROR, JUDGED, DRAWS = "lost", "error", "judged", "draws"


@dataclass(frozen=True)
class TuneRequest:
    """What a study is asked for.

    Attributes:
        plan: whose options are tuned, under its protocol. over: see `space_of`.
        trials: of the whole study, those of an earlier command included. draws: fits of a trial at most, each with
            another model seed, other units set apart and other edits; a trial is pruned between them.
        objective: None: by labels for a supervised model, by edited copies for any other.
        journal: file; None: in the folder of the records.
        jobs: trials side by side.
    """

    plan: Plan
    over: Sequence[str] = ()
    trials: int = 20
    draws: int = 3
    objective: Objective | None = None
    journal: Path | None = None
    jobs: int = 1


@dataclass(frozen=True)
class Trial:
    """A trial that has ended.

    Attributes:
        number: from 0, in order; 0 has the default options where these are in the ranges.
        status: `ok`, `pruned` or `error`. value: mean of the draws; None for an error.
        draws: of the objective. judged: units that each draw judged. options: name → value.
        settings: as in a plan. error: what went wrong.
    """

    number: int
    status: str
    value: float | None
    draws: tuple[float, ...]
    judged: int | None
    options: Mapping[str, Any]
    settings: Mapping[str, Mapping[str, Any]]
    error: str | None = None


@dataclass(frozen=True)
class Tuning:
    """A study that can run.

    Attributes:
        resolved: the plan, with everything found. space: what is tried. name: of the study in the journal.
    """

    request: TuneRequest
    resolved: ResolvedPlan
    objective: Objective
    space: tuple[Dimension, ...]
    journal: Path
    name: str

    @classmethod
    def of(cls, request: TuneRequest, bench: Workbench) -> Tuning:
        """Find everything and locate the data, before anything is fitted.

        Raises:
            ConfigError: an unknown name, option or range. DataError: the data are not there.
        """
        resolved = resolve(request.plan, bench.registry)
        supervised = resolved.supervision == "supervised"
        objective = request.objective or ("labelled" if supervised else "edited")
        if objective == "labelled" and resolved.protocol.content != "labelled":
            raise ConfigError(
                "--objective labelled judges by labels of training units, but protocol.content="
                f"{resolved.protocol.content}; add --set protocol.content=labelled, or take --objective edited"
            )
        space = space_of(resolved, request.over)
        ((_, answer),) = bench.map(data, [request.plan])
        if isinstance(answer, BaseException):
            raise answer
        key = _key_of(resolved, objective, space, request, answer["digest"])
        journal = request.journal or request.plan.out / "tune.journal"
        return cls(request, resolved, objective, space, journal, f"{resolved.model.name} {key}")

    def run(self, bench: Workbench) -> Iterator[Trial]:
        """Run the trials that lack, and yield each once it has ended.

        Raises:
            ConfigError: optuna is not installed. DataError: another command uses the journal.
        """
        with _opened(self.journal) as storage:
            study = _study(storage, self.name, OBJECTIVES[self.objective][1])
            _forget_lost(study)
            with bench.bars.stage("trials") as progress:
                while (done := len(ended := _ended(study))) < self.request.trials:
                    yield from self._batch(study, done, bench, self._watch(ended, progress))

    def _watch(self, ended: Sequence[FrozenTrial], progress: Progress) -> Watch:
        """Shows the fits that run, and how long the trials that lack still take."""
        done, total, jobs = len(ended), self.request.trials, self.request.jobs
        left = TimeLeft([""] * total)
        for number, one in enumerate(ended):
            left.ended(number, one.duration.total_seconds() / jobs if one.duration else 0.0)

        def watch(running: Mapping[int, Running]) -> None:
            left.running(range(done, min(done + 1, total)))
            now = "".join(f"; {one}" for one in running.values())
            progress(done, total, f"{done} of {total} done{left}{now}")

        return watch

    def trials(self) -> list[Trial]:
        """All trials that have ended, the best one first, those with an error last."""
        with _opened(self.journal) as storage:
            found = [self._trial(n, one) for n, one in enumerate(_ended(_study(storage, self.name, True)))]
        sign = -1 if OBJECTIVES[self.objective][1] else 1
        rank = {"ok": 0, "pruned": 1, "error": 2}
        return sorted(found, key=lambda one: (rank[one.status], sign * (one.value or 0.0), one.number))

    def _batch(self, study: Study, done: int, bench: Workbench, watch: Watch) -> Iterator[Trial]:
        """As many trials as run side by side: asked together, told in order, so that a seed gives one study.

        Draws that a killed command had of the same options are taken over.
        """
        from optuna.pruners import MedianPruner
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        request = self.request
        digest = hashlib.sha256(f"{request.plan.seed} {done}".encode()).digest()
        study.sampler = TPESampler(
            seed=int.from_bytes(digest[:4], "big"),
            n_startup_trials=RANDOM_TRIALS,
            constant_liar=request.jobs > 1,
        )
        study.pruner = MedianPruner(n_startup_trials=PRUNED_FROM)
        distributions = {one.name: _distribution(one) for one in self.space}
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        if not (done or waiting) and all(one.contains(one.default) for one in self.space):
            study.enqueue_trial({one.name: one.default for one in self.space})
        trials = [study.ask(distributions) for _ in range(min(request.jobs, request.trials - done))]
        values = [_draws_of_lost(study, trial) for trial in trials]
        states: dict[int, TrialState] = {}
        for draw in range(request.draws):
            running = [at for at in range(len(trials)) if at not in states]
            lacking = [at for at in running if len(values[at]) <= draw]
            plans = [self.plan_of(trials[at].params, draw) for at in lacking]
            task = partial(run_draw, objective=self.objective, draw=draw)
            for number, answer in bench.map(task, plans, watch) if plans else ():
                at = lacking[number]
                if not isinstance(answer, TrialAnswer):
                    trials[at].set_user_attr(ERROR, failure_of(answer)["message"])
                    states[at] = TrialState.FAIL
                    continue
                values[at].append(answer.value)
                trials[at].set_user_attr(JUDGED, answer.judged)
                trials[at].set_user_attr(DRAWS, values[at])  # at once, should the command be killed
            for at in running:
                if at not in states:
                    trials[at].report(fmean(values[at][: draw + 1]), draw)
            for at in running:
                if at not in states and draw + 1 < request.draws and trials[at].should_prune():
                    states[at] = TrialState.PRUNED
        for at, trial in enumerate(trials):
            state = states.get(at, TrialState.COMPLETE)
            mean = fmean(values[at]) if state == TrialState.COMPLETE else None
            yield self._trial(done + at, study.tell(trial, mean, state=state))

    def plan_of(self, params: Mapping[str, Any], draw: int = 0) -> Plan:
        """The plan with these values of the sampler; draws have model seeds of their own."""
        plan = self.request.plan
        settings = {name: dict(table) for name, table in plan.settings.items()}
        for component, table in self._settings(params).items():
            settings.setdefault(component, {}).update(table)
        return replace(plan, settings=settings, seed=plan.seed + draw)

    def _settings(self, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        made: dict[str, dict[str, Any]] = {}
        for one in self.space:
            made.setdefault(one.component, {})[one.key] = one.value(params[one.name])
        return made

    def _trial(self, number: int, told: FrozenTrial) -> Trial:
        status = {"COMPLETE": "ok", "PRUNED": "pruned", "FAIL": "error"}[told.state.name]
        draws = tuple(told.user_attrs.get(DRAWS, ()))
        return Trial(
            number,
            status,
            fmean(draws) if draws and status != "error" else None,
            draws,
            told.user_attrs.get(JUDGED),
            {one.name: one.value(told.params[one.name]) for one in self.space},
            self._settings(told.params),
            told.user_attrs.get(ERROR),
        )


def _key_of(
    resolved: ResolvedPlan, objective: Objective, space: Sequence[Dimension], request: TuneRequest, digest: str
) -> str:
    """Names a study: of the same data, code, options, ranges, objective, draws, seed, device, and nothing else."""
    parts = {kind: getattr(resolved, kind) for kind in ("dataset", "parser", "windower", "model")}
    facts = {
        "protocol": resolved.protocol.as_dict(),
        "totals": asdict(resolved.totals),
        "space": [asdict(one) for one in space],
        "asked": [objective, request.draws, request.plan.seed, digest, request.plan.device, request.plan.devices],
    }
    return identity.of(parts, **json.loads(json.dumps(to_jsonable(facts)))).text


def _distribution(one: Dimension) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.choices:
        return CategoricalDistribution(one.choices)
    if one.integer:
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)


def _study(storage: Any, name: str, maximize: bool) -> Study:
    import optuna

    known = {study.study_name for study in optuna.get_all_study_summaries(storage)}
    if name in known:
        return optuna.load_study(study_name=name, storage=storage)
    return optuna.create_study(storage=storage, study_name=name, direction="maximize" if maximize else "minimize")


def _ended(study: Study) -> list[FrozenTrial]:
    """Trials that count, in order."""
    return [
        one for one in study.get_trials(deepcopy=False) if one.state.is_finished() and LOST not in one.user_attrs
    ]


def _forget_lost(study: Study) -> None:
    """End the trials of a command that was killed. Their options are tried again, by the seed of their number."""
    from optuna.trial import TrialState

    for one in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study._storage.set_trial_user_attr(one._trial_id, LOST, True)
        study.tell(one.number, state=TrialState.FAIL)


def _draws_of_lost(study: Study, trial: OptunaTrial) -> list[float]:
    """Draws that a killed command had of these options; the trial gets them, too."""
    alike = [
        one.user_attrs
        for one in study.get_trials(deepcopy=False)
        if {LOST, DRAWS} <= one.user_attrs.keys() and one.params == trial.params
    ]
    if not alike:
        return []
    had = max(alike, key=lambda attributes: len(attributes[DRAWS]))
    for name in (JUDGED, DRAWS):
        trial.set_user_attr(name, had[name])
    return list(had[DRAWS])


@contextmanager
def _opened(journal: Path) -> Iterator[Any]:
    """The journal's storage, for one command at a time; a last line that was cut off is removed.

    Raises:
        ConfigError: optuna is not installed. DataError: another command uses the journal.
    """
    from filelock import FileLock, Timeout

    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
    except ImportError:
        raise ConfigError("logbench tune needs optuna: pip install 'logbench-harness[tune]'") from None
    optuna.logging.set_verbosity(logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{journal}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DataError(
            f"{journal}: another logbench tune uses this journal; wait, or give --journal FILE"
        ) from None
    try:
        _mend(journal)
        inner = JournalFileOpenLock(str(journal.with_name(f"{journal.name}.writing")))
        Path(f"{journal}.writing.lock").unlink(missing_ok=True)  # of a command that was killed
        yield optuna.storages.JournalStorage(JournalFileBackend(str(journal), lock_obj=inner))
    finally:
        lock.release()


def _mend(journal: Path) -> None:
    """Remove a last line that was not written whole."""
    if not journal.exists():
        return
    content = journal.read_bytes()
    if content and not content.endswith(b"\n"):
        journal.write_bytes(content[: content.rfind(b"\n") + 1])
