"""Data in memory as a data set: a frame of lines or of key sequences, sessions, or lists of keys."""

from __future__ import annotations

import hashlib
import io
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import logbench
from logbench import Card, ConfigError, DatasetComponent

if TYPE_CHECKING:
    import polars as pl

    from logbench import KeySequences, Lines

# Columns of lines that windowers may group by, beside `time`.
TEXTS = ("level", "component", "node", "file", "group")


def of_data(data: Any) -> DatasetComponent[Any] | None:
    """The data set that data in memory are, called after their digest; None where they are no such data.

    Args:
        data: a frame of polars or pandas, `Sessions`, or lists of keys. Columns of lines are `message` (String),
            and where known `unit` (the session of the line), `time` (Datetime), `label` (0 or 1; a session is
            anomalous where a line of it is), `level`, `component`, `node`, `file` and `group`. Columns of key
            sequences are `keys` (lists of whole numbers), and where known `unit`, `label`, `part` (`train` or
            `test`) and `group`.

    Raises:
        ConfigError: a column is missing or has a wrong type.
    """
    frame = _frame(data)
    if frame is None:
        return None
    if "keys" in frame.columns:
        frame, protocol = _sequences(frame), "given-part" if "part" in frame.columns else "chronological"
        windower, unit = "session", "session"
    elif "message" in frame.columns:
        frame, protocol = _lines(frame), "chronological"
        windower = "session" if "id" in frame.columns else "time" if "time" in frame.columns else "count"
        unit = "session" if windower == "session" else "window"
    else:
        raise ConfigError(
            f"dataset: a frame needs a column message (lines) or keys (key sequences), it has {_some(frame)}"
        )
    found = _digest(frame)
    card = Card(
        title="data in memory",
        label="as given" if "label" in frame.columns else "there are none: runs rank, and measure nothing",
        layout="given from Python",
        parser="drain",
        windower=windower,
        protocol=protocol,
        unit=unit,
    )
    return DatasetComponent(f"memory-{found[:8]}", partial(InMemory, frame, found), None, card.title, card=card)


class InMemory:
    """A frame, checked, as a data set."""

    # Shown in records in place of a path.
    home = Path("in-memory")

    def __init__(self, frame: pl.DataFrame, digest: str) -> None:
        self.frame, self.digest = frame, digest

    def read(self, path: Path) -> Lines | KeySequences:
        """Lines or key sequences; see `Dataset.read`."""
        frame = self.frame
        if "keys" in frame.columns:
            return logbench.KeySequences(frame, digest=self.digest)
        if not {"id", "label"} <= set(frame.columns) or _varies(frame):
            return logbench.Lines(frame.lazy(), digest=self.digest)
        return logbench.Lines(frame.drop("label").lazy(), labels=partial(_by_unit, frame), digest=self.digest)


def _frame(data: Any) -> pl.DataFrame | None:
    import polars as pl

    if isinstance(data, pl.LazyFrame):
        return data.collect()
    if isinstance(data, pl.DataFrame):
        return data
    if type(data).__module__.startswith("pandas."):
        return pl.from_pandas(data)
    if isinstance(data, logbench.Sessions):
        return data.to_polars()
    if isinstance(data, list | tuple) and all(isinstance(one, list | tuple) for one in data):
        try:
            return pl.DataFrame({"keys": pl.Series(data, dtype=pl.List(pl.Int64))})
        except (TypeError, pl.exceptions.PolarsError):
            raise ConfigError("dataset: lists of keys hold whole numbers alone") from None
    return None


def _sequences(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    if "unit" not in frame.columns:
        frame = frame.with_columns(unit=pl.format("s{}", pl.int_range(pl.len())))
    wanted = {
        "unit": pl.String,
        "keys": pl.List(pl.Int64),
        "label": pl.Int8,
        "part": pl.String,
        "group": pl.String,
    }
    return _typed(frame, wanted)


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    if "unit" in frame.columns:
        frame = frame.drop("id", strict=False).rename({"unit": "id"})
    wanted = {"message": pl.String, "id": pl.String, "time": pl.Datetime("us"), "label": pl.Int8}
    return _typed(frame, {**wanted, **dict.fromkeys(TEXTS, pl.String)}).with_row_index("line")


def _typed(frame: pl.DataFrame, wanted: dict[str, Any]) -> pl.DataFrame:
    """The known columns of a frame by their types; labels that are not known are −1.

    Raises:
        ConfigError: a column cannot be of its type, or a label is neither 0 nor 1.
    """
    import polars as pl

    columns = []
    for name, dtype in wanted.items():
        if name not in frame.columns:
            continue
        if name == "time" and not frame["time"].dtype.is_temporal():
            raise ConfigError(f"dataset: column time is {frame['time'].dtype}; make it a Datetime")
        try:
            column = frame[name].cast(dtype)
        except pl.exceptions.PolarsError:
            raise ConfigError(f"dataset: column {name} is {frame[name].dtype}, expected {dtype}") from None
        if name in ("label", "keys") and not column.cast(frame[name].dtype).equals(frame[name]):
            raise ConfigError(f"dataset: column {name} holds fractions, expected {dtype}")
        if name == "label":
            column = column.fill_null(-1)
            if len(wrong := column.filter(~column.is_in([-1, 0, 1]))):
                raise ConfigError(f"dataset: label {wrong[0]} is neither 0 (normal) nor 1 (anomaly)")
        columns.append(column)
    return pl.DataFrame(columns)


def _varies(frame: pl.DataFrame) -> bool:
    """Whether lines of one unit have different labels, so that they are labels of lines."""
    import polars as pl

    counted = frame.lazy().group_by("id").agg(pl.col("label").n_unique())
    return bool(counted.select((pl.col("label") > 1).any()).collect().item())


def _by_unit(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    known = frame.lazy().filter(pl.col("id").is_not_null() & (pl.col("label") >= 0))
    return known.group_by("id", maintain_order=True).agg(pl.col("label").max()).rename({"id": "unit"}).collect()


def _digest(frame: pl.DataFrame) -> str:
    """SHA-256 over names, types and values, however they lie in memory."""
    text = io.BytesIO()
    frame.write_ndjson(text)
    found = hashlib.sha256(repr(dict(frame.schema)).encode())
    found.update(text.getbuffer())
    return found.hexdigest()


def _some(frame: pl.DataFrame) -> str:
    return ", ".join(frame.columns[:8]) or "none"
