"""Invariants between counts: those of made counts are found, and hold."""

from __future__ import annotations

import numpy as np
from classic_models import KNOWN, SEQUENCES, Floats, alarms, build, fitted, scores, table
from hypothesis import given, settings

from logbench import Context, Sessions
from logbench_classic.invariants import Miner
from logbench_classic.options import Invariants as InvariantsConfig


def made_counts(units: int, broken: int) -> Floats:
    """Events 0 + 1 = 2 and 3 = 2 × 4, event 5 free, event 6 never; the last units break the first relation."""
    rng = np.random.default_rng(7)
    a, b, d, f = (rng.integers(1, 30, units) for _ in range(4))
    rows = np.stack([a, b, a + b, 2 * d, d, f, 0 * a], axis=1).astype(float)
    if broken:
        rows[-broken:, 2] += 9
    return rows


def test_known_invariants_are_found() -> None:
    rows = made_counts(500, broken=5)
    miner = Miner(rows, np.full(500, 1 / 500), InvariantsConfig())
    found = miner.search()
    assert miner.dimension == 2 + 1 and not miner.stopped
    assert set(found) == {(6,), (3, 4), (0, 1, 2)}
    assert abs(found[3, 4][1] / found[3, 4][0]) == 2 and found[3, 4].prod() < 0
    first, second, third = found[0, 1, 2]
    assert first == second == -third and abs(first) == 1


def test_broken_invariants_alarm_and_name_an_event_of_theirs() -> None:
    rows = made_counts(500, broken=5).astype(int)
    sessions = Sessions.of([np.repeat(np.arange(7), row).tolist() for row in rows], 7)
    found = scores(fitted("invariants", sessions), sessions)
    assert np.flatnonzero(alarms("invariants", found)).tolist() == list(range(495, 500))
    assert np.allclose(found.primary[-5:], 9)
    assert found.event is not None
    named = sessions.keys[sessions.offsets[495:500] + found.event[495:]]
    assert set(named) <= {0, 1, 2} and (found.event[:495] == -1).all()


def test_an_invariant_broken_too_often_is_none() -> None:
    miner = Miner(made_counts(500, broken=11), np.full(500, 1 / 500), InvariantsConfig())
    assert set(miner.search()) == {(6,), (3, 4)}


def test_the_search_for_invariants_says_where_it_stopped() -> None:
    notes: list[str] = []
    rows = made_counts(300, broken=0).astype(int)
    sessions = Sessions.of([np.repeat(np.arange(7), row).tolist() for row in rows], 7)
    build("invariants", max_candidates=3).fit(sessions, Context(note=notes.append))
    assert len(notes) == 1 and "length 2" in notes[0]
    assert build("invariants", longest=2).fit(sessions, Context())["invariants"] == 2


@settings(max_examples=50, deadline=None)
@given(SEQUENCES)
def test_every_invariant_holds_in_nearly_all_training_units(sequences: list[list[int]]) -> None:
    sessions = Sessions.of(sequences, KNOWN)
    rows = table(sessions, KNOWN)
    model = fitted("invariants", sessions)
    for theta in model.theta.T:
        held = sum(abs(float(sum(row * theta))) < 1e-8 for row in rows)
        assert held >= 0.98 * len(rows) and theta.any()
    unused = np.flatnonzero(~rows.any(axis=0))
    assert (np.abs(model.theta[unused]).sum(axis=1) > 0).all()
