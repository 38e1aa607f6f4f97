"""Own logs: a TOML file says where they lie and how they are read, and is a data set from then on.

Used as `--dataset ./my.toml`, or by name once it was added: `logbench datasets add my.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator

import logbench

from .library import Library, added


@logbench.hookimpl
def logbench_datasets() -> Iterator[logbench.Definition]:
    """The definitions that the user added."""
    return added()


@logbench.hookimpl
def logbench_definitions() -> Iterator[logbench.Definitions]:
    """Reads `.toml` files, and keeps those that are added."""
    yield Library()
