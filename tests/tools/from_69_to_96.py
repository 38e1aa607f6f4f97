"""Measure the steps of docs/how-to/from-69-to-96.md: each with its command, F1 and 95% interval over sessions.

Needs the real data in `../shared/data`, or where LOGBENCH_DATA points. Prints the page's tables in Markdown; runs
are kept in --out, and one that is there is not run again.

    python tests/tools/from_69_to_96.py --out runs/from-69-to-96
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from real_data import DATA

import logbench
from logbench.api.protocol import late_fields
from logbench.components.registry import Registry
from logbench.evaluation.intervals import interval
from logbench.running.run_names import find
from logbench.studies.compare import headline_units
from logbench.studies.rescore import rescore

Settings = dict[str, dict[str, Any]]
FULL_SIZE = {"normal_total": 553_366, "anomaly_total": 16_838}
LONG = {"sampling": "distinct"}
BRIEF = {"stop": "steps", "steps": 100}
PAPER = {"input": "one-hot", "lr": 0.002}
FREE = {"threshold": "validation"}
ANY = {"unseen": "anomalous"}


@dataclass(frozen=True)
class Step:
    """One row: what it changes, added to all that the rows before it changed.

    Attributes:
        title: what it changes, in words. more: settings by component. model: another model from here on.
        alone: not kept for the rows after it. fresh: forgets what came before. once: one seed, as it takes long.
    """

    title: str
    more: Settings = field(default_factory=dict)
    model: str | None = None
    alone: bool = False
    fresh: bool = False
    once: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the page: data, preset and steps."""

    name: str
    dataset: str
    data: str
    settings: Settings
    steps: Sequence[Step]
    preset: str | None = "report-2026"


SHORT = Step("short sessions alarm, instead of being left out", {"protocol": {"short": "flag"}}, once=True)
STEPS = Step("100 optimiser steps instead of 100 passes", {"deeplog": BRIEF})
PROTOCOL = (
    Step("label-free threshold instead of g = 9", {"protocol": FREE}),
    Step("any unseen key alarms, not only as the next key", {"protocol": ANY}),
    Step("one-hot input and learning rate .002, the defaults", {"deeplog": PAPER}),
)
ENSEMBLES = (
    Step("five seeds by vote", {"combination": {"by": "vote"}}, "deeplog*5", alone=True),
    Step("five seeds by rank", {"combination": {"by": "rank"}}, "deeplog*5", alone=True),
    Step("with the rules *new-event* and *length*", {}, "new-event+length+deeplog", alone=True),
    Step("no network: the rules and ECVC", {}, "new-event+length+ecvc", alone=True),
)
LABELLED: Settings = {"protocol": {"train": "random_ratio", "train_ratio": 0.5, "content": "labelled"}}
TABLES = (
    Table(
        "sample", "hdfs", "hdfs_v1_sample/HDFS_v1.zip", {"dataset": FULL_SIZE},
        (
            Step("the report: first 4,855 normal sessions, g = 9", {"deeplog": LONG}, once=True),
            SHORT,
            STEPS,
            Step("4,855 random normal sessions, not the first", {"protocol": {"train": "random"}}),
            *PROTOCOL,
            Step("300 steps: does a lower loss help?", {"deeplog": {"steps": 300}}, alone=True),
            *ENSEMBLES,
        ),
    ),
    Table(
        "archive", "deeplog-archive", "deeplog_archive",
        {"dataset": {"normal_total": 553_366}, "protocol": {"train": "given"}},
        (
            Step("the report's set-up on hdfs_train", {"deeplog": LONG}, once=True),
            SHORT,
            STEPS,
            *PROTOCOL,
            *ENSEMBLES,
        ),
    ),
    Table(
        "labels", "hdfs", "hdfs_v1_sample/HDFS_v1.zip", {"dataset": FULL_SIZE, **LABELLED},
        (
            Step("a CNN, half of the sessions labelled", {}, "cnn"),
            Step("a decision tree on counts", {}, "decision-tree", alone=True, fresh=True),
            Step("both classes count alike (class weights)", {"cnn": {"balanced": True}}, alone=True),
            Step("anomalies repeated to 30% (oversampling)", {"cnn": {"oversample": 0.3}}, alone=True),
        ),
        preset="hdfs",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A step with all that it builds on."""

    title: str
    model: str
    settings: Settings
    once: bool


def rows(table: Table) -> Iterator[Row]:
    """The rows of a table, each with all settings of the steps before it that stay."""
    kept, model = table.settings, "deeplog"
    for step in table.steps:
        settings = merged(table.settings if step.fresh else kept, step.more)
        used = step.model or model
        taking = {*used.replace("*5", "").split("+"), "dataset", "protocol", "combination"}
        yield Row(step.title, used, {name: one for name, one in settings.items() if name in taking}, step.once)
        if not step.alone:
            kept, model = settings, used


def merged(first: Mapping[str, Mapping[str, Any]], second: Mapping[str, Mapping[str, Any]]) -> Settings:
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in {**first, **second}}


def command(table: Table, row: Row) -> str:
    """What a reader types for one row."""
    words = ["logbench", "run", row.model, "--dataset", table.dataset, "--data", Path(table.data).name]
    words += ["--preset", table.preset] if table.preset else []
    for name, values in row.settings.items():
        words += [word for key, value in values.items() for word in ("--set", f"{name}.{key}={value}".lower())]
    return shlex.join(words)


def early(row: Row) -> Settings:
    """What acts before scoring: rows that differ in the rest alone share a trained model."""
    late = late_fields(uses_alpha="+" in row.model or "*" in row.model)
    protocol = {name: value for name, value in row.settings.get("protocol", {}).items() if name not in late}
    return {**row.settings, "protocol": protocol}


def measured(table: Table, row: Row, out: Path, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """F1, its interval and parts of each seed; taken from `out` where it was run before."""
    known = out / f"{table.name}.jsonl"
    lines = [json.loads(line) for line in known.read_text().splitlines()] if known.exists() else []
    found = []
    for seed in seeds:
        asked = json.loads(json.dumps([row.model, row.settings, seed]))
        trained = json.loads(json.dumps([row.model, early(row), seed]))
        old = next((line for line in lines if line["asked"] == asked), None)
        if old is None:
            before = next((line for line in lines if line["trained"] == trained), None)
            record = again(before["run"], row, out) if before else run(table, row, out, seed)
            if record.error is not None:
                print(f"{row.title}: {record.error['message']}", file=sys.stderr)
                continue
            one = interval(headline_units(record.as_dict(), out), "f1", by_sequence=False)
            figures = logbench.figures(record.as_dict())
            shown = {name: figures[name] for name in ("f1", "precision", "recall")}
            old = {
                "asked": asked,
                "trained": trained,
                "run": record.run_id,
                "low": one.low,
                "high": one.high,
                **shown,
            }
            with known.open("a") as file:
                file.write(json.dumps(old) + "\n")
        found.append(old)
    return found


def run(table: Table, row: Row, out: Path, seed: int) -> logbench.RunRecord:
    fields: Any = {"preset": table.preset} if table.preset else {}
    (record,) = logbench.run(
        row.model, dataset=table.dataset, data=DATA / table.data, settings=row.settings, seeds=(seed,),
        split_seed=seed, out=out, registry=REGISTRY, **fields,
    )  # fmt: skip
    return record


def again(run_id: str, row: Row, out: Path) -> logbench.RunRecord:
    """The stored scores of a run under the row's protocol, as `logbench rescore` decides them."""
    changes = {name: value for name, value in row.settings["protocol"].items() if name in late_fields(False)}
    return rescore(find(run_id, out), out, changes, (), REGISTRY, "")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/from-69-to-96"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[table.name for table in TABLES])
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for table in (one for one in TABLES if one.name in asked.only):
        print(f"\n## {table.name}\n\n| | step | F1 | 95% | other seeds | P | R | moved |")
        print("|---|---|---|---|---|---|---|---|")
        before: float | None = None
        commands = []
        for number, row in enumerate(rows(table)):
            found = measured(table, row, asked.out, range(1 if row.once else asked.seeds))
            if not found:
                continue
            one = found[0]
            mean = sum(each["f1"] for each in found) / len(found)
            others = " ".join(short(each["f1"]) for each in found[1:])
            moved = "" if before is None else f"{mean - before:+.3f}".replace("0.", ".")
            print(
                f"| {number} | {row.title} | {short(one['f1'])} | {short(one['low'])}–{short(one['high'])} "
                f"| {others} | {short(one['precision'])} | {short(one['recall'])} | {moved} |",
                flush=True,
            )
            commands.append(f"{command(table, row)}  # {number}")
            before = mean if not table.steps[number].alone else before
        print("\n```sh\n" + "\n".join(commands) + "\n```")


def short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".removeprefix("0")


if __name__ == "__main__":
    REGISTRY = Registry()
    main()
