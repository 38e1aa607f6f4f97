"""The DeepLog authors' HDFS key sequences, as logdeep and others pass them on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from logbench import Card, DataError

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import KeySequences, Member

TRAIN, NORMAL, ABNORMAL = "hdfs_train", "hdfs_test_normal*", "hdfs_test_abnormal"

CARD = Card(
    title="DeepLog's key sequences of HDFS: 4,855 sessions to train, 16,838 anomalies to find",
    label="a session is anomalous where its file says so",
    layout=f"a folder or archive with {TRAIN}, one file {NORMAL}, and {ABNORMAL}: a session a line, its keys",
    parser="none",
    windower="session",
    protocol="deeplog-archive",
    citation="Du et al., CCS 2017",
    cite=(works.DU,),
    faults=(
        "no raw lines: how these sequences came of the log is not known",
        "where hdfs_test_normal is a sample, set dataset.normal_total=553366",
    ),
    published={"sessions": 575_059, "anomalies": 16_838},
)


class DeeplogArchive:
    """Reads the three files; `hdfs_train` is the given training part."""

    def read(self, path: Path) -> KeySequences:
        """Sessions called `train-1`, `normal-1`, `abnormal-1` by file and line; see `Dataset.read`."""
        import polars as pl

        from logbench import KeySequences, open_layout

        found = open_layout(path, [TRAIN, NORMAL, ABNORMAL])
        parts = [
            sessions(found[TRAIN], "train", "train", 0),
            sessions(found[NORMAL], "normal", "test", 0),
            sessions(found[ABNORMAL], "abnormal", "test", 1),
        ]
        return KeySequences(pl.concat(parts), [file for member in found.values() for file in member.files])


def sessions(member: Member, name: str, part: str, label: int) -> pl.DataFrame:
    """Read the sessions of one file; skip blank lines.

    Raises:
        DataError: a line holds something else than whole numbers.
    """
    import polars as pl

    lines = member.scan().with_columns(pl.col("raw").str.strip_chars()).filter(pl.col("raw") != "").collect()
    words = lines.with_columns(keys=pl.col("raw").str.replace_all(r"\s+", " ").str.split(" "))
    keys = words["keys"].cast(pl.List(pl.Int64), strict=False)
    broken = keys.list.eval(pl.element().is_null()).list.any()
    if broken.any():
        line, text = words.filter(broken).select("line", "raw").row(0)
        raise DataError(f"{member.path}: line {line + 1} is not a list of keys: {text[:60]!r}")
    return words.select(
        unit=pl.lit(f"{name}-") + (pl.col("line") + 1).cast(pl.String),
        keys=keys,
        label=pl.lit(label, pl.Int8),
        part=pl.lit(part),
    )
