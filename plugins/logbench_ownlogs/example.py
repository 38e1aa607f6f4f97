"""A definition to start from."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import Any

from logbench import LineFormat

from .definition import OwnLog


def example() -> str:
    """A definition with every key and what it means; what is commented out has its default."""
    given = {
        "files": '["logs/*.log", "old/*.log.gz"]',
        "pattern": "'<Date> <Time> <Pid> <Level> <Component>: <Content>'",
        "time": '["Date", "Time"]',
        "time_format": '["%Y-%m-%d %H:%M:%S,%f"]',
        "level": '"Level"',
        "component": '"Component"',
        "id": '"message"',
        "id_pattern": "'session=([0-9a-f]+)'",
    }
    lines = ["# How logbench reads a log. Next: logbench datasets check my.toml", ""]
    own = [f.name for f in dataclasses.fields(LineFormat)]
    known = {f.name: f for f in dataclasses.fields(OwnLog)}
    for key in ("title", "files", *own, *(key for key in known if key not in ("title", "files", *own))):
        lines += _comment(known[key].metadata["help"])
        lines.append(f"{key} = {given[key]}" if key in given else f"# {key} = {_toml(known[key].default)}")
    return "\n".join(lines)


def _comment(text: str) -> list[str]:
    """Lines that fit a terminal of 80 columns; a file of them is read with any."""
    return textwrap.wrap(text, 80, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f"'{value}'" if isinstance(value, str) else str(value)
