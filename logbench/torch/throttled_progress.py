"""Progress without the cost of progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..base.progress import Progress


class ThrottledProgress:
    """Passes progress on, at most every `every` seconds; `detail` is only asked for then.

    Example:

        progress = ThrottledProgress(context.progress, total=len(rows))
        progress(done, lambda: f"loss {float(loss):.3f}")
    """

    def __init__(self, progress: Progress, total: int, every: float = 0.15) -> None:
        self.progress, self.total, self.every, self.last = progress, total, every, time.monotonic()

    def __call__(self, done: int, detail: Callable[[], str] = str) -> None:
        """Say that `done` of `total` are done."""
        now = time.monotonic()
        if now - self.last >= self.every:
            self.last = now
            self.progress(done, self.total, detail())
