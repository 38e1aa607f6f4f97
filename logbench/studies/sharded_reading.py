"""Read the lines of a data set in shards by an executor, and keep them grouped in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..api.executor import Running
from ..api.plan import Plan
from ..base.temporary_folders import temporary_folder
from ..running.sharded import ShardPlan, keep, read_shard, shards_of, store_merged
from .time_left import TimeLeft
from .workbench import Workbench


def read_in_shards(plan: Plan, shards: int, bench: Workbench) -> dict[str, Any]:
    """Read shards side by side, merge them here, and keep the grouped lines where every later run finds them.

    Args:
        plan: data set, windower and parser; its model is not used. shards: how many. bench: reads them.

    Returns:
        `lines`, `units`, `messages`, and `key` of the entry in the cache.

    Raises:
        LogbenchError: what cannot be read in shards, see `sharded.shards_of`, or an error of a shard.
    """
    asked = ShardPlan(**{field.name: getattr(plan, field.name) for field in fields(Plan)}, shards=shards)
    digest, pieces = _only(bench, shards_of, asked)
    plans = [replace(asked, pieces=one, digest=digest) for one in pieces]
    left, done = TimeLeft(["shard"] * len(plans), getattr(bench.executor, "jobs", 1)), 0
    with temporary_folder() as folder, bench.bars.stage("shards") as progress:

        def watch(running: Mapping[int, Running]) -> None:
            left.running(running)
            now = ", ".join(str(one) for one in running.values())
            progress(done, len(plans), f"{done} of {len(plans)} done{left}; {now}")

        for number, answer in bench.map(read_shard, plans, watch):
            if isinstance(answer, BaseException):
                raise answer
            keep(answer, Path(folder) / f"{number:06}")
            left.over(number)
            done += 1
        merged: dict[str, Any] = _only(bench, store_merged, replace(asked, folder=Path(folder), digest=digest))
        return merged


def _only(bench: Workbench, function: Any, plan: Plan) -> Any:
    ((_, answer),) = bench.map(function, [plan])
    if isinstance(answer, BaseException):
        raise answer
    return answer
