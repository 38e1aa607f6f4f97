"""The interface by which a stage reports progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Reports the progress of a stage. Silent if standard error is no terminal."""

    def __call__(self, done: float, total: float | None = None, detail: str = "") -> None:
        """Report `done` of `total` items (None: unknown), with a few words beside the bar."""


def silent(done: float, total: float | None = None, detail: str = "") -> None:
    """A `Progress` that reports nothing."""
