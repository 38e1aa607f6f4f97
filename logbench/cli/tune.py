"""`logbench tune`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..api.plan import Plan
from ..base.jsonable import four_digits, several
from ..evaluation.metrics import headline
from ..running.resolve import resolve
from ..studies.single_run import command_of
from . import State, completion, pass_state
from .shared_options import (
    NARROW,
    executor_option,
    json_option,
    limit_options,
    note,
    plan_fields,
    print_json,
    print_table,
    with_plan_options,
    wrapped,
)
from .tracking import track_option

if TYPE_CHECKING:
    from ..api.record_sections import Record
    from ..studies.tune.study import Trial, Tuning

# Trials shown beside the one with the default options.
SHOWN = 5


@click.command(
    "tune", epilog="Example: logbench tune deeplog --dataset hdfs-sim --trials 20 --over lr=0.0005:0.01:log"
)
@click.argument("model", shell_complete=completion.model)
@with_plan_options
@click.option("--trials", type=click.IntRange(min=1), default=20, show_default=True,
              help="Trials of the study, those of an earlier command included.")  # fmt: skip
@click.option("--over", multiple=True, metavar="KEY=RANGE",
              help="Option to tune: lr=0.0001:0.01:log, steps=50:400 or hidden=32,64,128 (repeatable); by default "
              "every option of the model that has a range.")  # fmt: skip
@click.option("--objective", type=click.Choice(["edited", "labelled", "loss"]),
              help="What held-out units are judged by: edited copies of them, their labels (the default for "
              "supervised models), or the validation loss.")  # fmt: skip
@click.option("--draws", type=click.IntRange(min=1), default=3, show_default=True,
              help="Fits of each trial, with other seeds; a trial behind the others is pruned.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Trials side by side.")
@executor_option
@click.option("--journal", type=click.Path(path_type=Path, dir_okay=False),
              help="File that keeps the trials; by default tune.journal in --out.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Seed of the model and of the study.")  # fmt: skip
@click.option("--final/--no-final", default=True, show_default=True,
              help="Test the best and the default options at the end.")  # fmt: skip
@track_option
@limit_options
@json_option
@pass_state
def command(state: State, model: str, **options: Any) -> int:
    """Choose options by trials on training units, then test once.

    A trial fits on a part of the training units and is judged on the protocol's held-out units, which it sees
    nowhere else. No unit of the test set is scored before the end. Trials are kept in a journal: the same command
    goes on after a kill, or with more trials.
    """
    from ..studies.tune.study import TuneRequest, Tuning

    plan = Plan(model=model, seed=options["seed"], command=state.command, **plan_fields(options))
    asked = {name: options[name] for name in ("over", "trials", "draws", "objective", "journal", "jobs")}
    as_json = options["as_json"]
    with state.workbench(options, jobs=options["jobs"]) as bench:
        tuning = Tuning.of(TuneRequest(plan=plan, **asked), bench)
        for trial in tuning.run(bench):
            if not as_json:
                note(f"trial {trial.number + 1} of {options['trials']}: {_said(trial)}")
        trials = tuning.trials()
        found = [trial for trial in trials if trial.status == "ok"]
        if as_json:
            print_json({"model": model, "objective": tuning.objective, **asdict(trial)} for trial in trials)
        else:
            _show(tuning, trials)
        if not found:
            note("error: no trial ended well, so there is nothing to test")
            return 2
        return _final(tuning, found, bench, as_json) if options["final"] else 0


def _said(trial: Trial) -> str:
    if trial.value is None:
        return f"error: {trial.error}"
    return f"{four_digits(trial.value)}{' (pruned)' * (trial.status == 'pruned')}"


def _show(tuning: Tuning, trials: Sequence[Trial]) -> None:
    """Print the best trials, a column each, beside the default options."""
    from ..studies.tune.trial import OBJECTIVES

    what, more = OBJECTIVES[tuning.objective]
    way = "" if more else ", lower is better"
    print(f"{tuning.resolved.model.name} on {tuning.resolved.dataset.name}")
    print(f"objective: {what}{way}")
    counts = [(kind, sum(one.status == kind for one in trials)) for kind in ("ok", "pruned", "error")]
    print(f"{several(len(trials), 'trial')}: {', '.join(f'{count} {kind}' for kind, count in counts if count)}")
    judged = next((one.judged for one in trials if one.judged), None)
    if judged:
        print(
            f"{judged:,} units judged a draw, {several(tuning.request.draws, 'draw')} a trial; no test unit seen"
        )
    for text in dict.fromkeys(one.error for one in trials if one.error):
        print(f"error: {text}"[:NARROW])
    default = [one for one in trials if _is_default(tuning, one)][:1]
    good = [one for one in trials if one.status == "ok"]
    columns = [("default", one) for one in default]
    columns += [(f"trial {one.number}", one) for one in good if one not in default]
    room = NARROW - max(map(len, (*(one.name for one in tuning.space), "objective"))) - 2
    columns, used = columns[: SHOWN + len(default)], 0
    rows: list[dict[str, str]] = []
    for head, trial in columns:
        cells = {"objective": _said(trial).removesuffix(" (pruned)") + "*" * (trial.status == "pruned")}
        cells |= {name: _text(value) for name, value in trial.options.items()}
        used += max(map(len, (head, *cells.values()))) + 2
        if used > room:
            break
        rows.append({"": head, **cells})
    print()
    if rows:
        names = [name for name in rows[0] if name]
        table = [{"": name, **{row[""]: row[name] for row in rows}} for name in names]
        print_table(table, right=[row[""] for row in rows])
        if any(trial.status == "pruned" for _, trial in columns):
            print("* pruned: behind the median of the others after its first draws")


def _is_default(tuning: Tuning, trial: Trial) -> bool:
    return all(trial.options[one.name] == one.default for one in tuning.space)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _final(tuning: Tuning, found: Sequence[Trial], bench: Any, as_json: bool) -> int:
    """Test the best options, and the default ones beside them."""
    from ..studies.leaderboard import Leaderboard

    best = found[0]
    plans = {"default": tuning.request.plan}
    if not _is_default(tuning, best):
        plans["tuned"] = tuning.plan_of(dict(best.options.items()))
    board = Leaderboard(list(plans.values()), bench, lenient=True)  # what a killed command tested is taken over
    records: dict[str, Record] = dict(zip(plans, board.in_order(), strict=True))
    rows: list[Mapping[str, Any]] = []
    for name, plan in plans.items():
        record = records[name]
        error = (record["error"] or {}).get("message")
        figures = {} if error else dict(headline(record) or {})
        shown = {key: figures.get(key) for key in ("f1", "precision", "recall", "auprc")}
        command = command_of(resolve(plan, bench.registry), {})
        rows.append({"options": name, **shown, "run": record["run_id"], "error": error, "command": command})
    if as_json:
        print_json({"final": row["options"], **{key: value for key, value in row.items() if key != "options"}}
                   for row in rows)  # fmt: skip
    else:
        print("\ntested once, at the end:")
        print_table(
            [{key: row[key] for key in ("options", "f1", "precision", "recall", "auprc", "run")} for row in rows],
            drop=("auprc", "recall", "precision"),
        )
        for row in rows:
            if row["error"]:
                print(f"{row['options']}: {row['error']}")
        kept = " (the default options were the best)" if len(rows) == 1 else ""
        print(f"\ncommand of the best{kept}:")
        print(" \\\n    ".join(wrapped(shlex.split(rows[-1]["command"]), NARROW)))
    return 0 if not rows[-1]["error"] else 2
