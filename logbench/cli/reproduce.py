"""`logbench reproduce`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..api.components import Published, Table
from ..api.plan import Plan
from ..api.record_sections import Record
from ..base.jsonable import several
from ..base.options import parse_settings
from . import State, completion, pass_state
from .shared_options import json_option, note, out_option, print_json, resume_option
from .shown import Shown, format_option, shown_as
from .tracking import track_option


@click.command("reproduce", epilog="Example: logbench reproduce ait-archive --data deeplog_archive")
@click.argument("table", shell_complete=completion.table, required=False)
@click.option("--data", type=click.Path(path_type=Path), help="File or folder with the raw data of its data set.")
@click.option("--only", multiple=True, metavar="MODEL", help="Run only this row (repeatable).")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the models.")
@click.option("--set", "settings", multiple=True, shell_complete=completion.setting, metavar="COMPONENT.KEY=VALUE",
              help="Override an option of the table, such as dataset.normal_total=553366.")  # fmt: skip
@out_option
@resume_option
@track_option
@format_option
@json_option
@pass_state
def command(
    state: State, table: str | None, data: Path | None, only: tuple[str, ...], seed: int,
    settings: tuple[str, ...], out: Path, resume: bool, form: str, as_json: bool,
) -> int:  # fmt: skip
    """Run a published table and print its figures next to ours. Without TABLE list all tables.

    Exit 1 if a cell differs by more than the table's tolerance, 2 if TABLE has a metric that no evaluator gives.
    A table sets its data set, protocol and configuration; --set overrides them.
    """
    from ..studies.reproduce import reproduce

    shown = shown_as(form, as_json)
    if table is None:
        tables = [entry.item for entry in state.registry.tables.values()]
        rows: list[dict[str, Any]] = [
            {"table": t.name, "data set": t.dataset, "rows": len(t.rows), "summary": t.summary} for t in tables
        ]
        if as_json:
            print_json(rows)
        else:
            shown.table(rows, fold=("summary",), drop=("rows",))
        return 0
    chosen = state.registry.table(table)
    plan = Plan(
        model="", dataset=chosen.dataset, data=data, settings=parse_settings(settings), seed=seed, out=out,
        command=state.command,
    )  # fmt: skip
    found = []
    with state.workbench({}, resume=resume) as bench:
        for row, cells, record in reproduce(chosen, plan, only, bench):
            found.append((row, cells, record))
            if as_json:
                run = record["run_id"] if record else None
                print_json({"table": table, "model": row.model, "run": run, **cell} for cell in cells)
    if not as_json:
        _show(chosen, found, shown)
    every = [cell for _, cells, _ in found for cell in cells]
    missed, measured = (sum(cell.get("within") is kind for cell in every) for kind in (False, True))
    note(
        f"{measured} of {several(len(every), 'cell')} reproduced, {missed} missed, "
        f"{len(every) - measured - missed} not run"
    )
    unknown = [f"{row.model}: {cell['why']}" for row, cells, _ in found for cell in cells if cell.get("unknown")]
    for text in unknown:
        note(f"error: table {chosen.name}, {text}")
    if missed:
        return 1
    return 2 if unknown or not measured else 0


def _show(table: Table, found: list[tuple[Published, list[dict[str, Any]], Record | None]], shown: Shown) -> None:
    shown.say(f"{table.name}: {table.summary}")
    shown.say(f"source: {table.source}")
    shown.say()
    remarks: dict[str, int] = {}
    rows = []
    for row, cells, _ in found:
        for at, cell in enumerate(cells):
            said = [text for text in (cell.get("why", ""), row.remark if at == 0 else "") if text]
            numbers = [remarks.setdefault(text, len(remarks) + 1) for text in said]
            rows.append(_row(row.model if at == 0 else "", cell, " ".join(f"[{n}]" for n in numbers)))
    shown.table(rows, fold=("difference",), drop=("95% interval",), right=("published", "ours"),
                states=("difference",))  # fmt: skip
    shown.say()
    for text, number in remarks.items():
        shown.say(f"[{number}] {text}")
    _say_setups(shown, table, [record for _, _, record in found if record and record["split"]])


def _row(model: str, cell: Mapping[str, Any], remark: str) -> dict[str, Any]:
    ours = cell.get("ours")
    return {
        "model": model,
        "metric": cell["metric"],
        "published": f"{cell['published']:.3f}",
        "ours": f"{ours:.3f}" if ours is not None else "none" if "ours" in cell else "not run",
        "difference": "" if ours is None else f"{cell['difference']:+.3f}{_missed(cell)}",
        "95% interval": f"{cell['low']:.3f} … {cell['high']:.3f}" if "low" in cell else "",
        "why": remark,
    }


def _missed(cell: Mapping[str, Any]) -> str:
    if cell["within"]:
        return ""
    return " MISSED" + (", better" if cell.get("better") else "")


def _say_setups(shown: Shown, table: Table, found: list[Record]) -> None:
    """Print split and prevalence of both, and known differences."""
    known = f", prevalence {table.prevalence:.4f}" if table.prevalence is not None else ""
    shown.say()
    shown.say(f"published: {table.split or 'split not stated'}{known}")
    for text in dict.fromkeys(map(_setup, found)):
        shown.say(f"ours: {text}")
    shown.say(f"tolerance {table.tolerance:g}; intervals take the normal test units for a sample")
    shown.say(f"why: {table.remark}")


def _setup(record: Record) -> str:
    split, protocol = record["split"], record["protocol"]
    text = (
        f"{split['train']:,} train ({protocol['train']}, {protocol['content']}), {split['held_out']:,} held out, "
        f"{split['test']:,} tested, threshold {record['threshold'].get('source', protocol['threshold'])}"
    )
    share = next((of["all"].get("prevalence") for of in record["metrics"].values()), None)
    return text if share is None else f"{text}, prevalence {share:.4f}"
