"""One plan as a task of an executor. What runs it loads where it runs, so that a command gives it out at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..api.plan import Plan
from ..api.record import RunRecord
from ..api.record_sections import Record

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class PlanResult:
    """What `run_plan` returns, for the command that made the plan.

    Attributes:
        record: JSON values, see `RunRecord.as_dict`.
        tables: tables to store beside the record, by name, such as `scores`.
        stored: they are in the plan's folder already.
    """

    record: Record
    tables: Mapping[str, pl.DataFrame]
    stored: bool = False


def run_plan(plan: Plan) -> PlanResult:
    """Execute one run in whatever process this is; what an `Executor` calls.

    The answer carries the record and the tables; the command that made the plan stores both. Workers of
    `logbench` write the tables themselves.

    Raises:
        ConfigError: a name or option that is unknown here. Later errors are in the record.
    """
    from .runner import executed_here

    executed, stored = executed_here(plan)
    return PlanResult(executed.record.as_dict(), executed.frames, stored)


def stored_record(result: PlanResult, folder: Path) -> RunRecord:
    """The record of a result, its tables written into `folder`, if not yet."""
    record = RunRecord(**result.record)
    if result.stored:
        return record
    from .runner import Executed, keep

    return keep(Executed(record, result.tables), folder)
