"""`logbench cache`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ..api.plan import Plan
from ..base import cache_folder
from ..base.errors import ConfigError
from ..base.files import root
from ..base.jsonable import several
from ..base.options import parse_settings, suggest
from ..running.cache_check import verify as looked_at
from . import State, completion, pass_state
from .shared_options import (
    executor_option,
    jobs_option,
    json_option,
    note,
    parser_option,
    print_json,
    print_table,
    set_option,
    windower_option,
)


@click.group("cache", epilog="Example: logbench cache info")
def command() -> None:
    """Show, fill or clear the cache. It holds fetched archives, generated data and grouped lines.

    It also holds runs of a `bench` that was stopped, until the same suite has ended.
    """


@command.command("info", epilog="Example: logbench cache info --json")
@json_option
def info(as_json: bool) -> None:
    """List the cache and its folder."""
    rows = cache_folder.entries()
    if as_json:
        print_json(rows)
        return
    print_table([{**row, "bytes": f"{row['bytes']:,}"} for row in rows], "the cache is empty",
                fold=("path",), drop=("path",), right=("bytes",))  # fmt: skip
    note(f"{sum(row['bytes'] for row in rows):,} bytes in {root()}")


@command.command("fill", epilog="Example: logbench cache fill --dataset hdfs --data HDFS_v1 --shards 8")
@click.option("--dataset", required=True, shell_complete=completion.dataset, metavar="NAME",
              help="Data set (see: logbench datasets list).")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), help="File or folder with the raw data.")
@parser_option
@windower_option
@set_option
@click.option("--shards", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
              help="Cut the log into N parts at line ends, which are read side by side.")  # fmt: skip
@jobs_option
@executor_option
@json_option
@pass_state
def fill(state: State, as_json: bool, **options: Any) -> None:
    """Read and group a log once, in parts side by side.

    The grouped lines are those of one pass, to the bit, whatever the number of parts. A format whose lines hang
    together, a windower that looks at several lines, and packed files are refused.
    """
    from ..studies.sharded_reading import read_in_shards

    plan = Plan(
        model="length", dataset=options["dataset"], data=options["data"], parser=options["parser"],
        windower=options["windower"], settings=parse_settings(options["settings"]), command=state.command,
    )  # fmt: skip
    jobs = options["jobs"] or (None if options["executor"] else min(options["shards"], os.cpu_count() or 1))
    with state.workbench(options, jobs=jobs) as bench:
        made = read_in_shards(plan, options["shards"], bench)
    if as_json:
        print_json([made])
    else:
        counts = ", ".join(f"{made[name]:,} {name}" for name in ("lines", "units", "messages"))
        note(f"{counts} in the cache: {made['key']}")


@command.command("verify", epilog="Example: logbench cache verify --fix")
@click.option("--fix", is_flag=True, help="Remove damaged entries; they are made or fetched again when needed.")
@json_option
@pass_state
def verify(state: State, fix: bool, as_json: bool) -> int:
    """Read the whole cache and report damaged entries. Exit 1 if there are any that --fix did not remove.

    Grouped lines and generated data have checksums of their own; fetched archives have that of the card.
    Remembered digests of large files are compared with the files.
    """
    rows = list(looked_at(state.registry))
    bad = [row for row in rows if row["state"] == "bad"]
    if as_json:
        print_json(rows)
    else:
        print_table([{name: row[name] for name in ("kind", "name", "state", "why")} for row in rows],
                    "the cache is empty", fold=("why",), right=())  # fmt: skip
    if fix:
        for row in bad:
            cache_folder.remove(Path(row["path"]))
    unknown = sum(row["state"] == "unknown" for row in rows)
    done = "removed" if fix else "remove them: logbench cache verify --fix"
    note(
        f"{several(len(rows), 'entry', 'entries')}, {unknown:,} of them unknown, "
        f"{len(bad):,} bad{f' ({done})' if bad else ''}"
    )
    return 1 if bad and not fix else 0


@command.command("clear", epilog="Example: logbench cache clear --kind grouped")
@click.option("--kind", metavar="KIND", help="Only entries of this kind, as `cache info` names it.")
@json_option
def clear(kind: str | None, as_json: bool) -> None:
    """Remove cached data. Records and bundles are stored elsewhere and stay."""
    kinds = {entry["kind"] for entry in cache_folder.entries()}
    if kind is not None and kind not in kinds:
        raise ConfigError(f"--kind {kind}: nothing of that kind is cached{suggest(kind, kinds)}")
    freed = cache_folder.clear(kind)
    if as_json:
        print_json([{"freed": freed, "path": root()}])
    else:
        note(f"freed {freed:,} bytes in {root()}")
