"""Hand records to a reporter, with what their runs stored where it takes that."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..api.optional_reporters import Runs


def reported(reporter: Any, records: Sequence[Mapping[str, Any]], runs: Runs) -> Any:
    """What `reporter.report` returns; it gets `runs` where it has a second parameter."""
    return reporter.report(records, runs) if takes_runs(reporter) else reporter.report(records)


def takes_runs(reporter: Any) -> bool:
    """Whether `reporter.report` has a second parameter that must be given or is `runs`, see `ReportsRuns`."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    placed = [one for one in inspect.signature(reporter.report).parameters.values() if one.kind in kinds]
    return any(one.default is one.empty or one.name == "runs" for one in placed[1:2])
