"""What the runs of one command work with and share."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..base.progress_bars import Bars
from ..components.registry import Registry
from ..pipeline.grouping import GroupedLines
from .models import InProcess, Models
from .prepared import Prepared


@dataclass
class RunCache:
    """Results kept in memory within one command, by the key of what they depend on.

    Attributes:
        grouped: grouped lines, and whether they came from the cache on disk.
        prepared: of the last split alone, by the keys of its grouped lines and of its protocol.
    """

    grouped: dict[str, tuple[GroupedLines, bool]] = field(default_factory=dict)
    prepared: dict[tuple[str, str], Prepared] = field(default_factory=dict)


@dataclass(frozen=True)
class Runtime:
    """Built once for each process that runs.

    Attributes:
        registry: where components are found. bars: show progress and notes. models: where models run.
        cache: what runs share. contended: how many runs go side by side, noted in their records; 0 for one alone.
    """

    registry: Registry
    bars: Bars
    models: Models = field(default_factory=InProcess)
    cache: RunCache = field(default_factory=RunCache)
    contended: int = 0

    @classmethod
    def here(cls, registry: Registry | None = None, bars: Bars | None = None) -> Runtime:
        """Models in this process; by default all installed plugins, and no progress bars."""
        return cls(registry or Registry(), bars or Bars(enabled=False))
