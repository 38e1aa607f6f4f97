"""Loghub HDFS_v1 (Xu et al., SOSP 2009): block life cycles of a 203-node Hadoop cluster, labelled by block."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import Card, DataError

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import Lines, Member

# Loghub's archive has the labels in a folder, its older one and loglizer have them beside the log.
LOG, LABELS, BESIDE = "HDFS.log", "preprocessed/anomaly_label.csv", "anomaly_label.csv"
BLOCK = "blk_-?[0-9]+"
# Characters of `081109 203530`, date and time.
STAMP = 13

CARD = Card(
    title="Loghub HDFS_v1: 11.2 million lines, 575,061 blocks",
    label="a block is anomalous where Xu et al. judged its life cycle so, by hand-made rules",
    layout=f"the zip or tar archive, or a folder with {LOG} and {LABELS}, or {BESIDE}",
    parser="drain",
    windower="session",
    protocol="hdfs",
    url="https://zenodo.org/records/8196385/files/HDFS_v1.zip",
    size=186_645_559,
    md5="76a24b4d9a6164d543fb275f89773260",
    licence="CC-BY-4.0, with Loghub's notice: free for research, cite both papers",
    citation="Xu et al., SOSP 2009; Zhu et al. (Loghub), ISSRE 2023",
    cite=(
        works.XU,
        works.LOGHUB,
    ),
    faults=(
        "9 distinct sequences carry both labels",
        "6,191 anomalies have at most 10 events, no normal block has",
        "copies of 11,175,629, 11,197,954 and 12,580,989 lines are about: compare digests",
    ),
    published={"lines": 11_175_629, "sessions": 575_061, "anomalies": 16_838},
)


class Hdfs:
    """Reads `HDFS.log` and its labels, or a log alone (for scoring, where no labels are needed)."""

    def read(self, path: Path) -> Lines:
        """Lines with `id`, the blocks that each names (List[String]); see `Dataset.read`."""
        from logbench import LineRules, Lines, open_layout

        found = open_layout(path, [LOG], optional=[LABELS])
        if LABELS not in found:
            found |= open_layout(path, [LOG], optional=[BESIDE])
        # After `… INFO dfs.FSNamesystem: ` stands the message.
        rules = LineRules(found[LOG], ": ", BLOCK, STAMP, "%y%m%d %H%M%S")
        files = [file for member in found.values() for file in member.files]
        return Lines(
            rules.frame,
            files=list(dict.fromkeys(files)),
            labels=partial(labels, found.get(LABELS, found.get(BESIDE)), path),
            counted=lambda: {"undecodable_lines": found[LOG].undecodable},
            rules=rules,
        )


def labels(member: Member | None, path: Path) -> pl.DataFrame:
    """Columns `unit` and `label` of `anomaly_label.csv`.

    Raises:
        DataError: missing, of another format, or with a block that has both labels.
    """
    import polars as pl

    if member is None:
        raise DataError(f"{path}: has no {LABELS}, which names the anomalous blocks")
    try:
        frame = pl.read_csv(member.bytes(), schema_overrides={"BlockId": pl.String, "Label": pl.String})
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: {LABELS} is not a CSV file: {str(error).splitlines()[0]}") from None
    if frame.columns[:2] != ["BlockId", "Label"]:
        raise DataError(f"{path}: {LABELS} must begin with BlockId,Label, not {','.join(frame.columns)[:60]!r}")
    frame = frame.select(unit="BlockId", name=pl.col("Label").str.strip_chars())
    again = frame["unit"].n_unique() < len(frame)
    if again:
        frame = frame.unique(maintain_order=True)
    wrong = frame.filter(~pl.col("name").is_in(["Normal", "Anomaly"]).fill_null(False))
    if len(wrong):
        unit, name = wrong.row(0)
        raise DataError(f"{path}: {LABELS} labels {unit} {name!r}: expected Normal or Anomaly")
    if again and (twice := frame.filter(pl.col("unit").is_duplicated())["unit"].to_list()):
        raise DataError(f"{path}: {LABELS} gives {twice[0]} both labels; remove one")
    return frame.select("unit", label=(pl.col("name") == "Anomaly").cast(pl.Int8))
