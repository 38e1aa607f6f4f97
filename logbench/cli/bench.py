"""`logbench bench`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..base.jsonable import several
from ..base.temporary_folders import temporary_folder
from . import State, pass_state
from .shared_options import json_option, limit_options, note, print_json, print_table

FAILING = ("WORSE", "SLOWER", "failed")
# States of cells without comparable figures on one side.
WITHOUT = ("changed", "new", "gone")


@click.group("bench", epilog="Example: logbench bench run bench.toml --out new.jsonl")
def command() -> None:
    """Run a suite of benchmarks, and compare it with a baseline."""


@command.command("run", epilog="Example: logbench bench run tests/bench.toml --out tests/baselines/bench.jsonl")
@click.argument("suite", type=click.Path(path_type=Path), metavar="SUITE.toml")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to this file.")
@click.option(
    "--runs", type=click.Path(path_type=Path, file_okay=False), help="Keep records and scores in this folder."
)
@limit_options
@json_option
@pass_state
def run(
    state: State, suite: Path, out: Path | None, runs: Path | None, as_json: bool, **limits: float | None
) -> int:
    """Run models × data sets × protocols × seeds of SUITE.toml. Exit 1 if a run fails.

    Tables [models.NAME], [datasets.NAME] and [protocols.NAME] hold options; gates.METRIC is the largest loss of a
    metric that passes, in the direction in which it is worse; seeds is a list.
    """
    from ..studies.regression_bench.figures import header
    from ..studies.regression_bench.figures_file import write
    from ..studies.regression_bench.run_suite import run_suite
    from ..studies.regression_bench.suite import read_suite

    chosen = read_suite(suite)
    rows, records = [], []
    with _folder(runs) as folder, state.workbench(limits) as bench:
        for row, record in run_suite(chosen, bench, folder):
            rows.append(row)
            records.append(record)
            if as_json:
                print_json([row])
    if not as_json:
        print_table([_shown(row, list(chosen.gates)) for row in rows], drop=SPARE, states=("status",))
    failed = [row for row in rows if row["status"] == "error"]
    for row in failed:
        note(f"error: {_name(row)}: {row['error']}")
    if out is not None:
        write(out, header(chosen, records), rows)
        note(f"{several(len(rows), 'figure')} in {out}; next: logbench bench compare BASELINE {out}")
    return int(bool(failed))


# Columns that a narrow terminal does without, the first one first.
SPARE = ("memory MB", "score s", "fit s", "time s", "seed", "protocol")


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
    else:
        with temporary_folder() as folder:
            yield folder


def _name(row: dict[str, Any]) -> str:
    return f"{row['model']} on {row['dataset']}, protocol {row['protocol']}, seed {row['seed']}"


def _shown(row: dict[str, Any], gates: Sequence[str]) -> dict[str, Any]:
    labels = {name: row[name] for name in ("model", "dataset", "protocol", "seed")}
    if row["status"] != "ok":
        return {**labels, "status": row["status"]}
    values = {name: row["metrics"][name] for name in gates}
    return {**labels, **values, "fit s": row["fit_s"], "score s": row["score_s"], "status": "ok"}


@command.command("compare", epilog="Example: logbench bench compare tests/baselines/bench.jsonl new.jsonl")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--slower", type=click.FloatRange(min=1), metavar="FACTOR",
    help="On the same hardware, also fail if a step takes more than FACTOR times as long; 0.5 s count as noise.",
)  # fmt: skip
@json_option
def compare(baseline: Path, new: Path, slower: float | None, as_json: bool) -> int:
    """Compare figures. Exit 1 if NEW is worse than its gates allow, or a run failed.

    Compares only figures of the same data, split, protocol, options and benchmark_version, and names differences.
    Exit 3 if nothing is worse, but some figures could not be compared.
    """
    from ..studies.regression_bench import gate
    from ..studies.regression_bench.figures_file import read

    first, second = read(baseline), read(new)
    rows = gate.compare(first, second, slower)
    alike = gate.same_hardware(first[0], second[0])
    if as_json:
        print_json(rows)
    else:
        print_table([_pair(row, second[0]["gates"], alike) for row in rows], drop=SPARE, states=("state",))
    was, now = first[0]["versions"], second[0]["versions"]
    for name in sorted(name for name in {*was, *now} if was.get(name) != now.get(name)):
        note(f"{name}: {was.get(name, 'none')} in BASELINE, {now.get(name, 'none')} in NEW")
    _gates(first[0]["gates"], second[0]["gates"])
    return _verdict(rows, alike, new)


def _gates(was: Mapping[str, float], now: Mapping[str, float]) -> None:
    """Note changed gates."""
    for name in dict.fromkeys((*was, *now)):
        if was.get(name) != now.get(name):
            note(
                f"gates.{name}: {was.get(name, 'none')} in BASELINE, {now.get(name, 'none')} in NEW, which counts"
            )


def _pair(row: dict[str, Any], gates: Sequence[str], alike: bool) -> dict[str, Any]:
    shown = {name: row[name] for name in ("model", "dataset", "protocol", "seed")}
    sides = [row.get("old") or {}, row.get("new") or {}]
    for name in gates:
        shown[name] = _arrow([side.get("metrics", {}).get(name) for side in sides], ".4f")
    for title, names in (("time s", ("fit_s", "score_s")), ("memory MB", ("peak_rss_mb",))):
        was, now = (sum(s[n] for n in names) if s.get("status") == "ok" else None for s in sides)
        shown[title] = _arrow([was, now], ".3g") + (f" ({now / was:.2f}x)" if alike and was and now else "")
    return {**shown, "state": row["state"]}


def _arrow(values: Sequence[float | None], form: str) -> str:
    """Format old → new."""
    return " → ".join("–" if value is None else f"{value:{form}}" for value in values)


def _verdict(rows: Sequence[dict[str, Any]], alike: bool, new: Path) -> int:
    """Note failed and uncompared cells; return the exit code."""
    for row in rows:
        if row["state"] in (*FAILING, *WITHOUT):
            note(f"{row['state']}: {_name(row)}: {row['why']}")
    if not alike:
        note("other hardware, or runs side by side: times and memory are shown, not compared")
    without = sum(row["state"] in WITHOUT for row in rows)
    if without:
        note(f"not compared: {without} of {several(len(rows), 'cell')}; to take the new figures as the baseline, "
             f"look at them and copy {new} over it")  # fmt: skip
    if any(row["state"] in FAILING for row in rows):
        return 1
    return 3 if without else 0
