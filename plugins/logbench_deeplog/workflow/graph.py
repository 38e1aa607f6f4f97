"""The order of a task's keys: steps, branches, loops, and keys that come in any order (sections 4.1 and 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .expectations import Expectations


@dataclass(frozen=True)
class Workflow:
    """A task as a graph.

    Attributes:
        keys: its keys, in the order in which they come first.
        count: events of its keys.
        steps: share of the times that the second key is next in the task after the first, if above the cut-off.
        concurrent: sets of keys that come in any order; steps within one are no flow.
        loops: steps that lead back.
        starts, ends: share of units that begin and end the task with a key.
    """

    keys: tuple[int, ...]
    count: int
    steps: Mapping[tuple[int, int], float]
    concurrent: tuple[frozenset[int], ...]
    loops: frozenset[tuple[int, int]]
    starts: Mapping[int, float]
    ends: Mapping[int, float]

    def after(self, key: int | None) -> dict[int, float]:
        """What may come next in the task after `key` (None: at its begin), likeliest first."""
        follow = self.starts if key is None else {b: share for (a, b), share in self.steps.items() if a == key}
        return dict(sorted(follow.items(), key=lambda one: -one[1]))

    @property
    def branches(self) -> list[int]:
        """Keys after which one of several others comes, which are not in any order."""
        return [key for key in self.keys if len(self._ways(key)) > 1]

    def _ways(self, key: int) -> set[frozenset[int]]:
        around = {one for group in self.concurrent if key in group for one in group}
        ahead = [b for b in self.after(key) if (key, b) not in self.loops and b not in around]
        return {next((group for group in self.concurrent if b in group), frozenset({b})) for b in ahead}


def workflow_of(given: Expectations, task: list[int], cut: float) -> Workflow:
    """The workflow of a task, from what is expected next among its keys.

    Args:
        cut: smaller shares are no step.
    """
    own = np.flatnonzero(np.isin(given.keys, task))
    number = {key: at for at, key in enumerate(task)}
    keys = np.array([number[key] for key in given.keys[own].tolist()], dtype=np.int64)
    units = given.units[own]
    likely = given.likely[own][:, task]
    likely = likely / np.maximum(likely.sum(1, keepdims=True), 1e-12)
    first = np.concatenate([[True], units[1:] != units[:-1]])
    last = np.concatenate([units[1:] != units[:-1], [True]])
    pairs = _sums(keys, likely, np.flatnonzero(~first), len(task))  # [before, next]
    share = pairs / np.maximum(pairs.sum(1, keepdims=True), 1e-9)
    there = share >= cut
    third = np.flatnonzero(~first & ~np.concatenate([[True], first[:-1]]))
    returns = np.zeros_like(share)  # of a then b, how often a comes next again
    for a in range(len(task)):
        own_pairs = third[keys[third - 2] == a]
        again = _sums(keys, likely, own_pairs, len(task))
        returns[a] = again[:, a] / np.maximum(again.sum(1), 1e-9)
    both = there & there.T & (returns < cut) & (cut > returns.T)
    np.fill_diagonal(both, False)
    groups = connected_components(csr_matrix(both), directed=False)[1]
    steps = {(a, b): float(share[a, b]) for a, b in np.argwhere(there).tolist()}
    begin = np.bincount(keys[first], minlength=len(task))
    order, loops = _walked(share * there * (groups[:, None] != groups), np.argsort(-begin, kind="stable"))
    loops |= {(a, b) for a, b in steps if a == b}
    sets = [np.flatnonzero(groups == one) for one in np.unique(groups)]
    names = np.array(task)

    def shares(chosen: NDArray[np.bool_]) -> dict[int, float]:
        part = np.bincount(keys[chosen], minlength=len(task)) / max(int(chosen.sum()), 1)
        return {int(names[at]): float(part[at]) for at in np.argsort(-part, kind="stable") if part[at] >= cut}

    return Workflow(
        keys=tuple(names[order].tolist()),
        count=len(own),
        steps={(int(names[a]), int(names[b])): one for (a, b), one in steps.items()},
        concurrent=tuple(frozenset(names[one].tolist()) for one in sets if len(one) > 1),
        loops=frozenset((int(names[a]), int(names[b])) for a, b in loops),
        starts=shares(first),
        ends=shares(last),
    )


def _sums(
    keys: NDArray[np.int64], likely: NDArray[np.float64], events: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """Likelihoods of `events` summed by the key that came before, float64 [keys, keys]."""
    found = np.zeros((size, size))
    np.add.at(found, keys[events - 1], likely[events])
    return found


def _walked(steps: NDArray[np.float64], begin: NDArray[np.int64]) -> tuple[list[int], set[tuple[int, int]]]:
    """Keys in an order in which steps lead on, and the steps that lead back: to a key on the way to their own.

    Args:
        steps: float64 [keys, keys], 0 for none; the likelier is walked first. begin: keys to begin with, in turn.
    """
    done: list[int] = []
    back: set[tuple[int, int]] = set()
    state = np.zeros(len(steps), dtype=np.int8)  # 1: on the way, 2: left
    for start in begin.tolist():
        way = [(start, iter(_ahead(steps[start])))] if not state[start] else []
        state[start] = max(state[start], 1)
        while way:
            key, ahead = way[-1]
            for other in ahead:
                if state[other] == 1:
                    back.add((key, other))
                elif not state[other]:
                    state[other] = 1
                    way.append((other, iter(_ahead(steps[other]))))
                    break
            else:
                state[key] = 2
                done.append(key)
                way.pop()
    return done[::-1], back


def _ahead(steps: NDArray[np.float64]) -> list[int]:
    return [one for one in np.argsort(-steps, kind="stable").tolist() if steps[one] > 0]


@dataclass(frozen=True)
class Departure:
    """Where a unit left its workflow.

    Attributes:
        event: place in the unit, from 0; the number of its events where it ended too early.
        key: that came; None where the unit ended.
        workflow: number of the key's workflow among all; None for a key of none.
        before: the key before it in the workflow; None at its begin.
        expected: what may have come, likeliest first, with shares.
    """

    event: int
    key: int | None
    workflow: int | None
    before: int | None
    expected: Mapping[int, float]


def departures(keys: list[int], workflows: list[Workflow]) -> list[Departure]:
    """Where a unit of these keys leaves its workflows, in order."""
    of = {key: number for number, one in enumerate(workflows) for key in one.keys}
    last: dict[int, int] = {}
    found = []
    for event, key in enumerate(keys):
        number = of.get(key)
        if number is None:
            before = last.get(of.get(keys[event - 1], -1)) if event else None
            expected = workflows[of[before]].after(before) if before is not None else {}
            found.append(Departure(event, key, None, before, expected))
            continue
        expected = workflows[number].after(last.get(number))
        if key not in expected:
            found.append(Departure(event, key, number, last.get(number), expected))
        last[number] = key
    for number, key in last.items():
        if key not in workflows[number].ends:
            found.append(Departure(len(keys), None, number, key, workflows[number].after(key)))
    return found
