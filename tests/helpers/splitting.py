"""Units by hand and their split, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from logbench import EvaluationProtocol
from logbench.pipeline.split import Split, split_units

# Kinds of splits that take an amount.
KINDS = ("first", "random", "ratio", "random_ratio", "per_class_ratio", "group")
# Those whose amount is a number of units.
UNITS = ("first", "random")
BY_UNITS = tuple(kind for kind in KINDS if kind not in UNITS)


def frame(
    labels: Sequence[int],
    last: Sequence[int] | None = None,
    part: Sequence[str | None] | None = None,
    group: Sequence[str | None] | None = None,
    side: Sequence[int] | None = None,
) -> pl.DataFrame:
    """Unit i begins at line 10 i, and ends there unless told."""
    first = [10 * i for i in range(len(labels))]
    columns: dict[str, Any] = {"unit": [f"u{i}" for i in range(len(labels))], "label": labels}
    columns |= {"first_line": first, "last_line": last or first}
    columns |= {name: value for name, value in (("part", part), ("group", group), ("side", side)) if value}
    types = {"label": pl.Int8, "group": pl.String, "side": pl.Int8}
    return pl.DataFrame(columns, schema_overrides={name: kind for name, kind in types.items() if name in columns})


def grouped_frame(labels: Sequence[int], size: int = 3) -> pl.DataFrame:
    """The same, every `size` units a group."""
    return frame(labels, group=[f"g{i // size}" for i in range(len(labels))])


def split(units: pl.DataFrame, **protocol: Any) -> Split:
    """The split, without a hold-out unless told."""
    return split_units(units, EvaluationProtocol(**{"held_out": 0.0, **protocol}))


def sized(kind: str, amount: float, total: int) -> dict[str, Any]:
    """Fields of the protocol for a training share `amount` (0 to 1) of `total` units by any kind."""
    return {
        "train": kind,
        **({"train_units": round(amount * total)} if kind in UNITS else {"train_ratio": amount}),
    }


def reserved(kind: str, amount: float, total: int) -> dict[str, Any]:
    """The test set that `sized` would leave."""
    return {"test_reserve": float(round(amount * total)) if kind in UNITS else amount}
