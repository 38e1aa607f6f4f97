"""Incidents are the connected parts of a graph of alarms, in whatever order alarms come, and after a restart."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbench.deploy.incidents import Incidents

ALARMS = st.lists(
    st.tuples(
        st.integers(0, 60).map(float),
        st.sampled_from([None, "disk full", "refused"]),
        st.sampled_from([None, "n1", "n2"]),
    ),
    max_size=14,
)  # fmt: skip
GAP = 5.0


def linked(one: tuple, other: tuple) -> bool:  # type: ignore[type-arg]
    near = abs(one[0] - other[0]) <= GAP
    bare = one[1:] == other[1:] == (None, None)
    return near and (bare or (one[1] == other[1] is not None) or (one[2] == other[2] is not None))


def parts(alarms: list[tuple]) -> set[frozenset[int]]:  # type: ignore[type-arg]
    """By spreading labels over pairs until nothing changes."""
    label = list(range(len(alarms)))
    for _ in alarms:
        for a, one in enumerate(alarms):
            for b, other in enumerate(alarms):
                if linked(one, other):
                    label[a] = label[b] = min(label[a], label[b])
    return {frozenset(a for a in range(len(alarms)) if label[a] == name) for name in set(label)}


@given(alarms=ALARMS, seed=st.integers(0, 9), cut=st.integers(0, 14))
def test_they_are_the_parts_that_links_join(alarms: list[tuple], seed: int, cut: int) -> None:  # type: ignore[type-arg]
    order = list(range(len(alarms)))
    random.Random(seed).shuffle(order)
    incidents, begun, merged = Incidents(GAP), set[str](), set[str]()
    for number, a in enumerate(order):
        if number == cut:
            incidents = Incidents.of(GAP, json.loads(json.dumps(incidents.rows())))
        place = incidents.add(str(a), *alarms[a])
        assert place.begins == (place.incident == str(a))
        begun |= {place.incident} if place.begins else set()
        merged |= set(place.merges)
    found: dict[str, set[int]] = {}
    for a in order:
        found.setdefault(incidents.incident(str(a)), set()).add(a)
    assert set(map(frozenset, found.values())) == parts(alarms)
    assert begun - merged == set(found), "each begins once, or is told to be part of another"


def test_what_is_known_stays_where_it_is() -> None:
    incidents = Incidents(GAP)
    assert incidents.add("a", 1.0, "t", None).begins
    again = incidents.add("a", 900.0, "t", None)
    assert (again.incident, again.begins) == ("a", False)


def test_only_the_last_alarms_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbench.deploy.incidents.REMEMBERED", 3)
    incidents = Incidents(GAP)
    for number in range(20):
        incidents.add(str(number), 100.0 * number, "t", None)
    assert incidents.incident("0") == "0", "nothing is forgotten while alarms are added"
    incidents.forget()
    assert len(incidents.rows()) == 3
    assert len(vars(incidents)["_alarms"]) <= 7
    assert incidents.add("late", 1901.0, "t", None).incident == "19"
