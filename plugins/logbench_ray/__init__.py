"""Runs on a Ray cluster: `--executor ray` or `--executor ray://HOST:10001`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import logbench


def _open(request: logbench.ExecutorRequest) -> AbstractContextManager[logbench.Executor]:
    from .cluster import opened  # it loads Ray

    return opened(request)


@logbench.hookimpl
def logbench_executors() -> Iterator[logbench.ExecutorComponent]:
    """Offer Ray."""
    yield logbench.ExecutorComponent(
        "ray", _open, summary="runs on the machines of a Ray cluster", requires=("ray",)
    )
