"""The rows of a sweep: each run's record and scores, decided in every way that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...api.plan import Plan
from ...api.record_sections import Record
from ...evaluation.metrics import ways
from ...running import records
from ...running.resolve import resolve
from ..asked_metric import check_metric
from ..comparable_rows import FirstRows, likeness
from ..leaderboard import Leaderboard
from ..rescore import is_weighted
from ..single_run import command_of
from ..workbench import Workbench
from .choices import choices
from .decisions import Decider, decided, deciders_of
from .plans import SweepRun, runs_of, without_context

Row = dict[str, Any]


def sweep(
    plan: Plan, over: Sequence[str], bench: Workbench, metric: str | None = None
) -> Iterator[dict[str, Any]]:
    """One row a combination of values, and beside each run the label-free and the best threshold on test.

    Args:
        over: see `choices`. bench: does the runs, and says whether those of `plan.out` are taken over.
        metric: one that the rows must have.

    Yields:
        `model`, `dataset`, `run` (its id), `early` and `late` (option → value), `pick` (`label-free`, `oracle` or
        empty: as asked), `threshold`, `metrics`, `trivial`, `difference` to the rule, `training`,
        `split`, `protocol` and `directions` (of the metrics, by name) of the run; `command`, which gives this row
        alone; `unlike`, in what it cannot be compared with the first row (`tests`: it tests other units;
        `threshold`: its threshold is of other held-out units, or another limit of short ones, than that of the
        first row of its pick); or `skipped`. Values that make the same run twice run once: a deterministic model
        under another seed, or fields of the protocol that nothing reads beside the others.

        Where `train_units` or `train_ratio` are swept, all values test what the largest one leaves
        (`protocol.test_reserve`), unless it is set.

    Raises:
        ConfigError: an unknown option, value or metric. DataError: the data are not there.
    """
    chosen = choices(over, resolve(without_context(plan, bench.registry), bench.registry))
    early, late = ([choice for choice in chosen if choice.late == kind] for kind in (False, True))
    runs = runs_of(plan, early, late, bench.registry)
    deciders = [deciders_of(run.resolved, late) for run in runs]  # says what is wrong before anything runs
    if metric is not None:
        check_metric(runs[0].plan, metric, bench, ranks=False)
    done = _records(runs, bench)
    first = FirstRows()
    for at, run in enumerate(runs):
        record = done[run.twin]
        row = _head(run, record)
        if run.twin != at:
            yield {**row, "late": {}, "pick": "", "skipped": _same_as(runs[run.twin].values)}
        elif (error := record["error"]) is not None:
            yield {**row, "late": {}, "pick": "", "skipped": error["message"]}
        else:
            yield from _decided_rows(row, run, record, deciders[at], first)


def _records(runs: Sequence[SweepRun], bench: Workbench) -> dict[int, Record]:
    """The record of each run that is not the same as an earlier one, by its index."""
    single = [at for at, run in enumerate(runs) if run.twin == at]
    board = Leaderboard([runs[at].plan for at in single], bench)
    return {single[number]: record for number, record in board.results()}


def _head(run: SweepRun, record: Record) -> Row:
    resolved = run.resolved
    return {
        "model": resolved.model.name,
        "dataset": resolved.dataset.name,
        "run": record["run_id"],
        "early": run.values,
    }


def _decided_rows(
    head: Row, run: SweepRun, record: Record, deciders: Sequence[Decider], first: FirstRows
) -> Iterator[Row]:
    """A row for each decider of a run that went well."""
    facts = {name: record[name] for name in ("training", "split", "protocol")}
    stored, weighted = records.scores(record, run.plan.out), is_weighted(record)
    for by in deciders:
        row = {**head, **facts, "directions": ways(record), "late": by.values, "pick": by.pick}
        row |= decided(run.resolved, stored, by, weighted)
        if "skipped" not in row:
            unlike = first.unlike(by.pick, likeness(record, {**row, "decided": by.protocol.as_dict()}))
            row |= {"command": command_of(run.resolved, by.settings), "unlike": unlike}
        yield row


def _same_as(values: Mapping[str, str]) -> str:
    named = ", ".join(f"{name}={value}" for name, value in values.items())
    return f"the same run as {named}, so it runs once: nothing that differs acts on this model under this protocol"
