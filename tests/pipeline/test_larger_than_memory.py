"""Memory stays bounded while a log grows: a scaled-down `tox -e large`.

The log is packed: a plain one is mapped into memory by polars, and its pages, though the system may take them
back at any time, count into the peak.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

CODE = """
import resource, sys
from pathlib import Path
from logbench.api.plan import Plan
from logbench.data import event_buffer
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import group_lines
from logbench.components.registry import Registry
from logbench.running.resolve import resolve

event_buffer.IN_MEMORY = 50_000
resolved = resolve(Plan(model="new-event", dataset="hdfs"), Registry())
opened, parser = resolved.dataset.build().read(Path(sys.argv[1])), resolved.parser.build()
grouped = group_lines(read_lines(opened, resolved.windower.build(), parser, lambda *_: None, True), parser)
print(grouped.facts["lines"], len(grouped), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
LINE = "081109 2035{:02d} 143 INFO dfs.DataNode: Receiving block blk_{} src: /10.0.{}.{}:4{:04d} dest: /10.0.0.1\n"


def peak(path: Path, lines: int) -> tuple[int, int]:
    """Unpacked size of a log of so many lines, and the peak of memory that grouping it takes, both in bytes."""
    size = 0
    with gzip.open(path, "wt", compresslevel=1) as file:
        for start in range(0, lines, 10_000):
            rows = range(start, min(start + 10_000, lines))
            size += file.write("".join(LINE.format(i % 60, i % 2000, i % 250, i % 7, i % 9999) for i in rows))
    done = subprocess.run([sys.executable, "-c", CODE, str(path)], capture_output=True, text=True, check=False,
                          env={**os.environ, "POLARS_MAX_THREADS": "2"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    read, units, memory = map(int, done.stdout.split())
    assert (read, units) == (lines, 2000), "no line is lost"
    return size, memory


def test_memory_grows_by_less_than_half_of_what_the_log_grows_by(tmp_path: Path) -> None:
    small, before = peak(tmp_path / "small.log.gz", 1_000_000)
    large, after = peak(tmp_path / "large.log.gz", 3_000_000)
    assert after - before < 0.5 * (large - small), f"{before / 1e6:.0f} MB, then {after / 1e6:.0f} MB"
