"""`logbench compare`."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..running import records, run_names
from ..studies.common_units import common_units, dropping_apart, measured_on
from ..studies.compare import compare, confidence, correct
from ..studies.many_datasets import across
from . import State, completion, pass_state, run_completion
from .apart import apart
from .shared_options import digits_of, json_option, note, out_option, print_json
from .shown import Shown, format_option, shown_as


@click.command("compare", epilog="Example: logbench compare RUN_A RUN_B --metric f1 --tolerance 0.005")
@click.argument("runs", shell_complete=run_completion.run, nargs=-1, metavar="RUN_A RUN_B…")
@click.option(
    "--metric",
    default="f1",
    show_default=True,
    help="A metric of the headline, or EVALUATOR.METRIC such as cost.cost.",
)
@click.option("--evaluator", "evaluators", multiple=True, shell_complete=completion.evaluator, metavar="FILE",
              help="File of an evaluator that the runs had and that is not installed (repeatable).")  # fmt: skip
@click.option("--tolerance", type=click.FloatRange(min=0), default=0.005, show_default=True,
              help="Largest loss against the first run that does not count as worse.")  # fmt: skip
@click.option("--swaps", type=click.IntRange(min=0), default=10_000, show_default=True,
              help="Random swaps of the runs' verdicts for p; 0: neither p nor interval.")  # fmt: skip
@click.option("--swap-seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Seed of the swaps.")  # fmt: skip
@click.option("--resamples", type=click.IntRange(min=0), default=1000, show_default=True,
              help="Resamples for intervals of metrics that only their evaluator computes.")  # fmt: skip
@click.option("--across", type=click.Choice(["datasets"]),
              help="Rank models over several data sets; without RUNs, all runs in --out.")  # fmt: skip
@out_option
@format_option
@json_option
@pass_state
@apart
def command(
    state: State, runs: tuple[str, ...], metric: str, evaluators: tuple[str, ...], tolerance: float, swaps: int,
    swap_seed: int, resamples: int, across: str | None, out: Path, form: str, as_json: bool,
) -> int:  # fmt: skip
    """Compare runs with the first. Exit 1 if one is worse, 2 if they are not comparable.

    Runs are not comparable if they differ in data, split or protocol. Lower is worse, unless the metric's
    evaluator declares that lower is better. If the protocol drops short units, the runs are compared on the units
    that all of them scored. Each difference has a 95% interval, which treats sets of equal sequences as draws
    from a population and leaves room for sets not drawn; the number of sets of equal weight that these are worth;
    and p from swapping both runs' verdicts on whole sequences, with Holm's correction for several runs. A metric
    that does not follow from verdicts, such as auroc or cost.cost, has a bootstrap interval through its evaluator.
    """
    shown = shown_as(form, as_json)
    if across:
        return _across(runs, metric, out, as_json, shown)
    if len(runs) < 2:
        raise click.UsageError("two runs at least; list them with: logbench runs")

    for name in evaluators:
        state.registry.get("evaluator", name)  # offers what the file holds
    found = [run_names.find(run, out) for run in runs]
    rows, notes, common = compare(found, metric, tolerance), dict[str, None](), None
    if dropping_apart(found):
        common = common_units(found, out)
        found = [measured_on(common, run, out, state.registry) for run in found]
        rows = compare(found, metric, tolerance)
        left = f"each run drops the units too short for it: compared on the {len(common):,} that all scored"
        notes[left] = None
    for row, record in zip(rows[1:], found[1:], strict=True) if swaps else ():
        more, said = confidence(found[0], record, out, metric, swaps, swap_seed, common,
                                registry=state.registry, resamples=resamples)  # fmt: skip
        row.update(more)
        notes |= dict.fromkeys(said)
    correct(rows)
    if as_json:
        print_json(rows)
    else:
        digits = digits_of([row[metric] for row in rows])
        shown.table(
            [_shown(row, metric, digits, at > 0) for at, row in enumerate(rows)],
            fold=("difference", "95% interval", "worth"), drop=("McNemar p", "worth"), states=("difference",),
        )  # fmt: skip
    if rows[0]["direction"] == "lower":
        note(f"{metric}: lower is better")
    for text in notes:
        note(text)
    return int(any(row["worse"] for row in rows))


def _across(runs: tuple[str, ...], metric: str, out: Path, as_json: bool, shown: Shown) -> int:
    found = [run_names.find(run, out) for run in runs] or [one for one in records.read(out) if one["metrics"]]
    seen = across(found, metric)
    if as_json:
        print_json([asdict(seen)])
        return 0
    letters = dict.fromkeys(seen.models, "")
    for group, letter in zip(seen.tied, string.ascii_letters, strict=False):
        for name in group:
            letters[name] += letter
    rows = [
        {
            "model": name,
            "mean rank": f"{seen.ranks[at]:.2f}",
            "tied": letters[name],
            "p": f"{seen.p_holm[at]:.2g}" if at else None,
            **{of: f"{seen.values[at][n]:.3f}" for n, of in enumerate(seen.datasets)},
        }
        for at, name in enumerate(seen.models)
    ]
    shown.table(rows, fold=("model",), drop=(*seen.datasets[::-1], "p"))
    note(f"{metric} on {len(seen.datasets)} data sets: Friedman (Iman & Davenport) p {seen.friedman.p:.2g}")
    note(
        f"tied: models that share a letter are not told apart (Nemenyi: mean ranks less than {seen.critical:.2f} "
        "apart); p: against the first, Holm's correction"
    )
    if seen.left_out:
        note(f"left out, since they did not run on every data set: {', '.join(seen.left_out)}")
    return 0


def _shown(row: Mapping[str, Any], metric: str, digits: int, rival: bool) -> dict[str, Any]:
    low, test = row.get("low"), row.get("mcnemar")
    return {
        "run": row["run"],
        metric: f"{row[metric]:,.{digits}f}",
        "difference": f"{row['difference']:+,.{digits}f}{' WORSE' if row['worse'] else ''}" if rival else None,
        "95% interval": f"{low:+,.{digits}f} … {row['high']:+,.{digits}f}" if low is not None else None,
        "worth": f"{row['effective']:.1f} of {row['clusters']:,}" if row.get("clusters") else None,
        "p": f"{row['p_holm']:.2g}" if row.get("p_holm") is not None else None,
        "McNemar p": (f"{test['p']:.2g}" if test["p"] else "< 1e-300") if test else None,
    }
