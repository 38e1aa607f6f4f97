"""Split a data set into an open part for everybody and a sealed one for a maintainer, by a keyed hash of units."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.plan import Plan
from ..base.errors import DataError, IncompatibleError
from ..base.files import whole, write_parquet
from ..base.maintainer_key import MaintainerKey, fingerprint
from ..base.progress import Progress, silent
from ..components.registry import Registry
from ..data.lines import KeySequences, Lines
from ..pipeline.coded_lines import id_column_of
from ..pipeline.coding import batches, given_of
from ..pipeline.label_ids import label_ids
from ..reading.data_parts import LABELS, LINES, PART, SEQUENCES, TYPES, UNITS, VERSION, open_data
from ..running.locate import locate
from ..running.log_digest import digest_of
from ..running.resolve import ResolvedPlan, resolve
from .scrubbed_lines import rows_at, scrubbed_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPEN, SEALED = "open", "sealed"
# Column of where a line stood: its gaps would tell where lines of sealed units were.
PLACE = "at"


@dataclass(frozen=True)
class Sides:
    """Which units and lines are sealed.

    Attributes:
        units: `unit`, `sealed` (Boolean), `id` (under which its label stands) and `lines` (Int64, how many), one
            row a unit.
        open, sealed: bool [lines], whether a unit of that side has the line; a line of no unit is on neither.
    """

    units: pl.DataFrame
    open: NDArray[np.bool_]
    sealed: NDArray[np.bool_]


def seal(
    plan: Plan, key: MaintainerKey, share: float, out: Path, registry: Registry, progress: Progress
) -> Mapping[str, Any]:
    """Write `out/open` and `out/sealed`; the sealed folder holds all lines, and says which units are sealed.

    Args:
        plan: names data set, data and windower; its model counts for nothing.
        share: of the units, from 0 to 1.

    Returns:
        The facts in `part.json`.

    Raises:
        DataError: nothing or everything would be sealed, the folder exists, or the data cannot be read.
        IncompatibleError: units share lines and no column of ids tells which part of a line is whose, or the unit
            of a line depends on the lines before it.
    """
    resolved = resolve(plan, registry)
    found = locate(resolved.dataset, plan.data, registry, progress)
    assert found is not None
    opened = open_data(resolved.dataset.build(), resolved.dataset.name, found.path)
    facts = {
        "part_version": VERSION,
        "dataset": resolved.dataset.name,
        "config": resolved.dataset.as_dict(),
        "windower": {"name": resolved.windower.name, "config": resolved.windower.as_dict()},
        "digest": opened.digest or digest_of(opened.files, found.path, progress),
        "share": share,
        "key": key.public,
        "fingerprint": fingerprint(key.public),
    }
    with whole(out) as folder:
        for side in (OPEN, SEALED):
            (folder / side).mkdir(mode=0o700 if side == SEALED else 0o777)
        if isinstance(opened, Lines):
            facts["shown"] = list(opened.shown)
            counts = _seal_lines(opened, resolved, key, facts, folder, progress)
        else:
            counts = _seal_sequences(opened, key, share, folder)
        for side in (OPEN, SEALED):
            said = {**facts, "side": side, **counts}
            if side == SEALED:
                said["raw"] = str(found.path.absolute())  # kept from models that are judged
            (folder / side / PART).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return {**facts, **counts}


def _checked(units: pl.DataFrame) -> pl.DataFrame:
    sealed = int(units["sealed"].sum())
    if not 0 < sealed < len(units):
        raise DataError(f"{sealed:,} of {len(units):,} units would be sealed: give another --share, or more data")
    return units


def _seal_sequences(opened: KeySequences, key: MaintainerKey, share: float, folder: Path) -> dict[str, int]:
    frame = opened.frame
    units = _checked(_units(frame["unit"].unique(maintain_order=True), key, share))
    sealed = frame.select(sealed=pl.col("unit").is_in(units.filter("sealed")["unit"].implode()))["sealed"]
    part = pl.when(sealed).then(pl.lit("test")).otherwise(pl.lit("train"))
    write_parquet(frame.filter(~sealed), folder / OPEN / SEQUENCES)
    write_parquet(frame.with_columns(part=part), folder / SEALED / SEQUENCES)
    if opened.types is not None:
        _write_by_unit(opened.types(), units, folder, TYPES)
    return {"units": len(frame), "sealed_units": int(sealed.sum())}


def _seal_lines(
    opened: Lines, resolved: ResolvedPlan, key: MaintainerKey, facts: Mapping[str, Any], folder: Path,
    progress: Progress,
) -> dict[str, int]:  # fmt: skip
    windower, parser = resolved.windower.build(), resolved.parser.build()
    name = resolved.windower.name
    sides = sides_of(opened, windower, parser, lambda unit: key.is_sealed(unit, facts["share"]), progress)
    _checked(sides.units)
    shared = sides.open & sides.sealed
    column = id_column_of(windower)
    if shared.any() and not column:
        raise IncompatibleError(
            f"windower {name}: {int(shared.sum()):,} lines belong to units of both parts, and no column of ids "
            "says what in them is whose; seal by units that share no line"
        )
    kept = sides.open | ~sides.sealed
    scrubbed = scrubbed_lines(opened, shared, kept, column, sides.units) if column else None
    numbers = np.cumsum(kept) - 1
    whole_lines, open_lines = opened.frame, _open_lines(opened.frame, kept, scrubbed)
    whole_lines.sink_parquet(folder / SEALED / LINES)
    open_lines.sink_parquet(folder / OPEN / LINES)
    _check_open(folder / OPEN, facts, windower, parser, sides, name)
    part = pl.when("sealed").then(pl.lit("test")).otherwise(pl.lit("train"))
    write_parquet(sides.units.select("unit", part=part), folder / SEALED / UNITS)
    if opened.labels is not None:
        _write_by_unit(opened.labels(), sides.units, folder, LABELS)
    if opened.types is not None:
        types = opened.types()
        if "unit" in types.columns:
            _write_by_unit(types, sides.units, folder, TYPES)
        else:
            write_parquet(types, folder / SEALED / TYPES)
            places = types["line"].to_numpy()
            there = pl.Series(kept[places])
            renumbered = types.with_columns(line=pl.Series(numbers[places], dtype=pl.UInt32))
            write_parquet(renumbered.filter(there), folder / OPEN / TYPES)
    return {
        "units": len(sides.units),
        "sealed_units": int(sides.units["sealed"].sum()),
        "lines": len(kept),
        "open_lines": int(kept.sum()),
        "shared_lines": int(shared.sum()),
        "scrubbed_lines": 0 if scrubbed is None else len(scrubbed),
    }


def sides_of(
    opened: Lines, windower: Any, parser: Any, is_sealed: Callable[[str], bool], progress: Progress
) -> Sides:
    """Which units and lines are sealed: a piece of a unit is on the side of the whole."""
    given = given_of(opened, parser)
    open_lines, sealed_lines = np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
    known: dict[str, bool] = {}
    ids: dict[str, str] = {}
    sizes: Counter[str] = Counter()
    for batch in batches(given, windower, progress, times=False):
        units = batch["unit"].cast(pl.String)
        for unit, own in zip(fresh := _fresh(units, ids), label_ids(windower, fresh), strict=True):
            ids[unit] = own
            if own not in known:
                known[own] = is_sealed(own)
        sizes.update(dict(units.drop_nulls().value_counts().iter_rows()))
        line = batch["line"].to_numpy().astype(np.int64)
        new = np.zeros(max(int(line[-1]) + 1 - len(open_lines), 0), dtype=bool)
        open_lines, sealed_lines = np.concatenate([open_lines, new]), np.concatenate([sealed_lines, new])
        side = {unit: known[own] for unit, own in ids.items()}
        is_sealed_line = units.replace_strict(side, default=None, return_dtype=pl.Boolean)
        sealed_lines[line[is_sealed_line.fill_null(False).to_numpy()]] = True
        open_lines[line[(~is_sealed_line).fill_null(False).to_numpy()]] = True
    frame = pl.DataFrame({"unit": list(ids), "id": list(ids.values())}, {"unit": pl.String, "id": pl.String})
    marked = pl.Series([known[own] for own in ids.values()], dtype=pl.Boolean)
    counts = pl.Series([sizes[unit] for unit in ids], dtype=pl.Int64)
    return Sides(frame.with_columns(sealed=marked, lines=counts), open_lines, sealed_lines)


def _check_open(
    folder: Path, facts: Mapping[str, Any], windower: Any, parser: Any, expected: Sides, name: str
) -> None:
    """See that the open lines alone make the open units, each of as many lines."""
    (folder / PART).write_text(json.dumps({**facts, "side": OPEN}), encoding="utf-8")
    opened = open_data(None, facts["dataset"], folder)
    assert isinstance(opened, Lines)
    made = sides_of(opened, windower, parser, lambda _: False, silent).units.select("unit", "lines").sort("unit")
    if not made.equals(expected.units.filter(~pl.col("sealed")).select("unit", "lines").sort("unit")):
        raise IncompatibleError(
            f"windower {name}: open lines alone make other units, because a unit depends on the lines before it; "
            "seal by sessions, nodes or windows of time"
        )


def _fresh(units: pl.Series, known: Mapping[str, Any]) -> pl.Series:
    distinct = units.drop_nulls().unique(maintain_order=True)
    return pl.Series("unit", [unit for unit in distinct if unit not in known], dtype=pl.String)


def _units(names: pl.Series, key: MaintainerKey, share: float) -> pl.DataFrame:
    sealed = pl.Series([key.is_sealed(name, share) for name in names], dtype=pl.Boolean)
    return pl.DataFrame({"unit": names, "id": names, "sealed": sealed})


def _write_by_unit(frame: pl.DataFrame, units: pl.DataFrame, folder: Path, name: str) -> None:
    """All rows for the sealed part; for the open one those of units that are not sealed and of which lines are."""
    write_parquet(frame, folder / SEALED / name)
    left = units.filter(~pl.col("sealed")).select(unit="id").unique()
    write_parquet(frame.join(left, on="unit", how="semi", maintain_order="left"), folder / OPEN / name)


def _open_lines(frame: pl.LazyFrame, kept: NDArray[np.bool_], scrubbed: pl.DataFrame | None) -> pl.LazyFrame:
    names = frame.collect_schema().names()
    left = frame.filter(rows_at(kept))
    if scrubbed is not None:
        edited = [name for name in scrubbed.columns if name != "line"]
        known = scrubbed.with_columns(edited=pl.lit(True))
        joined = left.join(known.lazy(), on="line", how="left", suffix="_edited", maintain_order="left")
        left = joined.with_columns(
            pl.when("edited").then(pl.col(f"{name}_edited")).otherwise(pl.col(name)).alias(name) for name in edited
        )
    shown = [name for name in names if name != PLACE]
    return left.select(shown).drop("line").with_row_index("line").select(shown)
