"""Read published tables from files; the code has no figures."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from logbench import Published, Table


def tables() -> Iterator[Table]:
    """One table a file of `tables/`, by name."""
    for file in sorted(files(__package__).joinpath("tables").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            facts: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
            rows = tuple(Published(**row) for row in facts.pop("rows"))
            yield Table(name=file.name.removesuffix(".toml"), rows=rows, **facts)
