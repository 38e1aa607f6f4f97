"""Options and output that several subcommands share."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..base.cells import columns_of
from ..base.colours import Style, led
from ..base.escapes import json_text, printable
from ..base.jsonable import four_digits, shorten, to_jsonable
from ..base.options import parse_settings, read_toml
from ..base.progress_bars import Bars
from ..base.screen import folded, screen_width
from ..base.terminal import has
from ..base.text_table import COMFORT, text_table
from ..reading.remote import at_hand
from . import completion

if TYPE_CHECKING:
    from ..running.workers import Jobs

F = TypeVar("F", bound=Callable[..., Any])

out_option = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs"), show_default=True,
    help="Folder for records.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print only JSON Lines on standard output.")
parser_option = click.option(
    "--parser", shell_complete=completion.parser, metavar="NAME", help="Parser; by default the data set's."
)
windower_option = click.option(
    "--windower", shell_complete=completion.windower, metavar="NAME", help="Windower; by default the data set's."
)
set_option = click.option(
    "--set", "settings", multiple=True, shell_complete=completion.setting, metavar="COMPONENT.KEY=VALUE",
    help="Set an option.",
)  # fmt: skip
plan_options: Sequence[Callable[[F], F]] = (
    click.option("--dataset", required=True, shell_complete=completion.dataset, metavar="NAME",
                 help="Data set (see: logbench datasets list)."),
    click.option("--data", type=click.Path(path_type=Path), help="File or folder with the raw data, or its address (s3://…)."),
    parser_option,
    windower_option,
    click.option("--embedding", shell_complete=completion.embedding, metavar="NAME",
                 help="Embedding, for models that take vectors (see: logbench list embedding)."),
    click.option("--evaluator", "evaluators", multiple=True, shell_complete=completion.evaluator, metavar="NAME",
                 help="Evaluator (repeatable)."),
    click.option("--protocol", shell_complete=completion.preset, metavar="PRESET",
                 help="Use the protocol of a preset."),
    click.option("--preset", shell_complete=completion.preset, metavar="PRESET",
                 help="Use protocol and configuration of a preset."),
    click.option("--split-seed", type=click.IntRange(min=0), help="Seed of the split."),
    click.option("--contamination", type=click.FloatRange(min=0, max=0.9), metavar="P",
                 help="Share of unlabelled anomalies in the training set; the test set stays the same."),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True,
                 help="Device of the model."),
    click.option("--devices", type=click.IntRange(min=1, max=1024), default=1, show_default=True, metavar="N",
                 help="Train and score deep models on so many devices, in a process each."),
    click.option(
        "--set", "settings", multiple=True, shell_complete=completion.setting, metavar="COMPONENT.KEY=VALUE",
        help="Set an option, such as deeplog.g=9, model.g=9 or protocol.short=drop (see: logbench options).",
    ),
    click.option("--config", type=click.Path(path_type=Path), help="TOML file with one table a component."),
    click.option("--no-cache", is_flag=True,
                 help="Neither read nor fill the cache of generated data, grouped lines and digests."),
    out_option,
)  # fmt: skip


def _notify(ctx: click.Context, parameter: click.Parameter, text: str | None) -> None:
    if text is not None:
        from .notify import ask

        ask(text)


limits: Sequence[Callable[[F], F]] = (
    click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
                 help="Kill a run that takes longer to fit and score; its row says so."),
    click.option("--memory-limit", type=click.FloatRange(min=0, min_open=True), metavar="MB",
                 help="Kill a run whose process and its descendants take more resident memory."),
    click.option("--notify", metavar="COMMAND", expose_value=False, callback=_notify,
                 help="Run a program at the end, without a shell; the variables LOGBENCH_STATUS (ok, failed, "
                 "interrupted), LOGBENCH_EXIT_CODE, LOGBENCH_SECONDS and LOGBENCH_MESSAGE tell it the outcome."),
)  # fmt: skip
seed_options: Sequence[Callable[[F], F]] = (
    click.option("--seeds", type=click.IntRange(min=1, max=10_000), metavar="N",
                 help="Run seeds 0 … N − 1 of each model; leaderboard: of each stochastic model, 3 by default."),
    click.option("--split-seeds", type=click.IntRange(min=1, max=10_000), metavar="N",
                 help="Run split seeds 0 … N − 1; intervals are then taken over splits."),
    click.option("--each-seed", is_flag=True, help="Show one row a run, not one a model with its 95% interval."),
)  # fmt: skip


memory_option = click.option(
    "--memory-limit", "memory_mb", type=click.FloatRange(min=0, min_open=True), metavar="MB",
    help="End the command where its processes take more resident memory.",
)  # fmt: skip


def limit_options(function: F) -> F:
    """Add the options for limits of time and memory, and for who is told of the end."""
    for add in reversed(limits):
        function = add(function)
    return function


def seeds_options(function: F) -> F:
    """Add the options for several seeds and splits."""
    for add in reversed(seed_options):
        function = add(function)
    return function


def resuming(folder: str) -> Callable[[F], F]:
    """The option whether runs that are in a folder, as its option is called, are done again."""
    return click.option(
        "--resume/--fresh", default=True, show_default=True,
        help=f"Reuse runs in {folder} with the same plan, data and code, or run all again.",
    )  # fmt: skip


resume_option = resuming("--out")


class _Jobs(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A number of runs side by side, or `auto`."""

    name = "jobs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Jobs:
        from ..running.workers import Jobs

        if value == "auto":
            return Jobs(os.cpu_count() or 1, as_it_pays=True)
        return click.IntRange(min=1).convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem("auto", help="as many as pay")] if "auto".startswith(incomplete) else []


jobs_option = click.option(
    "--jobs", type=_Jobs(), metavar="N|auto", show_default="1, or all that --executor has room for",
    help="Number of parallel runs, or as many as pay; a table then has no times.",
)  # fmt: skip


def at_most(jobs: int | Jobs | None, runs: int) -> int | Jobs | None:
    """No more jobs than there are runs."""
    if jobs is None or isinstance(jobs, int):
        return None if jobs is None else min(jobs, runs)
    return replace(jobs, most=min(jobs.most, runs))


executor_option = click.option(
    "--executor", shell_complete=completion.executor, metavar="NAME[://ADDRESS]",
    help="Do the runs elsewhere, such as on a Ray cluster: ray, ray://HOST:10001; by default on this machine.",
)  # fmt: skip
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what an earlier call wrote there.")
baselines_option = click.option(
    "--baselines/--no-baselines", default=None,
    help="Also run and show the reference baselines; by default with tables, not with --json.",
)  # fmt: skip


def split_seeds_of(one: int | None, several: int | None) -> Sequence[int | None]:
    """Seeds of the splits to run; None means the protocol's own."""
    if one is not None and several is not None:
        raise click.UsageError("--split-seed and --split-seeds exclude each other")
    return range(several) if several else (one,)


def with_plan_options(function: F) -> F:
    """Add the options that make a `Plan`."""
    for add in reversed(plan_options):
        function = add(function)
    return function


def plan_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Plan` from the options of `with_plan_options`."""
    names = ("dataset", "data", "parser", "windower", "embedding", "evaluators", "protocol")
    fields = {name: options[name] for name in names}
    fields |= {
        name: options[name] for name in ("preset", "split_seed", "device", "devices", "out") if name in options
    }
    fields["settings"] = parse_settings(options["settings"])
    if options["contamination"] is not None:
        fields["settings"].setdefault("protocol", {})["contamination"] = options["contamination"]
    fields["config"] = read_toml(options["config"]) if options["config"] else {}
    fields["cache"] = not options["no_cache"]
    return fields


def shared_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Plan` that all runs of a command share where it may run several splits."""
    return {name: value for name, value in plan_fields(options).items() if name != "split_seed"}


def local(path: Path) -> Path:
    """A path of this machine: the one given, or of a copy of what lies at an address, such as `s3://…`."""
    with Bars() as bars, bars.stage("locate") as progress:
        return at_hand(path, progress, note)


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line."""
    for row in rows:
        say_json(to_jsonable(row))


def say_json(value: Any, indent: int | None = None) -> None:
    """Print a value of JSON's own types; signs that the terminal lacks become JSON's escapes."""
    text = json_text(value, indent)
    print(text if has(sys.stdout, text) else json_text(value, indent, ascii_only=True), flush=True)


def print_table(
    rows: Sequence[Mapping[str, Any]],
    nothing: str = "nothing to show",
    *,
    fold: Collection[str] = (),
    drop: Sequence[str] = (),
    right: Collection[str] | None = None,
    heads: bool = True,
    states: Collection[str] = (),
) -> None:
    """Print a table on standard output that fits the terminal, and below it what was left out, see `text_table`.

    Args:
        right: headings of columns that are aligned on their right; by default those of numbers alone.
        states: headings of columns whose words have colours, see `STATES`.
    """
    if not rows:
        note(nothing)
        return
    headers = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [_shown(row.get(name)) for row in rows] for name in headers}
    numbers = [name for name, cells in columns.items() if all(map(_NUMBER.fullmatch, cells))]
    right = numbers if right is None else right
    styles = {
        (at, name): style
        for name in states
        for at, cell in enumerate(columns.get(name, ()))
        if (style := state_style(cell))
    }
    table = text_table(columns, screen_width(), fold=fold, drop=drop, right=right, heads=heads, styles=styles)
    print(table.text)
    if said := table.said("--json"):
        say(said)


# Words that say how something went, and the colour of a cell that has one; the first of them counts.
STATES: Mapping[str, Style] = {
    "WORSE": "worse", "SLOWER": "worse", "MISSED": "worse", "failed": "error", "error": "error",
    "VIOLATION": "error", "ALARM": "warning", "advice": "warning",
    "changed": "warning", "new": "warning", "gone": "warning", "better": "better",
    "skipped": "aside", "expected": "aside",
}  # fmt: skip


def state_style(text: str) -> Style | None:
    """The colour of a text, by the words in it."""
    words = set(re.findall(r"\w+", text))
    return next((style for word, style in STATES.items() if word in words), None)


_NUMBER = re.compile(r"[+−-]?[\d,]*\.?\d+(e[+-]?\d+)?%?|–?")


def _shown(cell: Any) -> str:
    return "–" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else printable(str(cell))


def room() -> int:
    """Columns of the terminal, or `WIDTH` where there is none."""
    return screen_width() or WIDTH


def say(text: str) -> None:
    """Print a text on standard output, wrapped at words."""
    print(folded(text, min(room(), WIDTH)))


def note(text: str) -> None:
    """Print a text on standard error, wrapped at words on a terminal; `error` and `warning` have colours."""
    print(led(folded(text, screen_width(sys.stderr)), sys.stderr), file=sys.stderr)


# Width of prose and of tables of a fixed layout, in characters, where there is no terminal.
WIDTH = 100
# Columns of output that fits the narrowest terminal.
NARROW = 80


def fitted(rows: Sequence[Mapping[str, str]], name: str) -> list[dict[str, str]]:
    """Shorten column `name`, to no fewer than `COMFORT` letters, so that rows fit the terminal."""
    others = [column for column in (rows[0] if rows else {}) if column != name]
    left = room() - sum(max(map(columns_of, (column, *(row[column] for row in rows)))) + 2 for column in others)
    return [{**row, name: shorten(row[name], max(left, COMFORT))} for row in rows]


def threshold_text(threshold: Mapping[str, Any]) -> str | None:
    """Format a record's threshold: four digits, `∞` or `−∞`; None if there is none."""
    exact = threshold.get("exact", threshold.get("value"))
    if exact is None:
        return None
    return four_digits(float(exact))


def digits_of(values: Iterable[float], most: int = 4) -> int:
    """Decimals that show about as much of figures above 10 as `most` do of shares from 0 to 1."""
    largest = max(map(abs, values), default=0.0)
    return next((most - more for more in range(most) if largest < 10 ** (more + 1)), 0)


def placed(file: str | None, line: int | None) -> str:
    """Format the place of a line, as editors do: `old/a.log:1,017`."""
    if line is None:
        return ""
    return f"{line:,}" if file is None else f"{file if len(file) <= 24 else '…' + file[-23:]}:{line:,}"


def first_line(text: str | None) -> str:
    """An event's text as one line of a table shows it: without the lines that it goes on in."""
    return str(text or "").split("\n", 1)[0].replace("\t", " ").rstrip("\r")


def wrapped(words: Sequence[str], width: int = WIDTH) -> Iterator[str]:
    """Wrap a command into lines, broken before options."""
    line = " "
    for at, word in enumerate(words):
        option = word.startswith("-")
        length = len(word) + (len(words[at + 1]) + 1 if option and at + 1 < len(words) else 0)
        if option and len(line) + length > width - 8:
            yield line
            line = ""
        line += f" {shlex.quote(word)}"
    yield line
