"""Give lines to a windower without labels and raw text; count the lines and keep the labels aside."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from ..base.errors import PluginError
from ..base.files import for_temporary_files, written
from ..data.event_buffer import IN_MEMORY
from ..data.lines import Lines

# Lines a frame.
FRAME = 32_768


class WindowerInput:
    """Lines for a windower, which may read them several times.

    The windower sees `line`, `message`, `shape` and the columns of `Lines.shown`. Labels are joined to its answer.

    Args:
        shape: expression for the column `shape`, which a windower passes through.
        first: number of the first line.
    """

    def __init__(self, lines: Lines, shape: pl.Expr, first: int = 0) -> None:
        whole = lines.frame.with_columns(shape=shape)
        schema = whole.collect_schema()
        shown = ("line", "message", *lines.shown, "shape")
        self.first = first
        self.schema = {name: schema[name] for name in dict.fromkeys(shown) if name in schema}
        self.labels = Labels(first) if "label" in schema else None
        self.files = lines.files
        self._whole, self._total = whole, -1

    def frame(self) -> pl.LazyFrame:
        """The frame that the windower sees."""
        return register_io_source(self._frames, schema=self.schema, is_pure=True)

    @property
    def total(self) -> int:
        """Number of lines; needs an extra pass if nobody has read them to the end."""
        if self._total < 0:
            for _ in self._frames(["line"], None, None, None):
                pass
        return self._total

    def _frames(
        self, columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = list(self.schema) if columns is None else columns
        asked = [*wanted, *([] if predicate is None else predicate.meta.root_names())]
        hidden = [] if self.labels is None else ["label"]
        count, left = 0, n_rows
        whole = self._whole.select(list(dict.fromkeys(("line", *asked, *hidden))))
        for batch in whole.collect_batches(chunk_size=FRAME, maintain_order=True):
            check_numbers(batch["line"], self.first + count, self.files)
            count += len(batch)
            if self.labels is not None:
                self.labels.keep(batch["line"], batch["label"])
            frame = batch if left is None else batch.head(left)
            left = None if left is None else left - len(frame)
            yield (frame if predicate is None else frame.filter(predicate)).select(wanted)
            if left == 0:
                return
        self._total = count


def check_numbers(line: pl.Series, begin: int, files: Sequence[Path]) -> None:
    """Check that lines are numbered from `begin` on, because line numbers prove what a windower did."""
    if not np.array_equal(line.to_numpy(), np.arange(begin, begin + len(line))):
        where = ", ".join(map(str, files)) or "the data set"
        raise PluginError(f"{where}: the data set must number its lines from 0, without a gap, in order")


class Labels:
    """Labels of lines, int8 by line number: in memory, or in an unlinked file if they are many."""

    def __init__(self, first: int) -> None:
        self._first, self._lock = first, Lock()
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115 (closed below)
            IN_MEMORY, dir=str(for_temporary_files())
        )
        weakref.finalize(self, self._file.close)

    def keep(self, line: pl.Series, label: pl.Series) -> None:
        """Store the labels of consecutive lines.

        Raises:
            DataError: the file cannot be written.
        """
        if not len(line):
            return
        with self._lock, written(for_temporary_files()):
            self._file.seek(int(line[0]) - self._first)
            self._file.write(label.fill_null(-1).cast(pl.Int8).to_numpy().tobytes())

    def of(self, line: pl.Series) -> pl.Series:
        """Labels of stored lines, Int8, −1 if unknown; `line` must not decrease."""
        if not len(line):
            return pl.Series("label", [], dtype=pl.Int8)
        begin, end = int(line[0]), int(line[-1]) + 1
        with self._lock:
            self._file.seek(begin - self._first)
            kept = np.frombuffer(self._file.read(end - begin), dtype=np.int8)
        return pl.Series("label", kept[line.to_numpy().astype(np.int64) - begin])
