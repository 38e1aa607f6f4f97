"""Objects that the runs of one command share: registry, progress bars, models, cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache

from ..base.progress_bars import Bars
from ..components.registry import Registry
from ..pipeline.grouping import GroupedLines
from .models import InProcess, Models
from .prepared import Prepared


@dataclass
class RunCache:
    """Results kept in memory during one command, by keys of their inputs.

    Attributes:
        grouped: grouped lines, and whether they were read from the cache on disk.
        prepared: prepared data of the last split alone, by the keys of its grouped lines and protocol.
    """

    grouped: dict[str, tuple[GroupedLines, bool]] = field(default_factory=dict)
    prepared: dict[tuple[str, str], Prepared] = field(default_factory=dict)


@dataclass(frozen=True)
class Runtime:
    """Shared objects, built once a process.

    Attributes:
        registry: finds components.
        bars: show progress and notes.
        models: builds models in the process where they run.
        cache: results that runs share.
        contended: number of parallel runs, for records; 0 without parallel runs.
        stores: runs write their tables themselves, into the folder of the records.
    """

    registry: Registry
    bars: Bars
    models: Models = field(default_factory=InProcess)
    cache: RunCache = field(default_factory=RunCache)
    contended: int = 0
    stores: bool = False

    @classmethod
    def here(cls, registry: Registry | None = None, bars: Bars | None = None) -> Runtime:
        """A runtime with models in this process; by default all installed plugins, and no progress bars."""
        return cls(registry or Registry(), bars or Bars(enabled=False))


_SERVING: ContextVar[Runtime] = ContextVar("runtime")


@contextmanager
def made_current(runtime: Runtime) -> Iterator[None]:
    """Make `runtime` the `current` one inside the block."""
    before = _SERVING.set(runtime)
    try:
        yield
    finally:
        _SERVING.reset(before)


def current() -> Runtime:
    """The runtime of this process; where nothing serves here, one with all installed plugins, made once."""
    return _SERVING.get(None) or _alone()


@cache
def _alone() -> Runtime:
    return Runtime.here()
