"""Wrong data sets: see `mutants`."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from broken import CARD, UNITS, Dataset, but, lines

from logbench import DataError, KeySequences

BAD = [unit for n, unit in enumerate(UNITS) if n % 5 == 4]
ANOMALOUS = pl.col("node").is_in(BAD)


def labels(change: Any) -> type:
    return but("dataset", "labels", lambda self, good: change(good))


def nobody(good: pl.DataFrame) -> pl.DataFrame:
    return good.with_columns(unit="block " + pl.col("unit"))


def some_of_others(good: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([good, good.head(8).with_columns(unit="late " + pl.col("unit"))])


def by_line(label: pl.Expr) -> type:
    """Labels of lines instead of units."""

    def change(self: Any, good: Any, path: Path) -> Any:
        return replace(good, labels=None, frame=good.frame.with_columns(label=label.cast(pl.Int8)))

    return but("dataset", "read", change)


class FirstLost(Dataset):
    """The first line is taken for a heading."""

    def read(self, path: Path) -> Any:
        good = super().read(path)
        return replace(good, frame=good.frame.slice(1).with_columns(line=pl.col("line") - 1))


class FirstSequenceLost(Dataset):
    """The same of key sequences."""

    def generate(self, folder: Path, progress: Any) -> None:
        (folder / "log").write_text("\n".join(f"5 {n} 22 11" for n in range(30)) + "\n")

    def read(self, path: Path) -> Any:
        if not (file := path / "log").is_file():
            return super().read(path)
        keys = [[int(word) for word in text.split()] for text in file.read_text().splitlines()[1:]]
        units = [f"s{n}" for n in range(len(keys))]
        return KeySequences(pl.DataFrame({"unit": units, "keys": keys}), files=[file])


class InParts(Dataset):
    """A file for each four jobs, read in the order in which the folder lists them."""

    def generate(self, folder: Path, progress: Any) -> None:
        super().generate(folder, progress)
        rows = (folder / "log").read_text().splitlines(keepends=True)
        (folder / "log").unlink()
        for part in range(5):
            (folder / f"log{part}").write_text("".join(rows[part * 16 : part * 16 + 16]))

    def read(self, path: Path) -> Any:
        parts = [one for one in path.iterdir() if one.name.startswith("log")]
        if not parts:
            raise DataError(f"{path}: no log; give a folder with files log0, log1 …")
        with tempfile.TemporaryDirectory() as folder:
            (whole := Path(folder) / "log").write_text("".join(part.read_text() for part in parts))
            good = super().read(whole.parent)
        return replace(good, files=sorted(parts))


class Quoting(Dataset):
    """A line that begins with a quote takes those up to the next quote with it."""

    def generate(self, folder: Path, progress: Any) -> None:
        super().generate(folder, progress)
        rows = (folder / "log").read_text().splitlines()
        rows[31], rows[36] = f'{rows[31]} "again', f'{rows[36]}" or so'
        (folder / "log").write_text("\n".join(rows) + "\n")

    def read(self, path: Path) -> Any:
        good = super().read(path)
        at = pl.col("line")
        frame = good.frame.filter((at < 32) | (at > 36))
        return replace(good, frame=frame.with_columns(line=pl.int_range(pl.len(), dtype=pl.UInt32)))


ADVISED: dict[str, tuple[str, Any, dict[str, Any]]] = {"lines lost to a quote": ("every-line", Quoting, {})}

WORD = pl.when(ANOMALOUS).then(pl.lit(" anomalous ")).otherwise(pl.lit(" "))
MIDDLE = pl.col("message").str.replace(" ", WORD, literal=True)
MARK = pl.when(ANOMALOUS).then(pl.lit("!")).otherwise(pl.lit("-"))
TOLD = pl.concat_str(MARK, pl.lit(" "), "message").alias("message")
AFTER = pl.concat_str("message", pl.lit(" "), MARK).alias("message")
FILE = pl.when(ANOMALOUS).then(pl.lit("abnormal.log")).otherwise(pl.lit("log")).alias("file")
MILLISECONDS = (pl.col("time").dt.epoch("us") // 1000).cast(pl.Datetime("us")).alias("time")


def told(self: Any, path: Path) -> Any:
    good = by_line(ANOMALOUS).read(self, path)  # type: ignore[attr-defined]
    return replace(good, frame=good.frame.with_columns(TOLD))


DATASETS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "labels that name no unit": ("named", labels(nobody), {}),
    "labels of which a third names no unit": ("named", labels(some_of_others), {}),
    "labels of half of the units": ("named", labels(lambda good: good.gather_every(2)), {}),
    "half of the labels unknown": ("named", by_line(pl.when(pl.col("line") % 2 == 0).then(ANOMALOUS)), {}),
    "the label before the message": ("hidden", lines(TOLD), {}),
    "the label after the message": ("hidden", lines(AFTER), {}),
    "a word for the label in the message": ("hidden", lines(MIDDLE), {}),
    "the label of the line before the message": (
        "hidden", type("Told", (by_line(ANOMALOUS),), {"read": told}), {}),
    "a component that is called by the label": (
        "hidden", lines(FILE), {}),
    "no times": ("times", lines(pl.lit(None, pl.Datetime("us")).alias("time")), {}),
    "times of every other line": ("times", lines(pl.when(pl.col("line") % 2 == 0).then("time").alias("time")), {}),
    "times that go backwards": ("times", lines(pl.col("time").reverse()), {}),
    "times of 1970": ("times", lines(MILLISECONDS), {}),
    "files as the folder lists them": ("listing", InParts, {}),
    "the first line lost": ("first-line", FirstLost, {}),
    "the first sequence lost": ("first-line", FirstSequenceLost, {}),
    "generated, and not said to be simulated": ("simulated", Dataset, {"card": replace(CARD, simulated=False)}),
    "other lines than published": ("published", Dataset, {"card": replace(CARD, published={"lines": 75})}),
    "other anomalies than published": ("published", Dataset, {"card": replace(CARD, published={"anomalies": 5})}),
}  # fmt: skip
