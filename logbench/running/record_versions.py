"""Which stored records this version reads, and how it reads older ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..api.protocol import EvaluationProtocol
from ..api.record import RECORD_VERSION, RunRecord
from ..api.record_sections import Record
from ..base.errors import ConfigError
from ..base.options import LARGEST, fields_of, make
from .stored import is_as_written

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# Keys within sections that every record has, beside those of its fields without a default.
NEEDED = {"dataset": ("name",), "protocol": ("hash", "threshold", "duplicates", "split_seed", "train", "short")}
# The same of a run that ended well, and of one that did not.
NEEDED_OF_ENDED = {"threshold": ("source",), "split": ("train", "held_out", "test")}
NEEDED_OF_FAILED = {"error": ("stage", "message")}


def refusal_of(record: Mapping[str, Any]) -> str:
    """Why a record cannot be read; empty where it can."""
    if not is_as_written(record):
        return "its content is not what was written; run again"
    version = record.get("record_version")
    if type(version) is not int or version < 1:
        return f"record_version {version!r:.100} is none that logbench writes; run again"
    if version > RECORD_VERSION:
        newer = f"record_version {str(version)[:20]} is newer than this logbench reads ({RECORD_VERSION})"
        return f"{newer}; upgrade logbench"
    if place := _damaged(record):
        return f"its {place} is damaged; run again"
    return ""


def _damaged(record: Mapping[str, Any]) -> str:
    """The first field or key that is not of its type or missing; empty if there is none."""
    from pydantic import ValidationError

    try:
        _shape().validate_python({**_defaults(), **record}, strict=True)
    except ValidationError as error:
        place = [str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"]]
        return ".".join(place[:2])[:100]
    if not _in_bounds(dict(record)):
        return "range of a number"
    if not _is_protocol(record.get("protocol", {})):
        return "protocol"
    if record.get("status", "ok") == "ok" and record.get("error") is not None:
        return "error"
    needed = {**NEEDED, **(NEEDED_OF_ENDED if record.get("status", "ok") == "ok" else NEEDED_OF_FAILED)}
    for section, keys in needed.items():
        given = record.get(section)
        if not isinstance(given, Mapping) or any(given.get(key) is None for key in keys):
            return section
    return ""


def _is_protocol(given: Mapping[str, Any]) -> bool:
    """Whether the fields that are known are of their types and within their bounds."""
    values = {name: value for name, value in given.items() if name in fields_of(EvaluationProtocol)}
    try:
        made = make(EvaluationProtocol, values, "protocol")
    except (ConfigError, ValueError, TypeError):
        return False
    return isinstance(given.get("hash"), str) and all(getattr(made, name) == one for name, one in values.items())


def _in_bounds(value: Any) -> bool:
    """Whether every whole number fits into 64 bits, as polars and other readers of JSON need it."""
    if isinstance(value, dict):
        return all(map(_in_bounds, value.values()))
    if isinstance(value, list):
        return all(map(_in_bounds, value))
    return not isinstance(value, int) or abs(value) <= LARGEST


@cache
def _shape() -> TypeAdapter[Record]:
    from pydantic import TypeAdapter

    return TypeAdapter(Record)


@cache
def _defaults() -> dict[str, Any]:
    """Fields that older records may lack."""
    factory, missing = "default_factory", dataclasses.MISSING
    known = {one.name: one for one in dataclasses.fields(RunRecord)}
    made = {name: getattr(one, factory)() for name, one in known.items() if getattr(one, factory) is not missing}
    return {**{name: one.default for name, one in known.items() if one.default is not missing}, **made}


def upgraded(record: dict[str, Any]) -> dict[str, Any]:
    """A record as this version would have written it.

    Version 1 kept the limit in force as `protocol.min_events`, whatever was asked. It stays there, since a run
    that asks for that number gives the same figures; one that asks for 0 may not, so the two are not compared.
    """
    record = {**_defaults(), **record}
    if record["record_version"] > 1:
        return record
    counts = record.get("counts") or {}
    if counts:
        counts = {**counts, "short_limit": record["protocol"].get("min_events"), "needed": None}
    return {**record, "record_version": RECORD_VERSION, "counts": counts}
