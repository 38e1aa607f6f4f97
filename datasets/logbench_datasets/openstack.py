"""Loghub OpenStack (Du et al., CCS 2017): life cycles of virtual machines, labelled by instance."""

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

LOGS = ("openstack_normal1.log", "openstack_normal2.log", "openstack_abnormal.log")
LABELS = "anomaly_labels.txt"
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

CARD = Card(
    title="Loghub OpenStack: 207,820 lines, few of which name an instance",
    label=f"an instance is anomalous where {LABELS} names it: a fault was injected into it",
    layout=f"the tar.gz archive, or a folder with {', '.join(LOGS)} and {LABELS}; or one log, without labels",
    parser="drain",
    windower="session",
    protocol="random-half",
    unit="instance",
    url="https://zenodo.org/records/8196385/files/OpenStack.tar.gz",
    size=5_394_691,
    md5="66bd42c07837a094d9b0ea2d036b5713",
    licence="CC-BY-4.0, with Loghub's notice: free for research, cite both papers",
    citation="Du et al., CCS 2017; Zhu et al. (Loghub), ISSRE 2023",
    cite=(
        works.DU,
        works.LOGHUB,
    ),
    faults=(
        "4 instances are labelled anomalous; every other one counts as normal, those of the abnormal log too",
        "53,618 lines name an instance; the others belong to no unit",
    ),
    published={"lines": 207_820, "anomalies": 4},
)


class Openstack:
    """Reads the three logs in order; a unit is an instance that a line names as `[instance: …]`."""

    def read(self, path: Path) -> Lines:
        """Lines with time, level, component and `id`, the instance; see `Dataset.read`."""
        from logbench import LineFormat, open_lines

        packed = ".tar" in path.name or path.suffix in (".tgz", ".zip")
        form = LineFormat(
            pattern=r"<Logrecord> <Date> <Time> <Pid> <Level> <Component> \[<ADDR>\] <Content>",
            time=("Date", "Time"),
            time_format=("%Y-%m-%d %H:%M:%S.%f",),
            level="Level",
            component="Component",
            id="message",
            id_pattern=rf"\[instance: ({UUID})\]",
        )
        lines = open_lines(path, LOGS, form, partial(labels, path) if path.is_dir() or packed else None)
        return replace(
            lines, shown=[column for column in lines.shown if column != "file"]
        )  # one is called abnormal


def labels(path: Path, units: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Columns `unit` and `label`: 1 for instances that `anomaly_labels.txt` names, 0 for all others of the log.

    Raises:
        DataError: it is missing or names no instance.
    """
    import polars as pl

    from logbench import LineFormat, open_lines

    listed = open_lines(path, [LABELS], LineFormat()).frame.select("raw").collect()["raw"]
    named = {unit for line in listed for unit in re.findall(UUID, line)}
    if not named:
        raise DataError(f"{path}: {LABELS} names no instance")
    known = units()
    extra = pl.DataFrame({"unit": sorted(named - set(known["unit"]))}, {"unit": pl.String})
    every = pl.concat([known, extra])
    return every.select("unit", label=pl.col("unit").is_in(list(named)).cast(pl.Int8))
