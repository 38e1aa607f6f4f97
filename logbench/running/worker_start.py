"""A worker's first step, before it loads anything heavy: the first process of models, which loads beside it."""

from __future__ import annotations

from collections.abc import Sequence

from ..base.child_process import Child
from ..base.loading import loading
from .first_worker import threads


def serve(
    descriptor: int,
    beside: int,
    block: Sequence[str],
    timeout: float | None,
    memory_mb: float | None,
    folder: str,
) -> None:
    """See `worker_tasks.serve`."""
    spare = Child("logbench.running.model_server:serve", list(block), env=threads(beside), jailed=True)
    with loading():
        from . import runner, worker_tasks

    assert runner  # loaded now, not when a plan is here

    worker_tasks.serve(descriptor, beside, block, timeout, memory_mb, folder, spare)
