"""Sessions by id: a line belongs once to each distinct id that it names."""

from __future__ import annotations

import polars as pl

from logbench import ConfigError


class Session:
    """Groups lines by an id in the message, or by a column.

    Args:
        pattern: regular expression whose whole match is an id; `""` to use `column`.
        column: name of a String column, or of a List[String] column for several ids a line.

    Raises:
        ConfigError: the pattern is no regular expression of polars, or too large a one.
    """

    def __init__(self, pattern: str, column: str) -> None:
        try:
            pl.Series([""]).str.extract_all(pattern)
        except pl.exceptions.ComputeError as error:
            reason = " ".join(str(error).partition("\n\n")[0].split())[:200]
            raise ConfigError(
                f"session.pattern={pattern[:100]!r}: no regular expression of polars: {reason}"
            ) from None
        self.pattern, self.column = pattern, column

    @property
    def id_column(self) -> str:
        """See `GroupsByColumn`; a pattern looks for ids in the message."""
        return "" if self.pattern else self.column

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Add `unit`; a line without id has null.

        Raises:
            ConfigError: neither a pattern is set nor does the column exist.
        """
        schema = lines.collect_schema()
        if self.pattern:
            ids = pl.col("message").str.extract_all(self.pattern)
        elif self.column in schema:
            ids = pl.col(self.column)
            if schema[self.column] == pl.String:
                return lines.with_columns(unit=ids)
        else:
            raise ConfigError(
                f"session: lines have no column {self.column!r} ({', '.join(schema.names())}); "
                "set windower.pattern or windower.column"
            )
        return lines.with_columns(unit=ids.list.unique(maintain_order=True)).explode("unit", empty_as_null=True)
