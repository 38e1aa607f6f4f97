"""Tables of a row a unit: its events stand in one field, a list or a text such as `[E5,E22]`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import logbench

if TYPE_CHECKING:
    import polars as pl

    from logbench import LineFormat, Lines

# Event of a unit that has none, so that the unit is not lost.
NOTHING = "(no event)"


def exploded(rows: Lines, form: LineFormat, events: str) -> Lines:
    """A line an event of rows whose message is the field `events`, with the unit's `id`; labels are of units."""
    import polars as pl

    schema = rows.frame.collect_schema()
    text = pl.col("message")
    if form.format == "json" and "|" not in events:  # a list of small numbers would be read as bytes
        text = pl.coalesce(pl.col("raw").str.json_path_match(f"$.{events}"), text)
    named = rows.frame if "id" in schema else rows.frame.with_columns(id=pl.format("row {}", pl.col("line") + 1))
    gone = [name for name in ("line", "label", "raw") if name in schema]
    lines = (
        named.with_columns(message=_events(text))
        .explode("message", empty_as_null=True)
        .drop(gone)
        .with_columns(pl.col("message").fill_null(NOTHING))
        .with_columns(raw="message")
        .with_row_index("line")
    )
    labels = partial(_labels, named) if "label" in schema else rows.labels
    return logbench.Lines(lines, rows.files, labels=labels, counted=rows.counted, form=rows.form)


def _events(text: pl.Expr) -> pl.Expr:
    """The events in a text: what stands in quotes, or else between spaces, commas and brackets."""
    import polars as pl

    found = text.str.extract_all(r"[^\s,;|\[\](){}]+")
    for sign in "'\"":
        quoted = text.str.extract_all(rf"{sign}(?:[^{sign}\\]|\\.)*{sign}").list.eval(
            pl.coalesce(pl.element().str.json_path_match("$"), pl.element().str.slice(1).str.head(-1))
        )
        found = pl.when(text.str.contains(sign, literal=True)).then(quoted).otherwise(found)
    return found


def _labels(rows: pl.LazyFrame) -> pl.DataFrame:
    import polars as pl

    known = rows.filter(pl.col("id").is_not_null() & (pl.col("label") >= 0))
    return known.group_by("id", maintain_order=True).agg(pl.col("label").max()).rename({"id": "unit"}).collect()
