"""HDFS_100k: the blocks of the first 100,000 HDFS lines, with the split of deep-loglizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from logbench import Card, DataError

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import KeySequences

SESSIONS = "sessions.csv"
COLUMNS = ("split", "block_id", "label", "keys")

CARD = Card(
    title="HDFS_100k: 7,940 blocks of the first 100,000 lines, cut off in mid-session",
    label="a block is anomalous where HDFS_v1 labels it so",
    layout=f"a folder with {SESSIONS}, or that file, packed or not: columns {', '.join(COLUMNS)}",
    parser="none",
    windower="session",
    protocol="given-part-labelled",
    unit="block",
    licence="CC-BY-4.0, with Loghub's notice: free for research, cite both papers",
    citation="Xu et al., SOSP 2009; Chen et al. (deep-loglizer), 2021, arXiv 2107.05908",
    cite=(
        works.XU,
        works.CHEN,
    ),
    faults=(
        "most anomalous blocks lack the lines that make them so: equal sequences have both labels",
        "so no model can be good here: the best F1 of any rule on the test blocks is .711 by sequences and .690 "
        "by counts; a figure near .95 is a leak (see logbench datasets info)",
    ),
    published={"sessions": 7_940, "anomalies": 313},
)


class Hdfs100k:
    """Reads the sessions; their column `split` is the given part."""

    def read(self, path: Path) -> KeySequences:
        """Units by their block ids; see `Dataset.read`."""
        import polars as pl

        from logbench import KeySequences, open_layout

        member = open_layout(path, [SESSIONS])[SESSIONS]
        try:
            frame = pl.read_csv(member.bytes(), schema_overrides=dict.fromkeys(COLUMNS, pl.String))
        except pl.exceptions.PolarsError as error:
            raise DataError(f"{member.path}: not a CSV file: {str(error).splitlines()[0]}") from error
        if missing := [name for name in COLUMNS if name not in frame.columns]:
            raise DataError(f"{member.path}: has no column {missing[0]!r}; it needs {', '.join(COLUMNS)}")
        return KeySequences(_sessions(frame, str(member.path)), member.files)


def _sessions(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Columns `unit`, `keys`, `label` and `part` of the file's columns.

    Raises:
        DataError: a row lacks an id, or its split, label or keys are not as the card says.
    """
    import polars as pl

    words = pl.col("keys").fill_null("").str.strip_chars().str.replace_all(r"\s+", " ")
    listed = pl.when(words == "").then(pl.lit([], pl.List(pl.String))).otherwise(words.str.split(" "))
    read = frame.with_row_index("row").select(
        "row",
        unit="block_id",
        keys=listed.cast(pl.List(pl.Int64), strict=False),
        label=pl.col("label")
        .str.strip_chars()
        .replace_strict({"0": 0, "1": 1}, default=None, return_dtype=pl.Int8),
        part=pl.col("split").str.strip_chars().replace_strict({"train": "train", "test": "test"}, default=None),
    )
    wrong = pl.any_horizontal(
        pl.col("unit", "label", "part").is_null(), pl.col("keys").list.eval(pl.element().is_null()).list.any()
    )
    if len(broken := read.filter(wrong)):
        raise DataError(
            f"{name}: row {broken['row'][0] + 2} needs a split (train or test), a block id, "
            "a label (0 or 1) and keys (whole numbers separated by spaces)"
        )
    return read.drop("row")
