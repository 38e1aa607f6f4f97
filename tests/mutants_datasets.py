"""Wrong data sets: see `mutants`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from broken import CARD, UNITS, Dataset, but, lines

from logbench import KeySequences

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
    "the first line lost": ("first-line", FirstLost, {}),
    "the first sequence lost": ("first-line", FirstSequenceLost, {}),
    "generated, and not said to be simulated": ("simulated", Dataset, {"card": replace(CARD, simulated=False)}),
    "other lines than published": ("published", Dataset, {"card": replace(CARD, published={"lines": 75})}),
    "other anomalies than published": ("published", Dataset, {"card": replace(CARD, published={"anomalies": 5})}),
}  # fmt: skip
