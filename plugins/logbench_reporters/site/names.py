"""Names of pages and of what they show: the same in every build, so that links to them stay whole."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from logbench import EvaluationProtocol

Record = Mapping[str, Any]
# Fields of a protocol that name it where none differs.
USUAL = ("train", "short", "threshold")
LONGEST = 60


def slug(name: str) -> str:
    """A name as a part of an address; what another name may give, too, gets a digest."""
    made = re.sub(r"[^a-z0-9+_-]+", "-", name.lower()).strip("-")[:LONGEST]
    plain = made == name and not re.search(r"(^|-)[0-9a-f]{8}$", name)
    return made if made and plain else f"{made or 'x'}-{digest(name)[:8]}"


def digest(value: Any) -> str:
    """Hex digits of a JSON value."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def data_of(record: Record) -> list[Any]:
    """What a data set is: its files, how units are made of them and parsed, and what trained in place of it."""
    data, config, parts = record["dataset"], record["config"], record["components"]
    read = [(kind, parts.get(kind, {}).get("name"), config.get(kind)) for kind in ("windower", "parser")]
    facts = [data.get(name) for name in ("name", "unit", "digest", "normal_total", "anomaly_total")]
    other = data.get("source") or {}
    source = [*(other.get(name) for name in ("name", "config", "windower")), data.get("source_digest")]
    return [*facts, config.get("dataset"), *map(list, read), *([source] if other else [])]


def facts_of(record: Record) -> dict[str, Any]:
    """What may tell data sets of one name apart, by the name that a reader knows."""
    data, config, parts = record["dataset"], record["config"], record["components"]
    return {
        **(config.get("dataset") or {}),
        **{kind: parts.get(kind, {}).get("name") for kind in ("windower", "parser")},
        **{f"windower.{name}": of for name, of in (config.get("windower") or {}).items()},
        **{f"parser.{name}": of for name, of in (config.get("parser") or {}).items()},
        "source": (data.get("source") or {"name": "none"})["name"],
        "digest": str(data.get("digest"))[:8],
    }


def protocol_of(record: Record) -> dict[str, Any]:
    """Every field of the protocol but the split's seed; those that an older record lacks are the default."""
    defaults = {one.name: one.default for one in dataclasses.fields(EvaluationProtocol)}
    known = {**defaults, **record["protocol"]}
    return {name: known[name] for name in sorted(known) if name not in {"hash", "split_seed"}}


def labels_of(protocols: Sequence[Mapping[str, Any]]) -> list[str]:
    """What tells each protocol from the others, such as `short=drop, threshold=oracle`."""
    names = dict.fromkeys(name for one in protocols for name in one)
    differ = [name for name in names if len({digest(one.get(name)) for one in protocols}) > 1]
    return [", ".join(f"{name}={_text(one.get(name))}" for name in differ or USUAL) for one in protocols]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
