"""OpenStack of Kalaki et al.: lines of nova, whose instances ran normally or with one of two faults."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import Card

from . import works
from .openstack import UUID

if TYPE_CHECKING:
    import polars as pl

    from logbench import Lines

NORMAL = "openstack-nova-sample*.log"
FAULTS = ("openstack-nova-dhcpoff*.log", "openstack-vm-destroy-immediately-after-create*.log")

# Lines of a traceback have no request.
LINE = r"^(?P<Level>[A-Z]+) (?P<Component>[^ ]+) (?:\[(?P<Request>req-[^\]]*|-)\] )?(?P<Content>.*)$"

CARD = Card(
    title="OpenStack of Kalaki et al.: nova lines without times, two kinds of fault",
    label="an instance is anomalous where its first line stands in a log of a fault",
    layout=f"a folder with {NORMAL}, {FAULTS[0]} and {FAULTS[1]}, packed or not; or one log, without labels",
    parser="drain",
    windower="session",
    protocol="random-half",
    unit="instance",
    licence="GPL-3.0",
    citation="Kalaki et al., 2023 (github.com/ParisaKalaki/openstack-logs)",
    cite=(works.KALAKI,),
    faults=(
        "lines have no times, so neither a chronological split nor a delay can be told",
        "every instance of a log of a fault counts as anomalous: nobody labelled single ones",
        "lines that name no instance belong to no unit",
    ),
)


class OpenstackKalaki:
    """Reads the three logs in order; a unit is an instance that a line names as `[instance: …]`."""

    def read(self, path: Path) -> Lines:
        """Lines with level, component and `id`, the instance; see `Dataset.read`."""
        from logbench import LineFormat, open_lines

        form = LineFormat(
            format="regex",
            pattern=LINE,
            level="Level",
            component="Component",
            id="message",
            id_pattern=rf"\[instance: ({UUID})\]",
        )
        lone = path.is_file() and path.suffix not in (".zip", ".tar", ".tgz") and ".tar" not in path.name
        lines = open_lines(path, [NORMAL, *FAULTS], form)
        # The file's name would tell the label.
        shown = [column for column in lines.shown if column != "file"]
        return replace(lines, shown=shown, labels=None if lone else partial(labels, lines),
                       types=None if lone else partial(types, lines))  # fmt: skip


def labels(lines: Lines) -> pl.DataFrame:
    """Columns `unit` and `label`: 1 for instances whose first line stands in a log of a fault."""
    import polars as pl

    normal = pl.col("file").str.contains("openstack-nova-sample", literal=True)
    return _first(lines).select(unit="id", label=(~normal).cast(pl.Int8)).collect()


def types(lines: Lines) -> pl.DataFrame:
    """Columns `unit` and `type` of instances of a log of a fault, as its name says: `dhcpoff`, say."""
    import polars as pl

    fault = pl.col("file").str.extract(r"openstack-(?:nova-)?(dhcpoff|vm-destroy-immediately-after-create)", 1)
    return _first(lines).select(unit="id", type=fault).drop_nulls().collect()


def _first(lines: Lines) -> pl.LazyFrame:
    """The first line of each instance."""
    import polars as pl

    named = lines.frame.filter(pl.col("id").is_not_null())
    return named.unique("id", keep="first", maintain_order=True)
