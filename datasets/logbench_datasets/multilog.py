"""MultiLog (Zhang et al., 2024): a database of six nodes with injected faults, labelled by line."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import Card

from . import works

if TYPE_CHECKING:
    import polars as pl

    from logbench import Lines

CARD = Card(
    title="MultiLog: Apache IoTDB on six nodes, faults injected for some seconds, labelled by line",
    label="a line is anomalous where no `- ` stands before it: it falls into the time of an injected fault",
    layout="a folder with label1.log … label6.log of one scenario (cpu/ or shutdown_multi/, say), packed or not",
    parser="drain",
    windower="time",
    protocol="random-half",
    unit="window",
    citation="Zhang et al. (MultiLog), 2024, arXiv 2406.07976",
    cite=(works.MULTILOG,),
    faults=(
        "a label is a stretch of time of the whole database: most lines in it are as always",
        "the lines of all nodes are taken in order of time, as their clocks say it",
        "a scenario lasts under a minute, so windows are of a second, and few; its last ones may hold one class",
        "so a random half of the windows trains: neighbours in time of what is tested",
    ),
    settings={"time": {"size": "1s"}},
)
LINE = (
    r"^(?P<Label>-?) ?(?P<Date>[0-9]{4}-[0-9]{2}-[0-9]{2}) (?P<Time>[0-9:]+,[0-9]+) \[(?P<Thread>.*?)\] "
    r"(?P<Level>[A-Z]+) +(?P<Component>[^ ]+):[0-9]+ - (?P<Content>.*?) *$"
)


class Multilog:
    """Reads the nodes' logs as one, in order of time; lines of one time in order of nodes."""

    def read(self, path: Path) -> Lines:
        """Lines with label, time, level, component and `group`, the node's file; see `Dataset.read`."""
        import polars as pl

        from logbench import LineFormat, open_lines

        form = LineFormat(
            format="regex",
            pattern=LINE,
            time=("Date", "Time"),
            time_format=("%Y-%m-%d %H:%M:%S,%f",),
            level="Level",
            component="Component",
            group="file",
            group_pattern="label[0-9]+",
            label="Label",
            normal=("-",),
        )
        lines = open_lines(path, ["label*.log"], form)
        in_time = lines.frame.sort("time", "line", nulls_last=True).drop("line").with_row_index("line")
        ordered, scenario = in_time.select("line", pl.exclude("line")), path.name.split(".")[0]
        return replace(lines, frame=ordered, form=None, types=partial(types, ordered, scenario))


def types(lines: pl.LazyFrame, scenario: str) -> pl.DataFrame:
    """Columns `line` and `type` of anomalous lines: the scenario, whose faults are of one kind."""
    import polars as pl

    return lines.filter(pl.col("label") == 1).select("line", type=pl.lit(scenario)).collect()
