"""Parsers, the lines of real logs, and how a harness puts masks and keys to them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from functools import cache

import polars as pl
import pytest
from real_data import DATA

from logbench_parsers import DrainConfig
from logbench_parsers.drain import DrainParser
from logbench_parsers.hdfs import parser as hdfs_parser
from logbench_parsers.none import Verbatim

SYSTEMS = (
    *(
        "Android",
        "Apache",
        "BGL",
        "HDFS",
        "HPC",
        "Hadoop",
        "HealthApp",
        "Linux",
        "Mac",
        "OpenSSH",
        "OpenStack",
    ),
    *("Proxifier", "Spark", "Thunderbird", "Windows", "Zookeeper"),
)
PARSERS: dict[str, Callable[[], DrainParser | Verbatim]] = {
    "drain": lambda: DrainParser(DrainConfig()),
    "drain, own masks": lambda: DrainParser(DrainConfig(masks=("[0-9]{3}", "user=\\w+"))),
    "drain, only own masks": lambda: DrainParser(DrainConfig(masks=("[0-9]{3}",), builtin_masks=False)),
    "drain, no masks": lambda: DrainParser(DrainConfig(builtin_masks=False)),
    "hdfs": hdfs_parser,
    "none": Verbatim,
}
Pairs = Sequence[tuple[str, str]]


def reduced(messages: pl.Series, pairs: Pairs) -> pl.Series:
    """What the harness does with masks and shapes."""
    for expression, text in pairs:
        messages = messages.str.replace_all(expression, text)
    return messages


def keys_of_lines(parser: DrainParser | Verbatim, lines: pl.Series) -> pl.Series:
    """Keys of all lines, from the distinct masked ones in first-seen order."""
    masked = reduced(lines, parser.masks).alias("masked")
    distinct = masked.unique(maintain_order=True)
    known = pl.DataFrame([distinct, pl.Series("key", parser.fit(distinct))])
    return masked.to_frame().join(known, on="masked", how="left", maintain_order="left")["key"]


def same_groups(a: pl.Series, b: pl.Series) -> bool:
    """Equal up to names."""
    pairs = pl.DataFrame([a.alias("a"), b.alias("b")]).unique()
    return pairs.height == a.n_unique() == b.n_unique()


@cache
def hdfs_lines() -> pl.Series:
    path = DATA / "hdfs_v1_sample" / "HDFS_v1.zip"
    if not path.exists():
        pytest.skip(f"needs {path}")
    with zipfile.ZipFile(path) as archive:
        text = archive.read("HDFS.log").decode()
    # date, time, process, level, component: the message is what follows
    return pl.Series(text.splitlines()).str.replace(r"^(?:\S+ ){4}\S+: ", "")


@cache
def loghub(system: str) -> pl.DataFrame:
    path = DATA / "loghub_2k" / system / f"{system}_2k.log_structured.csv"
    if not path.exists():
        pytest.skip(f"needs {path}")
    return pl.read_csv(path, infer_schema=False).select(pl.col("Content").fill_null(""), "EventId")
