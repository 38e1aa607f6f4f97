"""Time stages: wall and CPU seconds, peak memory, items a second; show a progress bar.

What a stage frees is given back before the next one, as a process of models needs memory at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from ..api.record_sections import StageFacts
from ..base.freed_memory import give_back
from ..base.progress import Progress, silent
from .provenance import gpu_name, peak_gpu_mb, peak_rss_mb
from .runtime import Runtime

# `embed` is a stage of models that take vectors alone.
NAMES = (
    *("locate", "read", "group", "split", "parse", "sessions", "embed"),
    *("fit", "score", "threshold", "evaluate", "store"),
)


@dataclass
class Stage:
    """A running stage, which may report items and facts."""

    name: str
    progress: Progress = silent
    items: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Stages:
    """Runs stages and records their timings in order.

    Attributes:
        done: name → `wall_s`, `cpu_s`, `peak_rss_mb`, `peak_gpu_mb` (measured by the process that did the work),
            `items`, `items_per_s`, and facts of the stage (`cached`, `digest`, `shared`).
        current: the running stage, or the last one.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.done: dict[str, StageFacts] = {}
        self.current = NAMES[0]
        self._runtime = runtime

    @contextmanager
    def __call__(self, name: str) -> Iterator[Stage]:
        self.current = name
        wall, cpu = time.perf_counter(), time.process_time()
        with self._runtime.bars.stage(name) as progress:
            stage = Stage(name, progress)
            yield stage
        give_back()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        wall = stage.facts.get("wall_s", wall)  # measured by the stage's own process
        measured: StageFacts = {
            "wall_s": round(wall, 4),
            "cpu_s": round(cpu, 4),
            "peak_rss_mb": round(peak_rss_mb(), 1),
            "peak_gpu_mb": peak_gpu_mb(),
            "gpu": gpu_name(),
            "items": stage.items,
            "items_per_s": round(stage.items / wall) if stage.items and wall else None,
        }
        self.done[name] = cast(StageFacts, {**measured, **stage.facts})
        self._runtime.registry.notify("stage_finished", stage={"name": name, **self.done[name]})
