"""How a stage tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """How a stage tells how far it is. Silent where standard error is no terminal."""

    def __call__(self, done: float, total: float | None = None, detail: str = "") -> None:
        """`done` of `total` items (None: unknown), and a few words beside the bar."""


def silent(done: float, total: float | None = None, detail: str = "") -> None:
    """A `Progress` that says nothing."""
