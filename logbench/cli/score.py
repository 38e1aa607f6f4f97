"""`logbench score`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import DataError
from ..base.files import write_parquet
from ..base.jsonable import four_digits, part_of, shorten
from ..base.progress_bars import Bars
from ..running import looks
from . import State, pass_state
from .apart import apart
from .interrupt import first
from .shared_options import (
    NARROW,
    fitted,
    json_option,
    memory_option,
    note,
    placed,
    print_json,
    print_table,
    threshold_text,
)

if TYPE_CHECKING:
    import polars as pl

    from ..running.bundle import Bundle


@click.command("score", epilog="Example: logbench score mymodel --data new/HDFS.log --top 10")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path, allow_dash=True), required=True,
              help="File or folder with new logs; - for lines on standard input.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=600.0, show_default=True,
              help="Standard input: seconds without a line after which a session closes.")  # fmt: skip
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many units to show.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True,
              help="Where the model runs.")  # fmt: skip
@click.option("--save", type=click.Path(path_type=Path), help="Write every unit to this new Parquet file.")
@click.option("--code", type=click.Path(path_type=Path, exists=True, dir_okay=False), multiple=True,
              help="File with code that the bundle was saved with; it is run (repeatable).")  # fmt: skip
@memory_option
@json_option
@pass_state
@apart
def command(
    state: State,
    bundle: Path,
    data: Path,
    timeout: float,
    top: int,
    device: str,
    save: Path | None,
    code: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Score new logs with a saved model; labels are not needed.

    BUNDLE is the folder that `logbench run --save` wrote. With --json every unit is one line. With --data - the
    command reads lines as they arrive and prints alarms as sessions close; Ctrl-C ends reading and closes all
    sessions.
    """
    import polars as pl

    from ..running.bundle import Bundle
    from ..running.fit_checks import resolve_device

    if save is not None and save.exists():
        raise DataError(f"--save {save}: already exists; nothing was overwritten, choose another name")
    saved, at = Bundle(bundle, state.registry, code), resolve_device(device)
    if saved.edited:
        names = ", ".join(dict.fromkeys(saved.edited))
        note(f"{names}: edited since the model was saved, so scores may differ from those of the run")
    frames = _stream(saved, timeout, at, as_json) if str(data) == "-" else _whole(saved, data, at, as_json, top)
    kept, units, alarms = [], 0, 0
    for frame in frames:
        units, alarms = units + len(frame), alarms + int(frame["verdict"].fill_null(False).sum())
        if save is not None:
            kept.append(frame)
    if not units:
        raise DataError(f"{data}: no line belongs to a unit")
    if save is not None:
        write_parquet(pl.concat(kept), save)
    limit = threshold_text(saved.facts["threshold"])
    note(f"{part_of(alarms, units, 'unit', 'alarms', 'alarm')} (score > {limit})")


def _whole(saved: Bundle, data: Path, device: str, as_json: bool, top: int) -> Iterator[pl.DataFrame]:
    from ..deploy.score_files import look_of, score_bundle

    with Bars() as bars, bars.stage("score") as progress:
        frame = score_bundle(saved, data, device, progress, note)
    if as_json:
        print_json(_plain(row) for row in frame.iter_rows(named=True))
    else:
        rows = [_short(row) for row in frame.head(top).iter_rows(named=True)]
        print_table(fitted(rows, "what"), disable_numparse=True)
        _print_why(frame.head(top))
    looks.keep("score", look_of(saved, data, frame))
    yield frame


def _print_why(frame: pl.DataFrame) -> None:
    """Print the first reason of each alarm, and how to see the rest."""
    alarms = [(row["unit"], row["why"]) for row in frame.iter_rows(named=True) if row["verdict"] and row["why"]]
    for at, (unit, why) in enumerate(alarms):
        head = f"{shorten(unit, 32)}: "
        print(("" if at else "\nwhy\n") + f"  {head}{shorten(why.splitlines()[0], NARROW - 2 - len(head))}")
    if alarms:
        note(f"all lines and reasons of a unit: logbench show score {shlex.quote(alarms[0][0])}")


def _stream(saved: Bundle, timeout: float, device: str, as_json: bool) -> Iterator[pl.DataFrame]:
    """Print each alarm as its session closes (with JSON, each session)."""
    from ..deploy.score_stream import arriving, score_stream

    if sys.stdin.isatty():
        note("reading lines from the terminal; end with Ctrl-D")
    with first("ending: scoring open sessions; press Ctrl-C again to stop at once") as ended:
        blocks = arriving(sys.stdin.fileno(), min(timeout, 1.0), ended)
        for frame in score_stream(saved, blocks, timeout, device, note=note):
            if as_json:
                print_json(_plain(row) for row in frame.iter_rows(named=True))
            else:
                for row in map(_short, frame.filter("verdict").iter_rows(named=True)):
                    facts = "  ".join(f"{name} {row[name]}" for name in ("score", "events", "event", "line"))
                    print(f"ALARM {row['unit']}  {facts}  {shorten(row['what'], 90)}", flush=True)
            yield frame


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Row for JSON: lines count from 1, as in editors; an infinite score (unseen key, short unit) is a word."""
    score = row["score"]
    word = "inf" if score == float("inf") else "-inf" if score == float("-inf") else score
    line = _line(row)
    return {**row, "score": word, "line": line}


def _line(row: dict[str, Any]) -> int | None:
    """Line number from 1, in its file if that is known, else among all lines."""
    at: int | None = row.pop("at", None)
    return at if at is not None else None if row["line"] is None else row["line"] + 1


def _short(row: dict[str, Any]) -> dict[str, str]:
    event = str(row["event"] + 1) if row["event"] >= 0 else "short" if row["short"] else ""
    return {
        "unit": shorten(row["unit"], 40),
        "score": "" if row["score"] is None else four_digits(row["score"]),
        "verdict": "ALARM" if row["verdict"] else "",
        "events": f"{row['events']:,}",
        "event": event,
        "line": placed(row.get("file"), _line(row)),
        "what": row["text"] or row["template"] or "",
    }
