"""What `tox -e large -- hdfs FOLDER` runs: read, group, parse a log of any size, with the peak of memory by stage.

For a file larger than memory expand the HDFS sample (1,000 copies are 31 GB) and look at `peak_rss_mb`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tabulate import tabulate

import logbench


def main(dataset: str, path: str) -> None:
    with logbench.Bars() as bars:
        material = logbench.prepare_sessions("new-event", dataset, data=Path(path), cache=False, bars=bars)
    names = ("wall_s", "cpu_s", "items", "items_per_s", "peak_rss_mb")
    rows = [
        {"stage": name, **{n: stage.get(n) for n in names}} for name, stage in material.facts["stages"].items()
    ]
    print(tabulate(rows, headers="keys", floatfmt=",.1f", intfmt=","))


if __name__ == "__main__":
    main(*sys.argv[1:])
