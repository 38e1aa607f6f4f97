"""Reading and grouping HDFS lines by polars and by the compiled kernel: `tox -e kernel -- HDFS_v1.zip [COPIES]`.

The log is written COPIES times (by default 10), with other blocks in each. Each way reads it in a process of its
own, in turn, three times, and both must give the same groups. CPU seconds hardly depend on how busy the machine
is, so the table shows them, of the fastest turn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import expand
from tabulate import tabulate

ROUNDS = 3
READ = """
import hashlib, json, os, resource, sys, time
from pathlib import Path
from logbench.base.progress import silent
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import group_lines
from logbench_datasets.hdfs import Hdfs
from logbench_parsers import DrainConfig
from logbench_parsers.drain import DrainParser
from logbench_windowers.session import Session
def now():
    used = os.times()
    return time.perf_counter(), used.user + used.system
lines, parser, windower = Hdfs().read(Path(sys.argv[1])), DrainParser(DrainConfig()), Session("", "id")
begin = now()
read = read_lines(lines, windower, parser, silent, times=True)
between = now()
grouped = group_lines(read, parser, windower=windower)
end = now()
parts = (grouped.offsets, grouped.codes, grouped.lines, grouped.times)
told = b"".join(part.tobytes() for part in parts)
told += str([grouped.units.rows(), grouped.messages.to_list()]).encode()
print(json.dumps({
    "lines": read.lines, "read_cpu_s": between[1] - begin[1], "group_cpu_s": end[1] - between[1],
    "wall_s": end[0] - begin[0], "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    "groups": hashlib.sha256(told).hexdigest()}))
"""


def measured(folder: Path, way: str) -> dict[str, float]:
    """What one way needs, in a process of its own."""
    environment = {**os.environ, "LOGBENCH_KERNEL": way}
    words = [sys.executable, "-c", READ, str(folder)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(archive: str, copies: str = "10") -> None:
    with tempfile.TemporaryDirectory() as folder:
        expand(Path(archive), int(copies), Path(folder))
        turns = [{way: measured(Path(folder), way) for way in ("off", "on")} for _ in range(ROUNDS)]
    if len({one["groups"] for turn in turns for one in turn.values()}) != 1:
        sys.exit("the groups differ")
    rows = []
    for way, name in (("off", "polars"), ("on", "compiled kernel")):
        best = min((turn[way] for turn in turns), key=lambda one: one["read_cpu_s"] + one["group_cpu_s"])
        total = best["read_cpu_s"] + best["group_cpu_s"]
        rows.append({
            "lines by": name, "million lines": best["lines"] / 1e6, "read, CPU s": best["read_cpu_s"],
            "group, CPU s": best["group_cpu_s"], "million lines a CPU s": best["lines"] / 1e6 / total,
            "wall s": best["wall_s"], "peak MB": best["peak_mb"],
        })  # fmt: skip
    print(tabulate(rows, headers="keys", tablefmt="github", floatfmt=".2f", intfmt=","))


if __name__ == "__main__":
    main(*sys.argv[1:])
