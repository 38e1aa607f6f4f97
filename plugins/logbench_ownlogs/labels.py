"""Labels of sessions from a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from logbench import DataError, suggest

if TYPE_CHECKING:
    import polars as pl

    from .definition import OwnLog

# Labels of a labels file that mean normal where the definition does not say, in any case of letters.
NORMAL = ("normal", "0", "-", "false", "no")


def there(path: Path) -> bool:
    """Whether a labels file can be looked for, and is there."""
    try:
        return path.is_file()
    except OSError:  # such as a name longer than the system allows
        return False


def read_labels(path: Path, own: OwnLog) -> pl.DataFrame:
    """Columns `unit` and `label` of a labels file; equal rows count once.

    Raises:
        DataError: no CSV, a column is missing, a unit has both labels, or a label means neither.
    """
    import polars as pl

    if not there(path):
        raise DataError(f"{path}: no such file, and the definition takes labels from it")
    try:
        frame = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: no CSV file: {str(error).splitlines()[0]}") from None
    for name in (own.labels_unit, own.labels_label):
        if name not in frame.columns:
            raise DataError(f"{path}: has no column {name!r}{suggest(name, frame.columns)}")
    said = pl.col(own.labels_label).str.strip_chars()
    if own.normal or own.anomalous:
        normal, anomalous = said.is_in(list(own.normal)), said.is_in(list(own.anomalous))
    else:
        normal, anomalous = said.str.to_lowercase().is_in(list(NORMAL)), pl.lit(False)
    other = None if own.normal and own.anomalous else 0 if own.anomalous else 1
    label = pl.when(anomalous).then(1).when(normal).then(0).otherwise(other)
    table = frame.select(unit=own.labels_unit, label=label.cast(pl.Int8)).unique(maintain_order=True)
    if len(neither := table.filter(pl.col("label").is_null() | pl.col("unit").is_null())):
        raise DataError(f"{path}: the label of {neither['unit'][0]} is in neither normal nor anomalous")
    if twice := table.filter(pl.col("unit").is_duplicated())["unit"].to_list():
        raise DataError(f"{path}: gives {twice[0]} both labels; remove one")
    return table
