"""`hdfs-sim`: a seeded simulation of HDFS block life cycles, as raw log lines and block labels.

Modelled: jobs that write bursts of blocks over 38 hours; allocation, a pipeline of three nodes, their responders
and reports, verification, reads by competing clients, copies of lost replicas, deletion; clocks and pauses that
shuffle neighbouring lines; the ways in which a block goes wrong, in the proportions of the real corpus; events
that appear late. Calibrated figures and their sources are in `sim_figures.py`, load and shares of jobs in
`sim_jobs.py`.

Not modelled: contents, real nodes, files or users, the exceptions' many wordings, failures that spread from one
node to others, anything about one block that depends on another one (but the lines that name two). It is
simulated: nothing measured on it may be set against figures published for HDFS_v1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from logbench import Progress

from . import sim_faults, sim_lifecycle
from .hdfs_sim_config import HdfsSimConfig
from .sim_figures import ANOMALIES, ANOMALY_SHARE, RARE_HOURS, RARE_NORMAL, Kind
from .sim_jobs import job_of, starts
from .sim_lifecycle import Batch
from .sim_text import U64, Writer

# What kind of anomaly each anomalous block is; it stands beside the labels, in a file that no digest covers.
TYPES = "preprocessed/anomaly_type.csv"
BATCH = 8192  # blocks simulated at once
SLICE = 131_072  # lines rendered at once
AHEAD = 3  # slices rendered before their turn


def generate(config: HdfsSimConfig, folder: Path, progress: Progress) -> None:
    """Write `HDFS.log`, `preprocessed/anomaly_label.csv` (`BlockId,Label`) and `TYPES` (`BlockId,Type`).

    Lines are in order of time, labels in the order in which blocks are first seen. The same bytes for the same
    configuration. Memory: 8 bytes a line that waits for its turn and about 40 a block. Labels are written last.

    Raises:
        OSError: the folder cannot be written.
    """
    (folder / "preprocessed").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([config.data_seed, 0])
    writer = Writer(config.blocks, config.data_seed)
    start = starts(config.blocks, rng)
    kind = draw_kinds(start, rng)
    seen = np.zeros(config.blocks, dtype=np.uint64)
    with (folder / "HDFS.log").open("wb") as file:
        for done, frame in _rendered(_in_order(config, start, kind, seen, writer), writer):
            frame.write_csv(file, include_header=False, separator=" ", quote_style="never")
            progress(done, config.blocks, "blocks simulated")
    order = np.argsort(seen)
    anomalous = kind[order] >= Kind.ABANDONED
    labels = pl.DataFrame({"id": writer.ids[order], "anomalous": anomalous}).select(
        pl.concat_str(pl.lit("blk_"), pl.col("id")).alias("BlockId"),
        pl.when("anomalous").then(pl.lit("Anomaly")).otherwise(pl.lit("Normal")).alias("Label"),
    )
    labels.write_csv(folder / "preprocessed" / "anomaly_label.csv")
    names = pl.Series("Type", [name_of(Kind(value)) for value in kind[order][anomalous]], dtype=pl.String)
    labels.filter(anomalous).select("BlockId", names).write_csv(folder / TYPES)


def name_of(kind: Kind) -> str:
    """A kind of anomaly in words, such as `delete error`."""
    return kind.name.lower().replace("_", " ")


def _rendered(events: Iterable[tuple[int, U64]], writer: Writer) -> Iterator[tuple[int, pl.DataFrame]]:
    """Lines in order, rendered a few slices ahead by two threads (numpy and polars release the lock)."""
    slices = (
        (done, packed[begin : begin + SLICE]) for done, packed in events for begin in range(0, len(packed), SLICE)
    )
    ahead: deque[tuple[int, Future[pl.DataFrame]]] = deque()
    with ThreadPoolExecutor(2) as threads:
        for done, packed in slices:
            ahead.append((done, threads.submit(writer.frame, packed)))
            if len(ahead) > AHEAD:
                yield _finished(ahead.popleft())
        yield from map(_finished, ahead)


def _finished(rendered: tuple[int, Future[pl.DataFrame]]) -> tuple[int, pl.DataFrame]:
    return rendered[0], rendered[1].result()


def _in_order(
    config: HdfsSimConfig, start: NDArray[np.int64], kind: NDArray[np.uint8], seen: U64, writer: Writer
) -> Iterator[tuple[int, U64]]:
    """Sorted events, as soon as no later block can precede them, with the number of simulated blocks."""
    waiting = np.empty(0, dtype=np.uint64)
    rank = ranks(kind)
    for number, begin in enumerate(range(0, config.blocks, BATCH)):
        here = slice(begin, min(begin + BATCH, config.blocks))
        rng = np.random.default_rng([config.data_seed, 1 + number])
        events = simulate(
            Batch(rng, np.arange(here.start, here.stop), start[here], job_of(start[here]), kind[here], rank[here]),
            writer.mates,
        )
        _first_seen(events, seen, here)
        waiting = np.concatenate([waiting, events])
        if here.stop < config.blocks:
            ready = waiting < np.uint64(start[here.stop]) << np.uint64(36)
            yield here.stop, np.sort(waiting[ready])
            waiting = waiting[~ready]
    yield config.blocks, np.sort(waiting)


def _first_seen(events: U64, seen: U64, here: slice) -> None:
    """Smallest event of each block of a batch. Every life begins with its own line, never as another's mate."""
    seen[here] = np.iinfo(np.uint64).max
    np.minimum.at(seen, (events >> np.uint64(12) & np.uint64((1 << 24) - 1)).astype(np.int64), events)


def simulate(batch: Batch, mates: NDArray[np.int32]) -> U64:
    """All events of a batch, packed, in no order."""
    sim_faults.plan(batch)
    sim_lifecycle.receive(batch)
    sim_lifecycle.close(batch)
    sim_lifecycle.verify(batch)
    sim_lifecycle.read(batch)
    sim_lifecycle.delete(batch)
    sim_faults.copies(batch, mates)
    sim_faults.reports(batch)
    sim_faults.pipelines(batch)
    return np.concatenate(batch.events)


def draw_kinds(start: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The `Kind` of each block: exact shares in random places, rare normal kinds only in their hours."""
    blocks = len(start)
    kind = np.zeros(blocks, dtype=np.uint8)
    anomalous = rng.permutation(blocks)[: max(1, round(ANOMALY_SHARE * blocks))]
    bounds = np.round(np.cumsum(list(ANOMALIES.values())) * len(anomalous)).astype(np.int64)
    kind[anomalous] = np.repeat([int(k) for k in ANOMALIES], np.diff(bounds, prepend=0))
    for rare, share in RARE_NORMAL.items():
        since, until = (hour * 3_600_000 for hour in RARE_HOURS[rare])
        eligible = np.flatnonzero((kind == Kind.PLAIN) & (start >= since) & (start < until))
        kind[rng.permutation(eligible)[: round(share * (blocks - len(anomalous)))]] = rare
    return kind


def ranks(kind: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Running number of each block among the blocks of its kind."""
    rank = np.empty(len(kind), dtype=np.int64)
    for value in np.unique(kind):
        rank[kind == value] = np.arange(int((kind == value).sum()))
    return rank
