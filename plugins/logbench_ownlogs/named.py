"""Formats by name: a TOML file each in the folder `formats`."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import logbench
from logbench import ConfigError, meant, suggest

FOLDER = Path(__file__).with_name("formats")
# Keys of a format's file that are no keys of a definition.
ABOUT = ("title", "example", "within", "last", "finer", "requires", "timeless")


@dataclass(frozen=True)
class Named:
    """A format of a name.

    Attributes:
        title: for people.
        example: a line, below the header where there is one.
        values: keys of a definition.
        within: applications write it, so that it may stand in the line of another format.
        last: fits much, so that others go before it.
        finer: messages of more fields, for logs in which these have few values; the best first.
        requires: texts that a line must hold.
        timeless: lines of it may leave the time out.
    """

    name: str
    title: str
    example: str
    values: Mapping[str, Any]
    within: bool = False
    last: bool = False
    finer: tuple[str, ...] = ()
    requires: tuple[str, ...] = field(default=())
    timeless: bool = False


@functools.cache
def names() -> tuple[str, ...]:
    """The names of all formats."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@functools.cache
def named(name: str) -> Named:
    """The format of this name.

    Raises:
        ConfigError: there is none.
    """
    if (name := meant(name, names())) not in names():
        known = [*names(), "auto", "lnav:FILE", "pattern", "regex", "json", "logfmt", "csv", "tsv"]
        raise ConfigError(f"format={name}: no such format{suggest(name, known)}")
    table = tomllib.loads(logbench.named_file(FOLDER, name, ".toml").read_text(encoding="utf-8"))
    about = {key: table.pop(key) for key in ABOUT if key in table}
    for key in ("finer", "requires"):
        about[key] = tuple(about.get(key, ()))
    return Named(name=name, values=table, **about)
