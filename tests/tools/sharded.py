"""Reading in shards against one pass: `tox -e sharded -- HDFS_v1.zip [COPIES] [SHARDS]`.

The log is written COPIES times (by default 50), once with other blocks in each copy and once with the same, so
that every session lies in every shard. One pass and SHARDS shards (by default 8), one after another in this
process, must give the same units, offsets, codes, lines, times and messages. CPU seconds hardly depend on how busy
the machine is.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from peers import expand
from tabulate import tabulate

from logbench import Plan
from logbench.components.registry import Registry
from logbench.pipeline import grouped_cache
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import GroupedLines, group_lines
from logbench.running import worker_tasks
from logbench.running.resolve import resolve
from logbench.running.runtime import Runtime, made_current
from logbench.running.sharded import ShardPlan, keep, read_shard, shards_of, store_merged

ROWS: list[dict[str, object]] = []


@contextmanager
def timed(log: str, stage: str) -> Iterator[None]:
    """CPU and wall seconds of a stage, as a row."""
    used, wall = sum(os.times()[:2]), time.perf_counter()
    yield
    cpu, wall = sum(os.times()[:2]) - used, time.perf_counter() - wall
    ROWS.append({"log": log, "stage": stage, "CPU s": f"{cpu:.1f}", "wall s": f"{wall:.1f}"})


def one_pass(log: str, plan: Plan, registry: Registry) -> GroupedLines:
    resolved = resolve(plan, registry)
    assert plan.data is not None
    opened, parser = resolved.dataset.build().read(plan.data), resolved.parser.build()
    windower = resolved.windower.build()
    with timed(log, "one pass: read"):
        read = read_lines(opened, windower, parser, lambda *_: None, times=True)
    with timed(log, "one pass: group"):
        return group_lines(read, parser, opened.labels, windower)


def in_shards(log: str, plan: Plan, shards: int, folder: Path) -> GroupedLines:
    asked = ShardPlan(model="length", dataset="hdfs", data=plan.data, shards=shards)
    with timed(log, "digest"):
        worker_tasks.data(plan)
    with timed(log, "cut"):
        digest, pieces = shards_of(asked)
    for number, one in enumerate(pieces):
        with timed(log, f"shard {number}: copy, read"):
            made = read_shard(replace(asked, pieces=one))
        with timed(log, f"shard {number}: keep"):
            keep(made, folder / f"{number:06}")
    with timed(log, "merge, group, store"):
        key = store_merged(replace(asked, folder=folder, digest=digest))["key"]
    found = grouped_cache.load(key, sys.exit)
    assert found is not None
    return found


def check(one: GroupedLines, other: GroupedLines) -> None:
    assert one.units.equals(other.units)
    for name in ("offsets", "codes", "lines", "times"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.messages.to_list() == other.messages.to_list()
    assert {name: other.facts[name] for name in one.facts} == one.facts


def main(archive: str, copies: str = "50", shards: str = "8") -> None:
    """Print the table; fail where shards and one pass differ."""
    registry = Registry()
    with tempfile.TemporaryDirectory() as place, made_current(Runtime.here(registry)):
        os.environ["LOGBENCH_CACHE"] = f"{place}/cache"
        other, same = Path(place, "other blocks"), Path(place, "same blocks")
        expand(Path(archive), int(copies), other)
        same.mkdir()
        expand(Path(archive), 1, Path(place, "one"))
        content = next(Path(place, "one").rglob("HDFS.log")).read_bytes()
        with (same / "HDFS.log").open("wb") as whole:
            for _ in range(int(copies)):
                whole.write(content)
        for number, log in enumerate((other, same)):
            labels = [*Path(place, "one").rglob("anomaly_label.csv")]
            if log == same and labels:
                (same / "anomaly_label.csv").write_bytes(labels[0].read_bytes())
            plan = Plan(model="length", dataset="hdfs", data=log)
            size = (log / "HDFS.log").stat().st_size
            first = one_pass(log.name, plan, registry)
            Path(place, f"shards{number}").mkdir()
            second = in_shards(log.name, plan, int(shards), Path(place, f"shards{number}"))
            check(first, second)
            crossing = int((np.diff(first.units.select("first_line", "last_line").to_numpy(), axis=1) > 0).sum())
            print(f"{log.name}: {size:,} bytes, {first.facts['lines']:,} lines, {len(first):,} units "
                  f"({crossing:,} of several lines), equal in {shards} shards")  # fmt: skip
        print(tabulate(ROWS, headers="keys"))


if __name__ == "__main__":
    main(*sys.argv[1:])
