"""`logbench cache`."""

from __future__ import annotations

from pathlib import Path

import click

from ..base import cache_folder
from ..base.errors import ConfigError
from ..base.files import root
from ..base.jsonable import several
from ..base.options import suggest
from ..running.cache_check import verify as looked_at
from . import State, pass_state
from .shared_options import json_option, note, print_json, print_table


@click.group("cache", epilog="Example: logbench cache info")
def command() -> None:
    """Show or clear the cache. It holds fetched archives, generated data and grouped lines.

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
