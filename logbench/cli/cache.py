"""`logbench cache`."""

from __future__ import annotations

import click

from ..config import suggest
from ..errors import ConfigError
from .common import json_option, note, print_json, print_table


@click.group("cache", epilog="Example: logbench cache info")
def command() -> None:
    """Look at or clear what is kept: fetched archives, generated data, grouped lines."""


@command.command("info", epilog="Example: logbench cache info --json")
@json_option
def info(as_json: bool) -> None:
    """Show what is cached and where."""
    from .. import cache
    from ..storage import root

    rows = cache.entries()
    if as_json:
        print_json(rows)
        return
    print_table([{**row, "bytes": f"{row['bytes']:,}"} for row in rows], "the cache is empty",
                disable_numparse=True, colalign=("left", "left", "right", "left") if rows else ())  # fmt: skip
    note(f"{sum(row['bytes'] for row in rows):,} bytes in {root()}")


@command.command("clear", epilog="Example: logbench cache clear --kind grouped")
@click.option("--kind", metavar="KIND", help="Only entries of this kind, as `cache info` names it.")
def clear(kind: str | None) -> None:
    """Remove what is cached; records and bundles are elsewhere and stay."""
    from .. import cache
    from ..storage import root

    kinds = {entry["kind"] for entry in cache.entries()}
    if kind is not None and kind not in kinds:
        raise ConfigError(f"--kind {kind}: nothing of that kind is cached{suggest(kind, kinds)}")
    note(f"freed {cache.clear(kind):,} bytes in {root()}")
