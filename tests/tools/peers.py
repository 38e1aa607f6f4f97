"""Beside others: raw HDFS file to keys by block, by logbench, by Drain line by line, and by LogLead.

usage: peers.py DATA [COPIES]     DATA: HDFS_v1.zip (or a sample of it); COPIES: times its size, default 1
Each does the same work on the same file in a process of its own, one after another: read, take out the block,
mask, Drain, group by block, join the labels. Times and peak memory are of whole processes, interpreter and
imports included. LogLead needs an older polars, so it gets an environment of its own, made on first use.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path

from tabulate import tabulate

LOGLEAD = "loglead==2.0.0"
BLOCK = re.compile(rb"blk_(-?)(\d+)")

OURS = """
import sys
from pathlib import Path
import logbench
from logbench.running.resolve import Plan, resolve
from logbench.running.runtime import Runtime
from logbench.running.prepare import Shared, prepare
from logbench.base.progress_bars import Bars
from logbench.components.registry import Registry
from logbench.running.stages import Stages
registry = Registry()
plan = Plan(model="new-event+length", dataset="hdfs", data=Path(sys.argv[1]), cache=False)
runtime = Runtime.here(registry)
done = prepare(resolve(plan, registry), runtime, Stages(runtime), print)
print(done.grouped.facts["lines"], len(done.sessions), len(done.vocabulary.templates))
"""
LINE_BY_LINE = """
import re, sys
from pathlib import Path
import polars as pl
from logbench_parsers import DrainConfig
from logbench_parsers.drain import DrainParser
folder = Path(sys.argv[1])
parser = DrainParser(DrainConfig())
masks = [(re.compile(pattern), text) for pattern, text in parser.masks]
labels = dict(line.split(",") for line in (folder / "preprocessed/anomaly_label.csv").read_text().splitlines()[1:])
blocks, lines = {}, 0
messages = []
with (folder / "HDFS.log").open(encoding="utf-8") as log:
    for lines, line in enumerate(log, 1):
        message = line.rstrip("\\n").partition(": ")[2]
        named = dict.fromkeys(re.findall("blk_-?[0-9]+", message))
        for pattern, text in masks:
            message = pattern.sub(text, message)
        messages.append(message)
        for block in named:
            blocks.setdefault(block, []).append(lines - 1)
keys = parser.fit(pl.Series(messages))
sessions = {block: ([int(keys[n]) for n in numbers], labels.get(block)) for block, numbers in blocks.items()}
print(lines, len(sessions), len(parser.templates))
"""
THEIRS = """
import sys
from loglead.loaders import HDFSLoader
from loglead.enhancers import EventLogEnhancer
import polars as pl
log, labels = (f"{sys.argv[1]}/{name}" for name in ("HDFS.log", "preprocessed/anomaly_label.csv"))
loader = HDFSLoader(filename=log, labels_file_name=labels)
frame = loader.execute()
enhancer = EventLogEnhancer(frame)
frame = enhancer.mask()
frame = enhancer.parse_drain()
sequences = frame.group_by("seq_id", maintain_order=True).agg(pl.col("e_event_drain_id"))
sequences = sequences.join(loader.df_seq, on="seq_id", how="left")
print(len(frame), len(sequences), frame["e_event_drain_id"].n_unique())
"""


def expand(archive: Path, copies: int, folder: Path) -> None:
    """Write the log `copies` times, block ids of each copy rewritten, and the labels likewise."""
    (folder / "preprocessed").mkdir(parents=True)
    with zipfile.ZipFile(archive) as source:
        log, labels = source.read("HDFS.log"), source.read("preprocessed/anomaly_label.csv")
    header, _, rows = labels.partition(b"\n")
    with (
        (folder / "HDFS.log").open("wb") as lines,
        (folder / "preprocessed/anomaly_label.csv").open("wb") as table,
    ):
        table.write(header + b"\n")
        for copy in range(copies):
            for file, data in ((lines, log), (table, rows)):
                tag = str(copy).encode()
                file.write(BLOCK.sub(rb"blk_\g<1>\g<2>" + tag, data) if copy else data)


def measure(python: str, code: str, folder: Path) -> tuple[float, float, str]:
    """Wall seconds and peak MB of a process, and what it printed."""
    started = time.perf_counter()
    env = {**os.environ, "LOGBENCH_CACHE": str(folder / "cache")}
    running = subprocess.Popen([python, "-c", code, str(folder)], stdout=subprocess.PIPE, env=env, text=True)
    assert running.stdout is not None
    said = running.stdout.read()
    _, status, usage = os.wait4(running.pid, 0)
    if status:
        sys.exit(f"peers: a process failed with status {status}")
    return time.perf_counter() - started, peak_mb(usage), said.strip().splitlines()[-1]


def peak_mb(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def loglead_python(place: Path) -> str:
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        env = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
        subprocess.run([python, "-m", "pip", "install", "--quiet", LOGLEAD], check=True, env=env)
    return str(python)


def main(data: str, copies: str = "1", place: str = "") -> None:
    theirs = loglead_python(Path(place or Path(sys.prefix) / "loglead"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "data"
        expand(Path(data), int(copies), folder)
        jobs = {"logbench": (sys.executable, OURS), "Drain line by line": (sys.executable, LINE_BY_LINE),
                LOGLEAD: (theirs, THEIRS)}  # fmt: skip
        rows = []
        for name, (python, code) in jobs.items():
            wall, peak, said = measure(python, code, folder)
            lines, sessions, templates = map(int, said.split())
            rows.append([name, lines, sessions, templates, wall, lines / wall, peak])
    first = rows[0]
    table = [[*row, row[4] / first[4], row[6] / first[6]] for row in rows]
    headers = ["", "lines", "sessions", "templates", "wall s", "lines/s", "peak MB", "time ×", "memory ×"]
    print(tabulate(table, headers=headers, floatfmt=",.1f", intfmt=","))
    print("logbench learns templates from the training blocks only; the others from every line.")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
