"""`logbench sweep`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from ..api.plan import Plan
from ..base.jsonable import several
from ..evaluation.metrics import pick
from ..studies.comparable_rows import TESTS, THRESHOLD
from . import State, completion, pass_state
from .shared_options import (
    WIDTH,
    digits_of,
    executor_option,
    jobs_option,
    json_option,
    limit_options,
    note,
    plan_fields,
    print_json,
    resume_option,
    room,
    threshold_text,
    with_plan_options,
    wrapped,
)
from .shown import Shown, format_option, shown_as
from .tracking import track_option

# Widths of the column of names, and of a cell such as `0.963†‡ at 0.01234`.
NAMES, CELL = 21, 17
# Why a row is not comparable → its mark, and the meaning of the mark.
MARKS = {
    TESTS: ("†", "tests other units than the first row, so they are not comparable"),
    THRESHOLD: (
        "‡",
        "its threshold is from other held-out units than the first row's, or another limit of short units",
    ),
}


@click.command(
    "sweep", epilog="Example: logbench sweep deeplog --dataset hdfs-sim --over g=1:15 --over steps=50,100"
)
@click.argument("model", shell_complete=completion.model)
@with_plan_options
@click.option("--over", multiple=True, required=True, metavar="KEY=VALUES",
              help="An option and its values: g=1:15,passes=20,60 or alpha=.01:.05:.01 (repeatable).")  # fmt: skip
@click.option("--metric", default="f1", show_default=True,
              help="Metric to show: one of the headline, or EVALUATOR.METRIC such as cost.cost.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the model.")
@resume_option
@jobs_option
@executor_option
@track_option
@limit_options
@format_option
@json_option
@pass_state
def command(state: State, model: str, over: tuple[str, ...], **options: Any) -> int:
    """Show a metric for every combination of some options.

    Options that act after scoring (the protocol's threshold, DeepLog's g) reuse stored scores and train nothing.
    They are compared with the label-free threshold and, as oracle, the one with the best F1 on the test labels.
    Each training is a run like any other, and its command is printed. A learning curve (train_units, train_ratio)
    tests the same units in each row (protocol.test_reserve); rows with other test units or thresholds are marked.
    """
    from ..studies.sweep.rows import sweep

    plan = Plan(model=model, seed=options["seed"], command=state.command, **plan_fields(options))
    metric, as_json = options["metric"], options["as_json"]
    shown = shown_as(options["form"], as_json)
    rows = []
    with state.workbench(options, jobs=options["jobs"], resume=options["resume"]) as bench:
        for row in sweep(plan, over, bench, metric):
            rows.append(row)
            if as_json:
                print_json([row])
    good = [row for row in rows if "skipped" not in row]
    # a metric that is not there ends the command before any output
    values = [pick(row["metrics"], metric, "this sweep") for row in good]
    if good and not as_json:
        digits = digits_of([value for value in values if value is not None], most=3)
        _show([{**row, "metric": metric, "digits": digits} for row in good], shown)
    for reason in dict.fromkeys(row["skipped"] for row in rows if "skipped" in row):
        count = sum(row.get("skipped") == reason for row in rows)
        note(f"{count} of {several(len(rows), 'choice')} skipped: {reason}")
    return 0 if good else 2


def _show(rows: Sequence[Mapping[str, Any]], shown: Shown) -> None:
    runs = list(dict.fromkeys(row["run"] for row in rows))
    first = rows[0]
    way = {"higher": "", "lower": ", lower is better", None: ""}[first["directions"].get(first["metric"])]
    shown.say(f"{_title(first)} of {first['model']} on {first['dataset']}{way}")
    for text in dict.fromkeys(map(_setup, rows)):
        shown.say(text)
    shown.say()
    heads = (
        max(map(len, _describe_choice(row["early"]).split("\n"))) + 2
        for row in {r["run"]: r for r in rows}.values()
    )
    if shown.form != "csv" and NAMES + sum(max(head, CELL) + 2 for head in heads) <= room():
        table = _side_by_side(rows, runs)
        shown.table(table, right=[name for name in table[0] if name])
    else:
        cells = [{**row["early"], "": _name(row), row["metric"]: _cell(row)} for row in rows]
        shown.table(cells)
    shown.say()
    shown.say(
        "label-free: threshold from held-out units; oracle: best F1 on the test labels, not an honest result"
    )
    for text in _below(rows):
        shown.say(text)


def _below(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Explain the marks, and print the command of one row."""
    for kind, (mark, text) in MARKS.items():
        if any(kind in row["unlike"] for row in rows):
            yield f"{mark} {text}"
    yield "command of the first row, others alike:"
    yield " \\\n    ".join(wrapped(shlex.split(rows[0]["command"]), min(room(), WIDTH)))


def _title(row: Mapping[str, Any]) -> str:
    return "F1" if row["metric"] == "f1" else str(row["metric"])


def _setup(row: Mapping[str, Any]) -> str:
    """Describe the split of a row."""
    split, protocol = row["split"], row["protocol"]
    share = row["metrics"].get("prevalence")
    return (
        f"{split['train']:,} train ({protocol['train']}, {protocol['content']}), {split['held_out']:,} held out, "
        f"{split['test']:,} tested; split seed {split['seed']}"
    ) + ("" if share is None else f"; prevalence {share:.4f}")


def _side_by_side(rows: Sequence[Mapping[str, Any]], runs: Sequence[str]) -> list[dict[str, Any]]:
    """A table with a row for each late choice and a column for each run."""
    heads = {row["run"]: _describe_choice(row["early"]) or row["metric"] for row in rows}
    names = list(dict.fromkeys(_name(row) for row in rows))
    table = [
        {"": name, **{heads[row["run"]]: _cell(row) for row in rows if _name(row) == name}}
        for name in sorted(names, key=lambda name: name in ("label-free", "oracle"))
    ]
    last = {run: next(row for row in reversed(rows) if row["run"] == run) for run in runs}
    table.append({"": "rule: unseen or short", **{heads[r]: _rule(row) for r, row in last.items()}})
    losses = {heads[r]: row["training"].get("validation_loss") for r, row in last.items()}
    if any(loss is not None for loss in losses.values()):
        table.append(
            {"": "validation loss", **{h: f"{loss:.3f}" for h, loss in losses.items() if loss is not None}}
        )
    return table


def _describe_choice(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in values.items())


def _name(row: Mapping[str, Any]) -> str:
    return row["pick"] or ", ".join(f"{name}={value}" for name, value in row["late"].items()) or "as asked"


def _rule(row: Mapping[str, Any]) -> str:
    return _number(pick(next(iter(row["trivial"].values())), row["metric"], "the rule"), row["digits"])


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _cell(row: Mapping[str, Any]) -> str:
    """Format the metric, with the threshold if it was picked."""
    picked = f" at {threshold_text(row['threshold'])}" if row["pick"] else ""
    marks = "".join(mark for kind, (mark, _) in MARKS.items() if kind in row["unlike"])
    return f"{_number(pick(row['metrics'], row['metric'], 'this sweep'), row['digits'])}{marks}{picked}"
