"""`logbench bench`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..base.jsonable import several
from ..base.temporary_folders import temporary_folder
from ..studies.regression_bench.unfinished import unfinished
from . import State, github, pass_state
from .bench_rows import SPARE, code_of, name_of, notes_of, pair, table_row
from .shared_options import (
    executor_option,
    jobs_option,
    json_option,
    limit_options,
    note,
    print_json,
    print_table,
    resuming,
)
from .shown import FORMS, shown_as
from .tracking import track_option


@click.group("bench", epilog="Example: logbench bench run bench.toml --out new.jsonl")
def command() -> None:
    """Run a suite of benchmarks, and compare it with a baseline."""


@command.command("run", epilog="Example: logbench bench run tests/bench.toml --out tests/baselines/bench.jsonl")
@click.argument("suite", type=click.Path(path_type=Path), metavar="SUITE.toml")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to this file.")
@click.option(
    "--runs", type=click.Path(path_type=Path, file_okay=False), help="Keep records and scores in this folder."
)
@resuming("--runs")
@jobs_option
@executor_option
@track_option
@limit_options
@json_option
@pass_state
def run(state: State, suite: Path, out: Path | None, runs: Path | None, as_json: bool, **options: Any) -> int:
    """Run models × data sets × protocols × seeds of SUITE.toml. Exit 1 if a run fails.

    Tables [models.NAME], [datasets.NAME] and [protocols.NAME] hold options; gates.METRIC is the largest loss of a
    metric that passes, in the direction in which it is worse; seeds is a list.

    The same command goes on after a kill: without --runs, its runs are in the cache until it ends.
    """
    rows, gates = _run(state, suite, out, runs, options, lambda row: print_json([row]) if as_json else None)
    if not as_json:
        print_table([table_row(row, gates) for row in rows], drop=SPARE, states=("status",))
    failed = [row for row in rows if row["status"] == "error"]
    for row in failed:
        note(f"error: {name_of(row)}: {row['error']}")
    if out is not None:
        note(f"{several(len(rows), 'figure')} in {out}; next: logbench bench compare BASELINE {out}")
    return int(bool(failed))


def _run(
    state: State,
    suite: Path,
    out: Path | None,
    runs: Path | None,
    options: Mapping[str, Any],
    told: Callable[[dict[str, Any]], None] = lambda row: None,
) -> tuple[Sequence[dict[str, Any]], Sequence[str]]:
    """Run a suite and write its figures; return them, and the metrics that gate.

    Args:
        told: called with the figures of each run as it ends.
    """
    from ..studies.regression_bench.figures import header
    from ..studies.regression_bench.figures_file import write
    from ..studies.regression_bench.run_suite import run_suite
    from ..studies.regression_bench.suite import read_suite

    chosen = read_suite(suite)
    rows, records = [], []
    with (
        _folder(runs, suite) as folder,
        state.workbench(options, jobs=options.get("jobs"), resume=options["resume"]) as bench,
    ):
        for row, record in run_suite(chosen, bench, folder):
            rows.append(row)
            records.append(record)
            told(row)
    if out is not None:
        write(out, header(chosen, records), rows)
    return rows, list(chosen.gates)


@contextlib.contextmanager
def _folder(kept: Path | None, suite: Path) -> Iterator[Path]:
    if kept is not None:
        yield kept
    else:
        with unfinished(suite) as folder:
            yield folder


format_option = click.option(
    "--format", "form", type=click.Choice([*FORMS, "github"]), default="table", show_default=True,
    help="Format of the table; `github`: annotations on standard output, and a summary of the job in "
    "$GITHUB_STEP_SUMMARY, or on standard output where that is not set.",
)  # fmt: skip
slower_option = click.option(
    "--slower", type=click.FloatRange(min=1), metavar="FACTOR",
    help="On the same hardware, also fail if a step takes more than FACTOR times as long; 0.5 s count as noise.",
)  # fmt: skip


@command.command("compare", epilog="Example: logbench bench compare tests/baselines/bench.jsonl new.jsonl")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@slower_option
@format_option
@json_option
def compare(baseline: Path, new: Path, slower: float | None, form: str, as_json: bool) -> int:
    """Compare figures. Exit 1 if NEW is worse than its gates allow, or a run failed.

    Compares only figures of the same data, split, protocol, options and benchmark_version, and names differences.
    Exit 3 if nothing is worse, but some figures could not be compared.
    """
    return _compare(baseline, new, slower, form, as_json)


@command.command("gate", epilog="Example: logbench bench gate tests/bench.toml tests/baselines/bench.jsonl")
@click.argument("suite", type=click.Path(path_type=Path), metavar="SUITE.toml")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to this file.")
@slower_option
@resuming("the cache")
@executor_option
@track_option
@limit_options
@format_option
@json_option
@pass_state
def gate(
    state: State,
    suite: Path,
    baseline: Path,
    out: Path | None,
    slower: float | None,
    form: str,
    as_json: bool,
    **options: Any,
) -> int:
    """Run SUITE.toml and compare its figures with BASELINE. Exit as `bench compare` does."""
    from ..studies.regression_bench.figures_file import read

    shown_as(form, as_json)
    read(baseline)  # what cannot be compared with is said before anything runs
    with temporary_folder() as folder:
        new = folder / "new.jsonl" if out is None else out
        _run(state, suite, new, None, options)
        return _compare(baseline, new, slower, form, as_json)


def _compare(baseline: Path, new: Path, slower: float | None, form: str, as_json: bool) -> int:
    from ..studies.regression_bench import gate as gating
    from ..studies.regression_bench.figures_file import read

    shown = shown_as(form, as_json)
    first, second = read(baseline), read(new)
    rows = gating.compare(first, second, slower)
    alike = gating.same_hardware(first[0], second[0])
    table = [pair(row, second[0]["gates"], alike) for row in rows]
    said = notes_of(rows, first[0], second[0], alike, new)
    if form == "github":
        github.show(rows, table, said, baseline, first[1])
        return code_of(rows)
    if as_json:
        print_json(rows)
    else:
        shown.table(table, drop=SPARE, states=("state",))
    for text in said:
        note(text)
    return code_of(rows)
