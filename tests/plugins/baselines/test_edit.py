"""The edit distance against Levenshtein's table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from baseline_units import KEYS, Unit, Units, both, folded, scored, stripped
from hypothesis import HealthCheck, settings

from logbench import Context, DataError, Sessions
from logbench_baselines import EditConfig
from logbench_baselines import edit as edit_file
from logbench_baselines.edit import Edit


def levenshtein(a: Unit, b: Unit) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


def edits(train: Units, unit: Unit) -> float:
    return min(levenshtein(unit, other) / max(len(unit), len(other)) for other in train)


@pytest.fixture(params=[edit_file.SHORT, 0])
def short(request: pytest.FixtureRequest) -> Iterator[int]:
    """Units of so many events are compared with all sequences at once, longer ones with the likely nearest."""
    before, edit_file.SHORT = edit_file.SHORT, request.param
    yield request.param
    edit_file.SHORT = before


@both
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_edit_is_the_least_normalised_levenshtein_distance(short: int, train: Units, test: Units) -> None:
    scores = scored(Edit(EditConfig()), train, test)
    assert scores.primary == pytest.approx([edits(train, folded(unit)) for unit in test])
    left = [edits(train, stripped(unit)) if stripped(unit) else 0 for unit in test]
    assert scores.ignoring == pytest.approx(left)


def counted_edits(a: Unit, b: Unit) -> int:
    """Fewest edits that make the events of one those of the other, in any order."""
    return max((Counter(a) - Counter(b)).total(), (Counter(b) - Counter(a)).total())


@both
@settings(max_examples=60, deadline=None)
def test_edit_beyond_its_most_edits_says_what_counts_say(train: Units, test: Units) -> None:
    most = 2

    def apart(a: Unit, b: Unit) -> float:
        edits = levenshtein(a, b)
        return (edits if edits <= most else max(most + 1, counted_edits(a, b))) / max(len(a), len(b))

    model = Edit(EditConfig(max_edits=most))
    model.fit(Sessions.of(train, KEYS), Context())
    before, edit_file.SHORT = edit_file.SHORT, 0
    try:
        found = model.score(Sessions.of(test, KEYS), Context()).primary
    finally:
        edit_file.SHORT = before
    expected = [min(apart(folded(unit), other) for other in train) for unit in test]
    assert found.tolist() == expected


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Texts whose distance was computed one by one."""
    pairs: list[tuple[str, str]] = []
    distance = edit_file.Levenshtein.distance

    class Spy:
        @staticmethod
        def distance(a: str, b: str, score_cutoff: int | None = None) -> int:
            pairs.append((a, b))
            return int(distance(a, b, score_cutoff=score_cutoff))

    monkeypatch.setattr(edit_file, "Levenshtein", Spy)
    return pairs


def test_edit_compares_long_units_with_those_that_may_be_nearest(computed: list[tuple[str, str]]) -> None:
    """40 units of 300 events, each near to one of training: a handful of the 1,600 distances is computed."""
    rng = np.random.default_rng(5)
    train = [tuple(rng.choice(KEYS, 300, p=rng.dirichlet(np.ones(KEYS))).tolist()) for _ in range(40)]
    test = [(*unit[:100], *unit[103:]) for unit in train]
    assert scored(Edit(EditConfig()), train, test).primary.tolist() == [3 / 300] * 40
    assert len(computed) < 200


def test_edit_leaves_out_long_units_in_another_order(computed: list[tuple[str, str]]) -> None:
    """Equal counts say nothing, and 400 keys are no characters of one byte: the order tells who may be near."""
    rng = np.random.default_rng(6)
    events = rng.permutation(400)[:150]
    train = [tuple(rng.permutation(events).tolist()) for _ in range(12)]
    test = [(*unit[:70], 400, *unit[73:]) for unit in train[6:]]
    model = Edit(EditConfig())
    model.fit(Sessions.of(train, 400), Context())
    found = model.score(Sessions.of(test, 400), Context())
    assert found.primary.tolist() == [edits(train, unit) for unit in test]
    assert len(computed) < 3 * 2 * len(test)


def test_edit_notes_what_it_leaves_out() -> None:
    notes: list[str] = []
    model = Edit(EditConfig(max_train=1, max_edits=3))
    model.fit(Sessions.of([(0,) * 200, (1,) * 200], KEYS), Context(note=notes.append))
    model.score(Sessions.of([(0,) * 200, (2,) * 200], KEYS), Context(note=notes.append))
    assert [note.split(":")[1].split(" (")[0] for note in notes] == [
        " compares with the 1 most frequent of 2 training sequences",
        " 1 units are more than 3 edits from every sequence; beyond that only their counts tell how far",
    ]


def test_edit_keeps_the_most_frequent_sequences_and_says_so() -> None:
    model = Edit(EditConfig(max_train=1))
    train = [(0, 1), (2, 2), (2, 2)]
    assert model.fit(Sessions.of(train, KEYS), Context()) == {"train_distinct": 2, "train_used": 1}
    assert model.score(Sessions.of([(2, 2), (0, 1)], KEYS), Context()).primary.tolist() == [0, 1]


def test_edit_compares_keys_that_are_no_proper_characters() -> None:
    surrogate = 0xD800  # a lone half of a pair in Unicode, a key like any other here
    model = Edit(EditConfig())
    model.fit(Sessions.of([(surrogate, surrogate + 1)], surrogate + 9), Context())
    scores = model.score(Sessions.of([(surrogate, 7), (surrogate, surrogate + 1)], surrogate + 9), Context())
    assert scores.primary.tolist() == [0.5, 0] and scores.event is not None and scores.event.tolist() == [1, -1]
    with pytest.raises(DataError, match="known keys"):
        model.fit(Sessions.of([(0,)], 0x110000), Context())
