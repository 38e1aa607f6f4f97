"""Loghub Hadoop (Lin et al., ICSE 2016): jobs of a five-machine cluster with injected faults, labelled by job."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import Card, DataError

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import Lines

LABELS, APPLICATION = "abnormal_label.txt", "application_[0-9]+_[0-9]+"

CARD = Card(
    title="Loghub Hadoop: 394,308 lines of 55 applications in 978 files",
    label="an application is anomalous where a machine, the network or a disk was made to fail while it ran",
    layout=f"the zip archive, or a folder with {LABELS} and folders application_*",
    parser="drain",
    windower="session",
    protocol="random-half",
    unit="application",
    url="https://zenodo.org/records/8196385/files/Hadoop.zip",
    size=3_416_419,
    md5="34e28a9943704fd54933e2b455829fcc",
    licence="CC-BY-4.0, with Loghub's notice: free for research, cite both papers",
    citation="Lin et al., ICSE 2016; Zhu et al. (Loghub), ISSRE 2023",
    cite=(
        works.LIN,
        works.LOGHUB,
    ),
    faults=(
        "most applications are anomalous, and there are 55 only",
        "6 labels are disputed (loghub, issue 56)",
        "stack traces go over many lines; they belong to the line before",
    ),
    published={"lines": 394_308, "sessions": 55},
)


class Hadoop:
    """Reads the containers' logs; a unit is an application, as its folder names it.

    Of one file alone, as Loghub's sample is, the lines name it, and there are no labels.
    """

    def read(self, path: Path) -> Lines:
        """Events with time, level, component and `id` and `group`, the application; see `Dataset.read`."""
        from logbench import LineFormat, open_lines

        lone = path.is_file() and path.suffix != ".zip"
        form = LineFormat(
            pattern=r"<Date> <Time> <Level> \[<Process>\] <Component>: <Content>",
            multiline=True,
            time=("Date", "Time"),
            time_format=("%Y-%m-%d %H:%M:%S,%f",),
            level="Level",
            component="Component",
            id="raw" if lone else "file",
            id_pattern=f"({APPLICATION})",
            group="raw" if lone else "file",
            group_pattern=APPLICATION,
        )
        if lone:
            return open_lines(path, ["*.log"], form)
        lines = open_lines(path, ["application_*/*.log"], form, partial(labels, path))
        return replace(lines, types=partial(types, path))


def labels(path: Path, units: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Columns `unit` and `label` of `abnormal_label.txt`."""
    import polars as pl

    faults = read_faults(path)
    return pl.DataFrame(
        {"unit": list(faults), "label": [int(fault != "normal") for fault in faults.values()]},
        {"unit": pl.String, "label": pl.Int8},
    )


def types(path: Path) -> pl.DataFrame:
    """Columns `unit` and `type` of applications below a fault: `machine down`, say."""
    import polars as pl

    faults = {unit: fault for unit, fault in read_faults(path).items() if fault != "normal"}
    return pl.DataFrame(
        {"unit": list(faults), "type": list(faults.values())}, {"unit": pl.String, "type": pl.String}
    )


def read_faults(path: Path) -> dict[str, str]:
    """The fault of each application, or `normal`, of `abnormal_label.txt`, which lists them below it.

    Raises:
        DataError: missing, an application before any fault is named, or one with both labels.
    """
    from logbench import open_layout

    text = open_layout(path, [LABELS])[LABELS].bytes().decode("utf-8", "replace")
    found: dict[str, str] = {}
    fault = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not (named := re.search(APPLICATION, line)):
            heading = re.match(r"\W*(normal|machine down|network disconnection|disk full)\b", line, re.IGNORECASE)
            fault = heading[1].lower() if heading else fault
            continue
        if not fault:
            raise DataError(f"{path}: {LABELS} line {number} names {named[0]} before any fault")
        if (found.setdefault(named[0], fault) == "normal") != (fault == "normal"):
            raise DataError(f"{path}: {LABELS} line {number} gives {named[0]} both labels; remove one")
    return found
