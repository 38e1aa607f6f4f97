"""Compute a few items ahead in threads, in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")
# One thread a core: what is computed, such as a regular expression of polars, runs on one.
WORKERS = min(8, os.cpu_count() or 1)


def ahead(function: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """Yield `function` of each item, in order; threads work a few items ahead."""
    waiting: deque[Future[U]] = deque()
    pool = ThreadPoolExecutor(WORKERS)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # a pass that stops early may be collected in one of these threads, which cannot wait for itself
        pool.shutdown(wait=False, cancel_futures=True)
