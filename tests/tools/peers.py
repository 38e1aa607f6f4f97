"""Beside others: the same file by logbench and by public tools, interleaved, in CPU seconds.

usage: peers.py DATA [COPIES] [--rounds N] [--only TEXT] [--page FILE]

DATA is HDFS_v1.zip, or a sample of it; COPIES: times its size, default 1. Raw file to keys by block is one table,
DeepLog on the same windows another. Each job is a process of its own, one after another, and all of them again in
each round, so that what else the machine does meets all alike. CPU seconds and peak memory are of whole
processes, interpreter and imports included; a ratio is of one round, shown with the least and most of all rounds.
Each tool has an environment of its own, made on first use; one that cannot be made or fails is named and left
out. `--only` takes jobs whose names contain TEXT, `--page` writes the tables into a page between its marks.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from peer_jobs import DEEP, PACKAGES, RAW, UNITS, Job
from tabulate import tabulate

BLOCK = re.compile(rb"blk_(-?)(\d+)")
# The marks of the page between which tables are written.
BEGIN, END = "<!-- peers: tox -e peers -->", "<!-- peers: end -->"


@dataclass(frozen=True)
class Measure:
    """CPU and wall seconds and peak MB of a process, and the three numbers that it printed last."""

    cpu: float
    wall: float
    peak: float
    said: tuple[int, ...]


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


def measure(job: Job, folder: Path, place: Path) -> Measure | str:
    """Run a job; what went wrong, if it fails."""
    try:
        python, extra = environment(job.environment, place)
    except subprocess.CalledProcessError as error:
        return f"its environment cannot be made: {error}"
    env = {**os.environ, **extra, "LOGBENCH_CACHE": str(folder / "cache")}
    started = time.perf_counter()
    pipe = subprocess.PIPE
    running = subprocess.Popen(
        [python, "-c", job.code, str(folder)], stdout=pipe, stderr=subprocess.STDOUT, env=env, text=True
    )
    assert running.stdout is not None
    said = running.stdout.read().strip().splitlines() or [""]
    _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        return f"failed: {said[-1][:200]}"
    wall, cpu = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
    return Measure(cpu, wall, peak_mb(usage), tuple(map(int, said[-1].split())))


def peak_mb(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def environment(name: str, place: Path) -> tuple[str, Mapping[str, str]]:
    """The interpreter of a tool's environment, made on first use, and variables that it needs.

    Raises:
        CalledProcessError: a package cannot be installed.
    """
    if not name:
        return sys.executable, {}
    folder = place / name
    done, env = folder / "made", {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
    shared = name == "deeplog"  # beside our torch, not in place of it
    python = sys.executable if shared else str(folder / "bin" / "python")
    if not done.exists():
        if not shared:
            venv.create(folder, with_pip=True)
        for packages in PACKAGES[name]:
            where = ["--target", str(folder)] if shared else []
            subprocess.run([python, "-m", "pip", "install", "--quiet", *where, *packages], check=True, env=env)
        done.touch()
    return python, {"PYTHONPATH": str(folder)} if shared else {}


def rounds(jobs: Mapping[str, Job], folder: Path, place: Path, count: int) -> dict[str, list[Measure] | str]:
    """Every job once a round; of one that fails the reason."""
    found: dict[str, list[Measure] | str] = {}
    for number in range(count):
        for name, job in jobs.items():
            before = found.setdefault(name, [])
            if isinstance(before, str):
                continue
            one = measure(job, folder, place)
            if isinstance(one, str):
                found[name] = one
                continue
            before.append(one)
            print(f"round {number + 1}: {name}: {one.cpu:.2f} CPU s", file=sys.stderr, flush=True)
    return found


def table(jobs: Mapping[str, Job], found: Mapping[str, list[Measure] | str], heads: tuple[str, ...]) -> str:
    """A row a job in Markdown; medians, and ratios to the first job of each round."""
    first = next(one for one in found.values() if not isinstance(one, str))
    rows = []
    for name, some in found.items():
        if isinstance(some, str):
            rows.append([name, *[""] * (len(heads) + 4), some])
            continue
        ratios = sorted(one.cpu / base.cpu for one, base in zip(some, first, strict=True))
        spread = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f}–{ratios[-1]:.1f})"
        cpu, wall, peak = (statistics.median(getattr(one, key) for one in some) for key in ("cpu", "wall", "peak"))
        said, cost = (f"{one:,}" for one in some[0].said), (f"{cpu:.2f}", f"{wall:.1f}", f"{peak:,.0f}")
        rows.append([name, *said, *cost, spread, jobs[name].differs])
    headers = ["", *heads, "CPU s", "wall s", "peak MB", "CPU, times the first", "other work"]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("copies", type=int, nargs="?", default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--place", type=Path, default=Path(sys.prefix) / "peers")
    asked = parser.parse_args()
    raw, deep = ({name: job for name, job in jobs.items() if asked.only in name} for jobs in (RAW, DEEP))
    parts, failed = [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "data"
        expand(asked.data, asked.copies, folder)
        if raw:
            found = rounds(raw, folder, asked.place, asked.rounds)
            failed += [name for name, some in found.items() if isinstance(some, str)]
            parts += ["### Raw file to keys by block", "", table(raw, found, ("lines", "blocks", "templates")), ""]
        if deep:
            made = measure(Job("", UNITS), folder, asked.place)
            if isinstance(made, str):
                sys.exit(f"peers: no units for DeepLog: {made}")
            found = rounds(deep, folder, asked.place, asked.rounds)
            failed += [name for name, some in found.items() if isinstance(some, str)]
            heads = ("windows", "units that alarm", "known keys")
            parts += [f"### DeepLog: {made.said[0]:,} units train 5 passes, {made.said[1]:,} are scored", "",
                      table(deep, found, heads), ""]  # fmt: skip
    text = "\n".join(parts)
    print(text)
    if failed:
        sys.exit(f"peers: {', '.join(failed)} failed, so no page was written")
    if asked.page:
        before, _, rest = asked.page.read_text(encoding="utf-8").partition(BEGIN)
        asked.page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
