"""Windows, distinct windows and distinct sequences against loops over Python lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench import Sessions
from logbench.data.distinct import _mix, blocks, distinct_codes, index_type, positions
from logbench.data.histories import Histories


@st.composite
def sessions(draw: st.DrawFn) -> tuple[list[list[int]], int]:
    """Few different keys of a small or large vocabulary (13 keys of more than 30 outgrow 64 bits), some unseen."""
    vocabulary = draw(st.sampled_from([0, 1, 3, 15, 30, 31, 57, 300, 2**20]))
    keys = st.sampled_from(sorted({0, 1, vocabulary // 2, max(vocabulary - 1, 0), vocabulary, vocabulary + 7}))
    return draw(st.lists(st.lists(keys, max_size=30), max_size=6)), vocabulary


def windows_of(sequences: list[list[int]], vocabulary: int, h: int) -> list[tuple[int, tuple[int, ...]]]:
    folded = [[min(k, vocabulary) for k in s] for s in sequences]
    return [(u, tuple(s[i : i + h + 1])) for u, s in enumerate(folded) for i in range(len(s) - h)]


@settings(max_examples=300)
@given(sessions(), st.integers(1, 12))
def test_windows_and_distinct_windows(case: tuple[list[list[int]], int], h: int) -> None:
    sequences, vocabulary = case
    found = Sessions.of(sequences, vocabulary).histories(h)
    expected = windows_of(sequences, vocabulary, h)
    assert len(found) == len(expected)
    assert found.units.tolist() == [unit for unit, _ in expected]
    windows = [tuple(w) for w in found.windows(np.arange(len(found))).tolist()]
    assert windows == [window for _, window in expected]
    distinct = list(dict.fromkeys(windows))
    assert [tuple(w) for w in found.distinct_windows.tolist()] == distinct
    assert [distinct[i] for i in found.distinct.inverse] == windows
    assert found.distinct.counts.tolist() == [windows.count(window) for window in distinct]


@settings(max_examples=200)
@given(sessions(), st.integers(1, 6))
def test_padded_windows_are_those_behind_h_start_keys(case: tuple[list[list[int]], int], h: int) -> None:
    sequences, vocabulary = case
    start = vocabulary + 1
    given_sessions = Sessions.of(sequences, vocabulary)
    found = given_sessions.histories(h, padded=True)
    folded = [[min(key, vocabulary) for key in unit] for unit in sequences]
    expected = [tuple(([start] * h + unit)[at : at + h + 1]) for unit in folded for at in range(len(unit))]
    windows = [tuple(window) for window in found.windows(np.arange(len(found))).tolist()]
    assert windows == expected and found.first == 0
    assert found.events.tolist() == list(range(len(given_sessions.keys)))
    assert found.units.tolist() == given_sessions.units.tolist()
    assert found.offsets.tolist() == given_sessions.offsets.tolist()
    distinct = list(dict.fromkeys(windows))
    assert [distinct[at] for at in found.distinct.inverse] == windows
    assert given_sessions.histories(h).padded is False, "the other choice is not taken for it"
    bare = given_sessions.histories(h)
    assert bare.first == h and [bare.keys[at] for at in bare.events] == [window[-1] for window in bare.windows(
        np.arange(len(bare))).tolist()]  # fmt: skip


@given(sessions(), st.integers(1, 5), st.randoms())
def test_worst_is_the_largest_of_each_unit(case: tuple[list[list[int]], int], h: int, random: object) -> None:
    sequences, vocabulary = case
    found = Sessions.of(sequences, vocabulary).histories(h)
    values = np.array([random.uniform(-9, 9) for _ in range(len(found))])  # type: ignore[attr-defined]
    of_unit: list[list[float]] = [[] for _ in sequences]
    for value, (unit, _) in zip(values, windows_of(sequences, vocabulary, h), strict=True):
        of_unit[unit].append(value)
    assert found.worst(values).tolist() == [max(v, default=-np.inf) for v in of_unit]
    assert found.worst(values, empty=7.0).tolist() == [max(v, default=7.0) for v in of_unit]


@given(sessions(), st.sampled_from([1, 3, 1 << 24]), st.sampled_from(["", "off"]))
def test_distinct_sequences_tell_unseen_keys_apart(
    case: tuple[list[list[int]], int], block: int, kernel: str
) -> None:
    sequences, vocabulary = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_KERNEL", kernel)
        patch.setattr("logbench.data.distinct.BLOCK", block)
        found = Sessions.of(sequences, vocabulary).distinct
    rows = [tuple(s) for s in sequences]
    distinct = list(dict.fromkeys(rows))
    assert [rows[i] for i in found.first] == distinct
    assert found.first.tolist() == [rows.index(row) for row in distinct]
    assert [distinct[i] for i in found.inverse] == rows
    assert found.counts.tolist() == [rows.count(row) for row in distinct]


def test_distinct_sequences_at_scale() -> None:
    random = np.random.default_rng(0)
    sequences = [row[: random.integers(0, 9)].tolist() for row in random.integers(0, 3, (20_000, 8))]
    found = Sessions.of(sequences, 3).distinct
    assert len(found) == len({tuple(s) for s in sequences})
    assert int(found.counts.sum()) == 20_000


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_distinct_codes_use_all_64_bits(codes: list[int]) -> None:
    found = distinct_codes(np.array(codes, dtype=np.uint64))
    distinct = list(dict.fromkeys(codes))
    assert [codes[i] for i in found.first] == distinct
    assert [distinct[i] for i in found.inverse] == codes


def test_hashes_are_mixed_as_splitmix64_does() -> None:
    """Its first numbers from seed 1234567, as published with the generator: state = seed + n × golden ratio."""
    published = (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431)
    states = [(1234567 + n * 0x9E3779B97F4A7C15) % 2**64 for n in range(1, 5)]
    assert _mix(np.array(states, dtype=np.uint64)).tolist() == list(published)


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 20))
def test_blocks_hold_as_many_units_as_fit(lengths: list[int], size: int) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    expected: list[list[int]] = []
    for unit, length in enumerate(lengths):
        if expected and sum(lengths[one] for one in expected[-1]) + length <= size:
            expected[-1].append(unit)
        else:
            expected.append([unit])
    found = list(blocks(offsets, size))
    assert [list(range(len(lengths)))[units] for units, _ in found] == (expected or [[]])
    assert all(
        (events.start, events.stop) == (offsets[units.start], offsets[units.stop]) for units, events in found
    )


def test_events_are_numbered_by_the_smaller_integer_that_holds_them() -> None:
    assert positions(np.array([0, 3, 5])).dtype == np.int32 and index_type(2**31 - 1) is np.int32
    assert index_type(2**31) is np.int64, "as is said of positions"


def test_a_history_needs_a_key() -> None:
    with pytest.raises(ValueError, match="h = 0"):
        Sessions.of([[0]], 1).histories(0)


def test_windows_whose_codes_would_meet_beyond_64_bits_stay_apart() -> None:
    """Read as digits, the two windows differ by 2^64: codes that were not renumbered would be the same."""
    base, low = 70_000, 12_345
    assert 2**64 + low < base**4 < 2**65
    digits = [[(number // base**place) % base for place in (3, 2, 1, 0)] for number in (low, low + 2**64)]
    found = Sessions.of(digits, base - 1).histories(3)
    assert len(found.distinct) == 2


def test_histories_are_not_padded_unless_asked() -> None:
    found = Histories.of(Sessions.of([[0, 1, 0], [1]], 2), 2)
    assert not found.padded and found.windows(np.arange(len(found))).tolist() == [[0, 1, 0]]
