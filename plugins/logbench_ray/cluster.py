"""An executor over Ray: a task a plan, as many at once as there are CPUs, started again where a node is lost."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import ray
import ray.exceptions

import logbench

T = TypeVar("T")
# How often a run starts again because its node, or its process of Ray, was lost.
RETRIES = 3
# Seconds between looks at the cluster.
TICK_S = 0.5


@contextmanager
def opened(request: logbench.ExecutorRequest) -> Iterator[OnRay]:
    """Connect to a cluster: at the address, at `RAY_ADDRESS`, running here, or else a new one of this machine.

    Raises:
        ConfigError: no cluster answers.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    address = f"ray://{request.address}" if request.address else os.environ.get("RAY_ADDRESS")
    try:
        with warnings.catch_warnings(action="ignore"):
            if address:
                ray.init(address=address, **quiet)
            else:
                _local(request.jobs, quiet)
    except (ConnectionError, ValueError, OSError, ray.exceptions.RayError) as error:
        where = address or "this machine"
        raise logbench.ConfigError(
            f"--executor ray: no Ray cluster answers at {where} ({_line(error)}); start one: ray start --head"
        ) from None
    try:
        yield OnRay(request)
    finally:
        ray.shutdown()


def _local(jobs: int | None, quiet: dict[str, Any]) -> None:
    """The cluster that runs here, or else a new one, which ends with the command."""
    try:
        ray.init(address="auto", **quiet)
    except ConnectionError:
        ray.init(num_cpus=jobs, include_dashboard=False, **quiet)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


@dataclass(frozen=True)
class Shared:
    """A value in the object store."""

    reference: Any

    def __call__(self) -> bytes:
        """The value, fetched once a node."""
        value: bytes = ray.get(self.reference)
        return value


class OnRay:
    """See `logbench.Executor`. Ray calls a function for each plan in processes of its own."""

    def __init__(self, request: logbench.ExecutorRequest) -> None:
        self._asked, self._note = request.jobs, request.note
        self._call = ray.remote(num_cpus=1, max_retries=RETRIES)(_call)
        self._nodes = _alive()

    @property
    def jobs(self) -> int:
        """Most plans side by side."""
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call, unused-ignore]
        room = max(1, int(resources.get("CPU", 1)))
        return room if self._asked is None else min(self._asked, room)

    def share(self, value: bytes) -> Shared:
        """See `logbench.Shares`."""
        return Shared(ray.put(value))

    def map(
        self, function: Callable[[logbench.Plan], T], plans: Sequence[logbench.Plan]
    ) -> Iterator[tuple[int, T | BaseException]]:
        """See `logbench.Executor`."""
        return self.map_watched(function, plans, lambda _: None)

    def map_watched(
        self, function: Callable[[logbench.Plan], T], plans: Sequence[logbench.Plan], watch: Any
    ) -> Iterator[tuple[int, T | BaseException]]:
        """See `logbench.Watched`."""
        waiting, running = deque(enumerate(plans)), dict[Any, int]()
        try:
            while waiting or running:
                room = self.jobs
                while waiting and len(running) < room:
                    number, plan = waiting.popleft()
                    running[self._call.remote(function, plan)] = number
                watch(dict.fromkeys(running.values(), logbench.Running("on Ray")))
                ended, _ = ray.wait(list(running), timeout=TICK_S)
                self._tell_lost()
                for one in ended:
                    yield running.pop(one), _answer(one)
        finally:
            for one in running:  # the command was interrupted
                ray.cancel(one, force=True)

    def _tell_lost(self) -> None:
        alive = _alive()
        for node in sorted(self._nodes - alive):
            self._note(f"lost the node {node}; its runs start again on the others")
        self._nodes = alive


def _call(function: Callable[[Any], Any], plan: Any) -> Any:
    return function(plan)


def _alive() -> set[str]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call, unused-ignore]
    return {f"{node['NodeManagerHostname']} {node['NodeID'][:8]}" for node in nodes if node["Alive"]}


def _answer(reference: Any) -> Any:
    """What the function returned, or the error that it raised or that says how its process ended."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        return error.cause if isinstance(error.cause, Exception) else error
    except ray.exceptions.RayError as error:
        return RuntimeError(f"Ray lost this run {RETRIES + 1} times: {_line(error)}")
