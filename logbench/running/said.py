"""What models may say of deciding events, and where it is stored."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

# Column of the stored scores and its type, by method: see `Expects` and `Explains`.
SAID: Mapping[str, tuple[str, pl.DataType]] = {
    "expected": ("expected", pl.List(pl.Int32)),
    "explain": ("why", pl.String()),
}
