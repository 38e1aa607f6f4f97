"""Key sequences in the format of ait's review of log data sets: `id,key key …`, a file for each part and label."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import Card, DataError

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import KeySequences, Member

TRAIN, NORMAL, ABNORMAL = "*_train", "*_test_normal*", "*_test_abnormal*"
LAYOUT = f"a folder or archive with one file each {TRAIN}, {NORMAL} and {ABNORMAL}: lines `id,key key key …`"
REVIEW = "Landauer et al., FSE 2024, doi 10.1145/3660768"

CARD = Card(
    title="key sequences as ait's review prepares them: id,keys",
    label="a session is anomalous where its file says so",
    layout=LAYOUT,
    parser="none",
    windower="session",
    protocol="given-part",
    citation=REVIEW,
    cite=(works.LANDAUER,),
    faults=("no raw lines: how these sequences came of the log is the review's affair",),
)
OPENSTACK = replace(
    CARD,
    title="OpenStack key sequences by instance: hardly any anomaly shows in its keys",
    label="a session is anomalous where a fault was injected into its virtual machine",
    licence="CC-BY-4.0, with Loghub's notice: free for research, cite both papers",
    citation=f"Du et al., CCS 2017; Zhu et al. (Loghub), ISSRE 2023; {REVIEW}",
    cite=(
        works.DU,
        works.LOGHUB,
        works.LANDAUER,
    ),
    faults=("195 of the 198 anomalous sequences are those of normal ones too",),
    published={"anomalies": 198},
)


class AitSequences:
    """Reads the three files; the file called train is the given training part."""

    def read(self, path: Path) -> KeySequences:
        """Units by their ids; a repeated id becomes `id (2)` and so on. See `Dataset.read`."""
        import polars as pl

        from logbench import KeySequences, open_layout

        found = open_layout(path, [TRAIN, NORMAL, ABNORMAL])
        parts = [(TRAIN, "train", 0), (NORMAL, "test", 0), (ABNORMAL, "test", 1)]
        frame = pl.concat(sequences(found[name], part, label) for name, part, label in parts)
        again = pl.int_range(pl.len()).over("unit")
        unit = pl.when(again > 0).then(pl.format("{} ({})", "unit", again + 1)).otherwise("unit")
        return KeySequences(
            frame.with_columns(unit=unit), [file for member in found.values() for file in member.files]
        )


def sequences(member: Member, part: str, label: int) -> pl.DataFrame:
    """Read the sessions of one file; skip blank lines; a session may have no key.

    Raises:
        DataError: a line has no id, or something else than whole numbers for keys.
    """
    import polars as pl

    lines = member.scan().with_columns(pl.col("raw").str.strip_chars()).filter(pl.col("raw") != "").collect()
    cells = lines.with_columns(
        pl.col("raw").str.split_exact(",", 1).struct.rename_fields(["unit", "text"]).alias("cell")
    )
    cells = cells.unnest("cell").with_columns(pl.col("text").str.strip_chars().str.replace_all(r"\s+", " "))
    words = (
        pl.when(pl.col("text") == "").then(pl.lit([], pl.List(pl.String))).otherwise(pl.col("text").str.split(" "))
    )
    read = cells.with_columns(keys=words.cast(pl.List(pl.Int64), strict=False))
    empty = pl.col("unit").str.strip_chars() == ""
    broken = read.filter(
        empty | pl.col("keys").is_null() | pl.col("keys").list.eval(pl.element().is_null()).list.any()
    )
    if len(broken):
        line, text = broken.select("line", "raw").row(0)
        raise DataError(f"{member.path}: line {line + 1} is not `id,key key …`: {text[:60]!r}")
    return read.select("unit", "keys", label=pl.lit(label, pl.Int8), part=pl.lit(part))
