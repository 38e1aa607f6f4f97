"""Logs that others have prepared: Loghub's `*_structured.csv`, and LogLead's Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import Card, DataError, option

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import Lines

LOGHUB = Card(
    title="a parsed log in the layout of Loghub: a row a line, with the event's id",
    label="as the column says that loghub-structured.label names; without it there are none",
    layout="a *_structured.csv, or a folder with one or more",
    parser="none",
    windower="count",
    protocol="chronological",
    unit="window",
    citation="Zhu et al. (Loghub), ISSRE 2023",
    cite=(works.LOGHUB,),
    faults=("the events are as its parser found them, on all lines: test messages took part",),
)
LOGLEAD = Card(
    title="a log as LogLead stores it: Parquet with m_message, m_timestamp, seq_id",
    label="a line or sequence is anomalous where its column anomaly, normal or label says so",
    layout="a Parquet file of events, or a folder with *events*.parquet and *seqs*.parquet (labels by sequence)",
    parser="drain",
    windower="session",
    protocol="chronological",
    citation="Mäntylä et al., SANER 2024 (LogLead); github.com/EvoTestOps/LogLead",
    cite=(works.LOGLEAD,),
    faults=("LogLead's loaders leave out or join lines: the counts are those after them",),
)
NORMAL = ("-", "normal", "clean")


@dataclass(frozen=True)
class StructuredConfig:
    """Which columns to take."""

    message: str = option("EventId", "column with the message; EventId takes the parser's events as they are")
    unit: str = option("", "column with the session's id; then use --windower session")
    unit_pattern: str = option(
        "", "regular expression of the id within that column; its first group, or each match"
    )
    group: str = option("", "column with what several sessions have in common, such as a host or job")
    label: str = option("", "column with the label of the line")
    normal: tuple[str, ...] = option(("-", "Normal", "0"), "labels that mean normal; anything else is anomalous")
    time: tuple[str, ...] = option((), "columns with the time, joined by a space")
    time_format: tuple[str, ...] = option((), "strptime formats of it, or epoch, epoch_ms, epoch_us, epoch_ns")


class Structured:
    """Reads structured CSV, files in order of their names."""

    def __init__(self, config: StructuredConfig) -> None:
        self.config = config

    def read(self, path: Path) -> Lines:
        """Lines with what the options name; see `Dataset.read`."""
        from logbench import LineFormat, open_lines

        c = self.config
        form = LineFormat(
            format="csv",
            message=c.message,
            id=c.unit,
            id_pattern=c.unit_pattern,
            group=c.group,
            label=c.label,
            normal=c.normal,
            time=c.time,
            time_format=c.time_format,
        )
        return open_lines(path, ["*_structured.csv"], form)


class Loglead:
    """Reads LogLead's event table, and the labels of its sequence table where there is one."""

    def read(self, path: Path) -> Lines:
        """Lines with time, `id` and label where their columns are there; see `Dataset.read`."""
        import polars as pl

        from logbench import Lines

        events, sequences = _tables(path)
        frame = _scan(events)
        schema = frame.collect_schema()
        if schema.get("m_message") != pl.String():
            raise DataError(f"{events}: has no text column m_message; there is {', '.join(schema.names()[:8])}")
        made = {"message": pl.col("m_message").fill_null(""), "raw": pl.col("m_message").fill_null("")}
        if isinstance(schema.get("m_timestamp"), pl.Datetime):
            made["time"] = pl.col("m_timestamp").dt.replace_time_zone(None).cast(pl.Datetime("us"))
        for column, name in (("seq_id", "id"), ("node", "node"), ("level", "level"), ("component", "component")):
            if column in schema:
                made[name] = pl.col(column).cast(pl.String)
        if (label := _label(schema)) is not None and sequences is None:
            made["label"] = label
        lines = frame.select(**made).with_row_index("line")
        files = [file for file in (events, sequences) if file]
        return Lines(lines, files, labels=None if sequences is None else lambda: _labels(sequences))


def _scan(path: Path) -> pl.LazyFrame:
    """Scan a Parquet file; a damaged file becomes an error of one line."""
    import polars as pl
    from polars.io.plugins import register_io_source

    if path.exists() and not path.is_file():
        raise DataError(f"{path}: neither a regular file nor a folder; save the data to a file first")
    try:
        frame = pl.scan_parquet(path, glob=False)
        schema = frame.collect_schema()
    except _broken() as error:
        raise DataError(f"{path}: no Parquet file: {str(error).splitlines()[0]}") from None

    def frames(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = frame if columns is None else frame.select(columns)
        wanted = wanted if n_rows is None else wanted.head(n_rows)
        try:
            for batch in wanted.collect_batches(maintain_order=True):
                yield batch if predicate is None else batch.filter(predicate)
        except _broken() as error:
            raise DataError(f"{path}: cannot be read: {str(error).splitlines()[0]}; make it again") from None

    return register_io_source(frames, schema=schema, is_pure=True)


def _broken() -> tuple[type[BaseException], ...]:
    """What polars raises at a damaged file."""
    import polars as pl

    return (pl.exceptions.PolarsError, pl.exceptions.PanicException)


def _tables(path: Path) -> tuple[Path, Path | None]:
    if path.is_file():
        return path, None
    files = sorted(path.glob("*.parquet"))
    sequences = [file for file in files if "seq" in file.name.lower()]
    events = [file for file in files if file not in sequences]
    if len(events) != 1 or len(sequences) > 1:
        raise DataError(f"{path}: needed is {LOGLEAD.layout}; there are {len(events)} and {len(sequences)}")
    return events[0], sequences[0] if sequences else None


def _label(schema: pl.Schema) -> pl.Expr | None:
    """1 anomalous, 0 normal: by `anomaly`, else `normal`, else `label`."""
    import polars as pl

    if schema.get("anomaly") == pl.Boolean():
        return pl.col("anomaly").cast(pl.Int8)
    if schema.get("normal") == pl.Boolean():
        return (~pl.col("normal")).cast(pl.Int8)
    if schema.get("label") == pl.String():
        return (~pl.col("label").str.to_lowercase().is_in(list(NORMAL))).cast(pl.Int8)
    return None


def _labels(path: Path) -> pl.DataFrame:
    """Columns `unit` and `label` of a sequence table."""
    import polars as pl

    frame = _scan(path)
    schema = frame.collect_schema()
    label = _label(schema)
    if "seq_id" not in schema or label is None:
        raise DataError(f"{path}: needs seq_id and anomaly, normal or label; there is {', '.join(schema.names())}")
    return frame.select(unit=pl.col("seq_id").cast(pl.String), label=label).collect()
