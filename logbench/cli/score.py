"""`logbench score`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import State, pass_state
from .common import json_option, note, print_json, print_table, shorten


@click.command("score", epilog="Example: logbench score mymodel --data new/HDFS.log --top 10")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="File or folder with other logs.")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many units to show.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True,
              help="Where the model runs.")  # fmt: skip
@click.option("--save", type=click.Path(path_type=Path), help="Write every unit to this new Parquet file.")
@json_option
@pass_state
def command(
    state: State, bundle: Path, data: Path, top: int, device: str, save: Path | None, as_json: bool
) -> None:
    """Score other logs with a saved model; no labels are needed.

    BUNDLE is the folder that `logbench run --save` wrote. With --json every unit is one line.
    """
    from ..bundle import Bundle
    from ..errors import DataError
    from ..progress import Bars
    from ..runner import resolve_device
    from ..scoring import score_bundle
    from ..storage import write_parquet

    if save is not None and save.exists():
        raise DataError(f"--save {save}: already there; nothing was overwritten, choose another name")
    saved = Bundle(bundle, state.registry)
    with Bars() as bars, bars.stage("score") as progress:
        frame = score_bundle(saved, data, resolve_device(device), progress)
    if save is not None:
        write_parquet(frame, save)
    if as_json:
        print_json(_plain(row) for row in frame.iter_rows(named=True))
    else:
        print_table([_short(row) for row in frame.head(top).iter_rows(named=True)], disable_numparse=True)
    alarms = int(frame["verdict"].fill_null(False).sum())
    value = saved.facts["threshold"]["value"]
    note(f"{alarms:,} of {len(frame):,} units alarm (score > {'∞' if value is None else format(value, '.4g')})")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Lines from 1, as editors count; an infinite score (an unseen key, a flagged short unit) as a word."""
    score = row["score"]
    word = "inf" if score == float("inf") else "-inf" if score == float("-inf") else score
    return {**row, "score": word, "line": None if row["line"] is None else row["line"] + 1}


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "unit": row["unit"],
        "score": None if row["score"] is None else f"{row['score']:.4g}",
        "verdict": "ALARM" if row["verdict"] else "",
        "events": row["events"],
        "event": row["event"] + 1 if row["event"] >= 0 else ("short" if row["short"] else None),
        "line": None if row["line"] is None else f"{row['line'] + 1:,}",
        "what": shorten(row["raw"] or row["template"] or "", 90),
    }
