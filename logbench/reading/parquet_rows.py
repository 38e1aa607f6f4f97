"""Parquet as text: each row is a line with a JSON object, so that whatever reads JSON lines reads it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from ..base.errors import DataError
from .block_file import BlockFile
from .unpacking import unpacked

# Rows at a time.
ROWS = 50_000


def open_rows(path: Path) -> IO[bytes]:
    """The rows of a Parquet file, times as ISO 8601 has them.

    Raises:
        DataError: when read: it is damaged.
    """
    return unpacked(BlockFile(_blocks(path)), path)


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        frame = pl.scan_parquet(path, glob=False)
        plain = frame.select(_plain(name, dtype) for name, dtype in frame.collect_schema().items())
        for batch in plain.collect_batches(chunk_size=ROWS, maintain_order=True):
            text = io.BytesIO()
            batch.write_ndjson(text)
            yield text.getvalue()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(f"{path}: cannot be read: {str(error).splitlines()[0]}; make it again") from None


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as JSON can hold it."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.to_string("%Y-%m-%dT%H:%M:%S%.f" + ("%:z" if dtype.time_zone else ""))
    return column.cast(pl.String, strict=False) if dtype == pl.Binary else column
