"""Figures of single models, and which runs differ in what a figure varies alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from .figure import Figure

Record = Mapping[str, Any]
# Most models with figures of their own.
MOST_MODELS = 3


def each_model(
    draw: Callable[[str, Sequence[Record], Sequence[Record], str, bool], Figure | None],
    records: Sequence[Record],
    page: Sequence[Record],
    models: Sequence[str],
    metric: str = "f1",
    lower: bool = False,
) -> list[Figure]:
    """Figures of the first models that have one.

    Args:
        draw: of a model, `records`, `page`, `metric` and `lower`. records: of the whole folder. page: the page's
            own. models: which ones, the best first.
    """
    found = (draw(model, records, page, metric, lower) for model in models)
    return [one for one in found if one is not None][:MOST_MODELS]


def all_else(record: Record, varied: Collection[str]) -> str:
    """Data, options and protocol, but for these fields of the protocol and what follows from them."""
    gone = {*varied, "hash", "split_seed"}
    protocol = {name: value for name, value in record["protocol"].items() if name not in gone}
    data, config = record["dataset"], {k: v for k, v in record["config"].items() if k != "evaluators"}
    return json.dumps([data["name"], data.get("digest"), config, protocol], sort_keys=True, default=str)
