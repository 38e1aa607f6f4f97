"""Read a log in shards, in many processes or machines, and keep it grouped as one pass would give it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..api.optional_windowers import HasCounts
from ..api.plan import Plan
from ..base.errors import DataError, IncompatibleError
from ..base.files import write_parquet
from ..data.lines import KeySequences, Lines
from ..pipeline import grouped_cache
from ..pipeline.coded_lines import id_column_of
from ..pipeline.coding import read_lines
from ..pipeline.encoded_lines import EncodedLines, NoUnitError
from ..pipeline.line_split import cuts_lines
from ..pipeline.merged import EncodedShard, merged
from ..reading.data_parts import open_data
from ..reading.shards import Piece, cut, laid_out, lines_in
from .grouped_log import group_and_keep
from .locate import locate
from .resolve import ResolvedPlan, resolve
from .runtime import current
from .worker_tasks import data

# Options of a format by which a line hangs on lines before it.
JOINING = ("multiline", "traces", "pieces", "records", "inner", "header", "between", "year", "date")


@dataclass(frozen=True, kw_only=True)
class ShardPlan(Plan):
    """What is read of a plan's data.

    Attributes:
        shards: how many to cut the data into. pieces: one of them. folder: where all are, read.
        digest: of the data before they were cut.
    """

    shards: int = 1
    digest: str = ""
    pieces: tuple[Piece, ...] = ()
    folder: Path | None = None


def shards_of(plan: Plan) -> tuple[str, list[tuple[Piece, ...]]]:
    """Digest of the data, and the pieces of each shard, as an executor's process cuts them.

    Raises:
        IncompatibleError: the data set, its format or the windower looks at more than one line at a time.
        DataError: a file is packed.
    """
    assert isinstance(plan, ShardPlan)
    resolved, path, opened = _opened(plan)
    _check(resolved, opened)
    return _digest(plan), cut(_logs(opened), path, plan.shards)


def read_shard(plan: Plan) -> EncodedShard:
    """The lines of one shard, encoded.

    Raises:
        DataError: the data set reads other lines than those of the shard.
    """
    assert isinstance(plan, ShardPlan)
    runtime = current()
    resolved, path, opened = _opened(plan)
    logs = set(_logs(opened))
    beside = [file for file in opened.files if file not in logs]
    parser, windower = resolved.parser.build(), resolved.windower.build()
    # No stage of `workers.READING`: no other worker would start meanwhile, as it does where all read the same.
    with runtime.bars.stage("shard") as progress, laid_out(path, plan.pieces, beside) as folder:
        shard = resolved.dataset.build().read(folder)
        try:
            read = read_lines(shard, windower, parser, progress, times=True)
        except NoUnitError as error:  # others may have some
            read = error.read
        if read.lines != (lines := lines_in(path, plan.pieces)):
            raise IncompatibleError(
                f"{resolved.dataset.name} reads {read.lines:,} lines where a shard has {lines:,}; it must read "
                "each as one, and of one file where there are labels"
            )
        counting = [part for part in (shard, windower) if isinstance(part, HasCounts)]
        facts: dict[str, int] = {}
        for part in counting:
            facts |= part.counted()
        return EncodedShard.of(read, facts)


def keep(shard: EncodedShard, folder: Path) -> None:
    """Write a shard that was read."""
    folder.mkdir()
    for name, column in shard.columns.items():
        np.save(folder / f"{name}.npy", column)
    for name, names in (("units", shard.units), ("shapes", shard.shapes)):
        write_parquet(names.alias("name").to_frame(), folder / f"{name}.parquet")
    kept = {name: getattr(shard, name) for name in ("lines", "without", "first_time", "last_time", "facts")}
    (folder / "facts.json").write_text(json.dumps(kept), encoding="utf-8")


def _kept(folder: Path) -> EncodedShard:
    columns = {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}
    units, shapes = (pl.read_parquet(folder / f"{name}.parquet")["name"] for name in ("units", "shapes"))
    return EncodedShard(columns, units, shapes, **json.loads((folder / "facts.json").read_text(encoding="utf-8")))


def store_merged(plan: Plan) -> dict[str, Any]:
    """Merge and group the shards in a folder, and keep them in the cache.

    Returns:
        `lines`, `units`, `messages`, and `key` of the entry.

    Raises:
        DataError: they cannot be kept, or the data changed while they were read.
    """
    assert isinstance(plan, ShardPlan) and plan.folder is not None
    folders = sorted(plan.folder.iterdir())
    runtime = current()

    def read() -> tuple[EncodedLines, dict[str, int]]:
        if _digest(plan) != plan.digest:  # else old lines would be kept under the digest of the new ones
            raise DataError(f"{plan.data or plan.dataset}: the data changed while they were read; fill again")
        return merged([partial(_kept, folder) for folder in folders])

    key, grouped = group_and_keep(resolve(plan, runtime.registry), runtime, read)
    if not grouped_cache.has(key):
        raise DataError("the grouped lines were not kept: log or code changed, or the cache cannot be written")
    return {
        "lines": grouped.facts["lines"], "units": len(grouped), "messages": len(grouped.messages), "key": key
    }  # fmt: skip


def _digest(plan: Plan) -> str:
    return str(data(plan)["digest"])


def _opened(plan: ShardPlan) -> tuple[ResolvedPlan, Path, Lines]:
    runtime = current()
    resolved = resolve(plan, runtime.registry)
    with runtime.bars.stage("locate") as progress:
        found = locate(resolved.dataset, plan.data, runtime.registry, progress)
    assert found is not None
    opened = open_data(resolved.dataset.build(), resolved.dataset.name, found.path)
    if isinstance(opened, KeySequences):
        raise IncompatibleError(f"{resolved.dataset.name} comes as key sequences, which are not read in shards")
    return resolved, found.path, opened


def _logs(opened: Lines) -> Sequence[Path]:
    """The files to cut: those that hold lines. Where nothing tells, the largest, and lines are counted later."""
    if opened.rules is not None and (known := getattr(opened.rules.source, "files", ())):
        return list(known)
    files = list(opened.files)
    return files if opened.labels is None else [max(files, key=lambda file: file.stat().st_size)]


def _check(resolved: ResolvedPlan, opened: Lines) -> None:
    """Refuse what a cut between two lines would change."""
    name, form = resolved.dataset.name, opened.form
    if form is not None:
        if joined := [option for option in JOINING if getattr(form, option)]:
            raise IncompatibleError(
                f"{name}: its format has {', '.join(joined)}, so lines hang together; it is not read in shards"
            )
        if form.encoding.lower().replace("-", "") != "utf8":
            raise IncompatibleError(f"{name}: its encoding is {form.encoding}; only UTF-8 is read in shards")
    elif opened.rules is None:
        raise IncompatibleError(
            f"{name} does not say that each line is an event (Lines.rules or form); it is not read in shards"
        )
    lines_cut = cuts_lines(resolved.windower.entry.item.traits, resolved.windower.config, resolved.protocol)
    if not id_column_of(resolved.windower.build()) or resolved.protocol.cut != "all" or lines_cut:
        raise IncompatibleError(
            f"windower {resolved.windower.name} may look at more than one line, so nothing is read in shards; a "
            "windower that takes the values of a column (GroupsByColumn) does not"
        )
