"""`logbench score`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.cells import columns_of
from ..base.errors import DataError
from ..base.files import check_free, write_parquet
from ..base.jsonable import four_digits, several, shorten
from ..base.progress_bars import Bars
from ..deploy.arriving import arriving
from ..deploy.engines import onnx_device
from ..running import looks
from ..running.fit_checks import resolve_device
from ..running.resolve import evaluators_of
from . import State, pass_state
from .alarm_options import keeping_options, rate_of, rate_options, with_options
from .alarm_output import opened_desk, print_alarm, print_incidents, print_told, said_at_end
from .apart import apart
from .interrupt import first
from .shared_options import (
    NARROW,
    fitted,
    json_option,
    local,
    memory_option,
    note,
    overwrite_option,
    placed,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    import polars as pl

    from ..deploy.alarm_desk import AlarmDesk
    from ..running.bundle import Bundle


@click.command("score", epilog="Example: logbench score mymodel --data new/HDFS.log --top 10")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path, allow_dash=True), required=True,
              help="File or folder with new logs, or an address (s3://…); - for standard input.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=600.0, show_default=True,
              help="Standard input: seconds without a line after which a session closes.")  # fmt: skip
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many units to show.")
@with_options(rate_options)
@with_options(keeping_options)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True,
              help="Where the model runs.")  # fmt: skip
@click.option("--engine", type=click.Choice(["own", "onnxruntime"]), default="own", show_default=True,
              help="What runs the model: its own code, or onnxruntime its exported graph.")  # fmt: skip
@click.option("--save", type=click.Path(path_type=Path), help="Write every unit to this new Parquet file.")
@overwrite_option
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
    save: Path | None,
    overwrite: bool,
    code: tuple[Path, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Score new logs with a saved model; labels are not needed.

    BUNDLE is the folder that `logbench run --save` wrote. With --json every unit is one line; with --only-new or
    --incidents every alarm or incident. With --data - the command reads lines as they arrive and prints alarms as
    sessions close; Ctrl-C ends reading and closes all sessions, or with --state keeps them for the next call.
    Where the logs have labels all the same, metrics follow; no model sees them.
    """
    import polars as pl

    from ..deploy.exported_model import exported_model
    from ..running.bundle import Bundle

    if save is not None:
        check_free("--save", save, overwrite)
    if options["close"] and str(data) != "-":
        raise click.UsageError("--close is for lines on standard input: --data -")
    asked = rate_of(options["threshold"], options["rate"], options["budget"])
    if options["engine"] == "own":
        saved, device = Bundle(bundle, state.registry, code), resolve_device(options["device"])
    else:
        device = onnx_device(options["device"])
        saved = Bundle(bundle, state.registry, code, partial(exported_model, device=device))
    if saved.edited:
        names = ", ".join(dict.fromkeys(saved.edited))
        note(f"{names}: edited since the model was saved, so scores may differ from those of the run")
    kept: list[pl.DataFrame] = []
    with opened_desk(saved, asked, bundle.resolve().name, options) as desk:
        read = _stream if str(data) == "-" else partial(_whole, state)
        for frame in read(saved, desk, data, device, as_json, options):
            if save is not None:
                kept.append(frame)
        if not desk.counts["units"] and desk.state is None:
            raise DataError(f"{data}: no line belongs to a unit")
        if save is not None and kept:
            write_parquet(pl.concat(kept), save)
        for text in said_at_end(desk):
            note(text)
        desk.finish()


def _whole(
    state: State,
    saved: Bundle,
    desk: AlarmDesk,
    data: Path,
    device: str,
    as_json: bool,
    options: Mapping[str, Any],
) -> Iterator[pl.DataFrame]:
    from ..deploy.score_files import look_of, score_bundle

    data = local(data)
    known: list[pl.DataFrame] = []
    with Bars() as bars, bars.stage("score") as progress:
        frame = score_bundle(saved, data, device, progress, note, desk.threshold, known.append)
    alarms = desk.take(frame)
    frame = frame.drop("first")
    if desk.only_first:
        print_incidents(alarms, desk.book.incidents, as_json, options["top"])
    elif desk.only_new:
        print_told(alarms, as_json, options["top"])
    elif as_json:
        print_json(_plain(row) for row in frame.iter_rows(named=True))
    else:
        rows = [_short(row) for row in frame.head(options["top"]).iter_rows(named=True)]
        print_table(fitted(rows, "what"), fold=("what",), drop=("event", "events", "line"), states=("verdict",))
        _print_why(frame.head(options["top"]))
    for units in known:
        _print_worth(units, saved, state, plain=as_json or desk.only_new or desk.only_first)
    looks.keep("score", look_of(saved, data, frame))
    yield frame


# Metrics that are shown where new logs have labels.
WORTH = ("f1", "precision", "recall", "mcc", "auroc", "auprc")


def _print_worth(units: pl.DataFrame, saved: Bundle, state: State, plain: bool) -> None:
    """Print the metrics of labelled units, beside the best rule without a model.

    Args:
        plain: in one line on standard error, because the output is for machines or of alarms alone.
    """
    from ..deploy.labelled import figures

    offered = evaluators_of((), state.registry)
    found = figures(units, saved, {one.item.name: one.item.build() for one in offered})
    if not (model := found.pop("model", None)):
        return
    labels = units["label"]
    counts = (
        f"{(labels >= 0).sum():,} of {several(len(units), 'unit')} labelled, {(labels == 1).sum():,} anomalous"
    )
    best = max(found, key=lambda name: found[name].get("f1") or 0.0)
    shown = {"model": model, f"rule: {best.replace('_', ' ')}": found[best]}
    if plain:
        said = (f"{name}: " + ", ".join(f"{metric} {_figure(of.get(metric))}" for metric in WORTH[:3])
                for name, of in shown.items())  # fmt: skip
        note(f"{counts}; {'; '.join(said)}")
        return
    rows = [{"": name, **{metric: of.get(metric) for metric in WORTH}} for name, of in shown.items()]
    print(f"\n{counts}")
    print_table(rows, drop=("auroc", "mcc"))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _print_why(frame: pl.DataFrame) -> None:
    """Print the first reason of each alarm, and how to see the rest."""
    alarms = [(row["unit"], row["why"]) for row in frame.iter_rows(named=True) if row["verdict"] and row["why"]]
    for at, (unit, why) in enumerate(alarms):
        head = f"{shorten(unit, 32)}: "
        print(("" if at else "\nwhy\n") + f"  {head}{shorten(why.splitlines()[0], NARROW - 2 - columns_of(head))}")
    if alarms:
        note(f"all lines and reasons of a unit: logbench show score {shlex.quote(alarms[0][0])}")


def _stream(
    saved: Bundle, desk: AlarmDesk, data: Path, device: str, as_json: bool, options: Mapping[str, Any]
) -> Iterator[pl.DataFrame]:
    """Print each alarm as its session closes (with JSON, each session)."""
    from ..deploy.alarm_lines import AlarmLines
    from ..deploy.score_stream import score_stream

    if sys.stdin.isatty():
        note("reading lines from the terminal; end with Ctrl-D")
    finish, timeout = options["close"] or desk.state is None, options["timeout"]
    way = "scoring open sessions" if finish else "open sessions stay in the state"
    with first(f"ending: {way}; press Ctrl-C again to stop at once", () if finish else ("SIGTERM",)) as ended:
        blocks = arriving(sys.stdin.fileno(), min(timeout, 1.0), ended)
        frames = score_stream(
            saved,
            blocks,
            timeout,
            device,
            note=note,
            threshold=desk.threshold,
            keeper=desk,
            finish=finish,
            alarmed=AlarmLines().take,
        )
        for scored in frames:
            alarms, frame = desk.take(scored), scored.drop("first")
            if as_json and not (desk.only_new or desk.only_first):
                print_json(_plain(row) for row in frame.iter_rows(named=True))
            else:
                for one in desk.told(alarms):
                    print_alarm(one, as_json)
            yield frame


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Row for JSON: lines count from 1, as in editors; an infinite score (unseen key, short unit) is a word."""
    from ..deploy.alarms import finite

    score, time = row["score"], row["time"]
    return {
        **row,
        "score": None if score is None else finite(score),
        "time": None if time is None else time.isoformat(),
        "line": _line(row),
        "telling": row["telling"] and [number + 1 for number in row["telling"]],
    }


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
