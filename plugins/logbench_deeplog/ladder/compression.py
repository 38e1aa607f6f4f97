"""What every way of making a trained DeepLog smaller or faster takes, and which verdicts it changes."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from logbench import interval
from logbench.torch import worst_per_unit

from .checkpointing import saved_for_backward
from .measurement import Memory
from .rungs import Ranks, rungs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Histories, Progress, Sessions

    from ..model import DeepLog

BATCHES = (1, 512)


def compress(
    model: DeepLog, train: Sessions, test: Sessions, context: Context, seconds: float, progress: Progress
) -> list[dict[str, Any]]:
    """Every rung as a row: size, memory, windows a second, F1 with its interval, verdicts that change.

    Args:
        test: labelled units. seconds: for each measurement of speed.
    """
    histories = test.histories(model.config.h, model.config.pad)
    windows = histories.distinct_windows.astype(np.int64)
    rows: list[dict[str, Any]] = []
    first: NDArray[np.bool_] | None = None
    with tempfile.TemporaryDirectory() as folder:
        every = list(rungs(model, train, windows, context, Path(folder)))
        for rung in every:
            progress(len(rows), len(every) + 1, rung.name)
            row: dict[str, Any] = {"name": rung.name, "skipped": rung.skip}
            rows.append(row)
            if rung.make is None:
                continue
            try:
                with _silent():
                    rank, size, note = rung.make()
                    row |= {"size_bytes": size, "note": note, **_speed(rank, windows, seconds)}
                    with Memory(context.device) as memory:
                        verdicts = _verdicts(rank, windows, histories, model.config.g)
            except (ImportError, NotImplementedError, RuntimeError) as error:
                row["skipped"] = f"not on this machine: {_first(error)}"
                continue
            first = verdicts if first is None else first
            row |= {"memory_mb": memory.added_mb, **_quality(verdicts, first, test)}
    rows.append(saved_for_backward(model, train, context))
    return rows


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Within, quantisers and compilers say nothing of their own."""
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _speed(rank: Ranks, windows: NDArray[np.int64], seconds: float) -> dict[str, float]:
    """Windows a second of wall time, one at a time and in batches, after a warm-up."""
    result = {}
    for batch in BATCHES:
        some = np.ascontiguousarray(np.resize(windows, (batch, windows.shape[1])))
        for _ in range(3):
            rank(some)
        times: list[float] = []
        until = time.perf_counter() + seconds
        while not times or time.perf_counter() < until:
            began = time.perf_counter()
            rank(some)
            times.append(time.perf_counter() - began)
        result[f"per_s_{batch}"] = batch / float(np.median(times))
    return result


def _verdicts(rank: Ranks, windows: NDArray[np.int64], histories: Histories, g: int) -> NDArray[np.bool_]:
    parts = [rank(windows[begin : begin + 512]) for begin in range(0, len(windows), 512)]
    each = np.concatenate(parts).astype(np.int32)[histories.distinct.inverse]
    worst, _ = worst_per_unit(each, histories)
    return worst > g


def _quality(verdicts: NDArray[np.bool_], first: NDArray[np.bool_], test: Sessions) -> dict[str, Any]:
    assert test.labels is not None
    known = test.labels >= 0
    units = pl.DataFrame(
        {
            "label": test.labels[known],
            "verdict": verdicts[known],
            "weight": test.weights[known],
            "sequence": test.distinct.inverse[known],
        }
    )
    found = interval(units, "f1")
    return {
        "f1": found.value,
        "f1_low": found.low,
        "f1_high": found.high,
        "verdicts_changed": int((verdicts != first).sum()),
        "units": len(verdicts),
    }


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
