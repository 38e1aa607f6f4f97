"""Compute a record's figures again from its scores, and say which are not those of the record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ..api.protocol import EvaluationProtocol
from ..api.record_sections import Record
from ..base.errors import LogbenchError
from ..base.jsonable import to_jsonable
from ..components.registry import Registry
from ..pipeline.split import digest_of
from ..running import records
from .recomputed import CLOSE
from .rescore import evaluators_again, judged, needed_events

# Columns that a decision needs, as runs store them.
NEEDED: Mapping[str, Any] = {
    "part": pl.String, "unit": pl.String, "index": pl.Int64, "label": pl.Int8, "weight": pl.Float64,
    "events": pl.Int64, "unseen": pl.Int64, "sequence": pl.UInt32, "raw": pl.Float64, "event": pl.Int64,
    "verdict": pl.Boolean,
}  # fmt: skip
# Sections that follow from scores and protocol.
SECTIONS = ("threshold", "counts", "metrics", "directions", "bound", "trivial", "stream")


def recounted(record: Record, folder: Path, registry: Registry) -> Iterator[tuple[str, bool]]:
    """What is not as the stored scores give it, a text a section; with False what cannot be computed again here.

    Args:
        folder: of the file of the record, which names its scores relative to it.
    """
    try:
        stored = records.scores(record, folder)
        if fault := _of_columns(stored):
            yield fault, True
            return
        parts, missing = evaluators_again(record, (), {}, registry)
        yield from ((text, False) for text in missing)
        protocol = EvaluationProtocol.of(record["protocol"])
        limit = protocol.short_limit(needed_events(record, protocol), record["model"])
        decision, made, notes = judged(record, folder, stored, protocol, limit, parts)
    except LogbenchError as error:
        yield f"its figures cannot be computed again: {error}", True
        return
    except (pl.exceptions.PolarsError, ValueError, OverflowError) as error:  # of scores that no run wrote
        yield f"its scores cannot be decided: {type(error).__name__}: {error!s:.200}", True
        return
    yield from ((text, False) for text in notes)
    if not decision.frame["verdict"].equals(stored["verdict"]):
        yield "the verdicts beside its scores are not those that scores and protocol give", True
    yield from ((text, True) for text in _of_units(record, stored))
    again = to_jsonable(made)
    for section in SECTIONS:
        differ = list(_differences(record[section], again.get(section, {}), section, section != "counts"))  # type: ignore[literal-required]
        if missing or notes:  # figures of an evaluator that is not here
            differ = [one for one in differ if one[2] is not None]
        if differ:
            name, given, right = differ[0]
            more = f", and {len(differ) - 1} more" if len(differ) > 1 else ""
            yield f"{name} is {_shown(given)}, its scores give {_shown(right)}{more}", True


def _of_columns(stored: pl.DataFrame) -> str:
    wrong = [name for name, kind in NEEDED.items() if stored.schema.get(name) != kind]
    return f"its scores have no column {wrong[0]!r} of type {NEEDED[wrong[0]]}" if wrong else ""


def _of_units(record: Record, stored: pl.DataFrame) -> Iterator[str]:
    """Units and labels are those of the split; no record of before there were digests has any."""
    for side, key in (("test", "test_digest"), ("held_out", "held_out_digest")):
        units = stored.filter(pl.col("part") == side)
        rows = pl.Series(range(len(units)), dtype=pl.Int64).to_numpy()
        given = record["split"].get(key)
        if given is not None and digest_of(units, rows) != given:
            yield f"split.{key} is {given!r:.40}, names and labels beside its scores give {digest_of(units, rows)}"


def _differences(given: Any, right: Any, name: str, closed: bool) -> Iterator[tuple[str, Any, Any]]:
    """Name, given and right value of each leaf that differs; keys that only the record has where `closed`."""
    if isinstance(given, Mapping) and isinstance(right, Mapping):
        for key in [*right, *(key for key in given if closed and key not in right)]:
            yield from _differences(given.get(key), right.get(key), f"{name}.{key}", closed)
    elif not _same(given, right):
        yield name, given, right


def _same(given: Any, right: Any) -> bool:
    numbers = [isinstance(one, int | float) and not isinstance(one, bool) for one in (given, right)]
    if all(numbers):
        return math.isclose(given, right, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(given == right)


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else f"{value!r:.60}"
