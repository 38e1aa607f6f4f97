"""Supercomputer logs labelled by line: BGL, Thunderbird, Spirit, Liberty (Oliner and Stearley, DSN 2007)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import Card

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import Lines

CFDR = "http://0b4af6cdc2f0c5998459-c0245c5c937c5dedcca3f1764ecc9b2f.r43.cf2.rackcdn.com/hpc4"
ZENODO = "https://zenodo.org/records/8196385/files"
LOGHUB = "CC-BY-4.0, with Loghub's notice: free for research, cite both papers"
OLINER = "Oliner and Stearley, DSN 2007"

BGL = Card(
    title="BGL: 4.7 million lines of a Blue Gene/L, labelled by line",
    label="a line is anomalous where its first column is not `-`: an alert that administrators tagged",
    layout="the zip archive, or a folder with BGL.log, or that file, packed or not",
    parser="drain",
    windower="time",
    protocol="chronological",
    unit="window",
    url=f"{ZENODO}/BGL.zip",
    size=57_489_019,
    md5="4452953c470f2d95fcb32d5f6e733f7a",
    licence=LOGHUB,
    citation=f"{OLINER}; Zhu et al. (Loghub), ISSRE 2023",
    cite=(
        works.OLINER,
        works.LOGHUB,
    ),
    faults=(
        "some lines have no message after the level; they are kept as empty messages",
        "the copies of Loghub and CFDR differ in labels (line 4,904, say): compare digests",
    ),
    published={"lines": 4_747_963, "anomalous_lines": 348_460},
)
THUNDERBIRD = replace(
    BGL,
    title="Thunderbird: 211 million lines, 29.6 GiB, labelled by line",
    layout="the tar.gz archive, or a folder with Thunderbird.log, or that file, packed or not",
    url=f"{ZENODO}/Thunderbird.tar.gz",
    size=2_016_100_298,
    md5="0891b048df2919dc78c99c4428686b44",
    faults=(
        "holds bytes that are no UTF-8; it is read as latin-1",
        "most papers take a part of it, rarely the same one: say which lines you took",
    ),
    published={"lines": 211_212_192},
)
SPIRIT = replace(
    THUNDERBIRD,
    title="Spirit: 272 million lines, 37.3 GB, labelled by line",
    layout=f"spirit2 or spirit2.gz (from {CFDR}/spirit2.gz, about 906 MB), or a folder with it",
    url="",
    size=0,
    md5="",
    licence="not known; given out by USENIX CFDR",
    citation=OLINER,
    cite=(works.OLINER,),
    faults=(
        "no digest is known, so it is not fetched for you",
        "it is read as latin-1, as Thunderbird must be",
        *THUNDERBIRD.faults[1:],
    ),
    published={"lines": 272_298_969},
)
LIBERTY = replace(
    SPIRIT,
    title="Liberty: 266 million lines, 29.5 GB, labelled by line",
    layout=f"liberty2 or liberty2.gz (from {CFDR}/liberty2.gz, about 672 MB), or a folder with it",
    published={"lines": 265_569_231},
)

BLUE_GENE = "<Label> <Timestamp> <Date> <Node> <Time> <NodeRepeat> <Type> <Component> <Level> <Content>"
# Loghub's pattern, except that a line without a component also matches and the rest is its message.
SYSLOG = (
    r"^(?P<Label>\S+)\s+(?P<Timestamp>[0-9]+)\s+\S+\s+(?P<Node>\S+)\s+\S+\s+\S+\s+\S+\s+\S+\s+"
    r"(?:(?P<Component>.*?)(?:\[[0-9]+\])?:\s+)?(?P<Content>.*)$"
)


class Bgl:
    """Reads `BGL.log`, or another copy of it given as a file."""

    def read(self, path: Path) -> Lines:
        """Lines with label, time (of the column Timestamp), node, component and level; see `Dataset.read`."""
        return _lines(path, ["BGL*.log", "bgl2*"], format="pattern", pattern=BLUE_GENE, level="Level")


class Syslogs:
    """Reads a log of the three clusters that wrote syslog.

    Args:
        names: wildcards for its file in a folder or archive.
    """

    def __init__(self, *names: str) -> None:
        self.names = names

    def read(self, path: Path) -> Lines:
        """Lines with label, time (of the column Timestamp), node and component; see `Dataset.read`."""
        return _lines(path, self.names, format="regex", pattern=SYSLOG, encoding="latin-1")


def _lines(path: Path, names: Any, **form: Any) -> Lines:
    from logbench import LineFormat, open_lines

    common = LineFormat(
        time=("Timestamp",),
        time_format=("epoch",),
        node="Node",
        component="Component",
        label="Label",
        normal=("-",),
        **form,
    )
    lines = open_lines(path, names, common)
    return replace(lines, types=partial(categories, lines))


def categories(lines: Lines) -> pl.DataFrame:
    """Columns `line` and `type` of alerts: the tag in the first column, such as `KERNDTLB`."""
    import polars as pl

    alerts = lines.frame.filter(pl.col("label") == 1)
    return alerts.select("line", type=pl.col("raw").str.extract(r"^(\S+)", 1)).collect()
