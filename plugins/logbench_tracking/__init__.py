"""Experiment trackers: each run becomes a run of MLflow or Weights & Biases, where the user asks for it.

`mlflow` and `wandb` beside this are plugins of their own: each is named by `--track`, or blocked, alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from logbench import hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def logbench_commands() -> Iterator[click.Command]:
    """`logbench track`, which hands over runs that are stored."""
    from .command import command

    yield command
