"""The simple detectors against plain loops over lists, and against independent figures on the real archive."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import logbench
from logbench import Context, DataError, IncompatibleError, Scores, Sessions
from logbench_baselines import EcvcConfig, EditConfig, MarkovConfig, NGramConfig, common, logbench_models
from logbench_baselines import ecvc as ecvc_file
from logbench_baselines import edit as edit_file
from logbench_baselines.common import most_frequent
from logbench_baselines.ecvc import Ecvc
from logbench_baselines.edit import Edit
from logbench_baselines.markov import Markov
from logbench_baselines.ngram import NGram
from logbench_baselines.rules import Length, NewEvent
from logbench_baselines.timing import Timing
from logbench_baselines.trivial import Constant, Random

# Known keys 0 … 3; tests draw 4 and 5 beside them, which are unseen.
KEYS = 4

Unit = tuple[int, ...]
Units = Sequence[Unit]
known_units = st.lists(
    st.lists(st.integers(0, KEYS - 1), min_size=1, max_size=9).map(tuple), min_size=1, max_size=8
)
any_units = st.lists(
    st.lists(st.integers(0, KEYS + 1), min_size=1, max_size=12).map(tuple), min_size=1, max_size=8
)
both = given(known_units, any_units)
brief = settings(max_examples=60, deadline=None)


def scored(model: Any, train: Units, test: Units) -> Scores:
    """Fit and score, and check what every model promises: inputs left alone, `ignoring` rid of the unseen."""
    fitted, asked = Sessions.of(train, KEYS), Sessions.of(test, KEYS)
    before = [(s.keys.copy(), s.offsets.copy()) for s in (fitted, asked)]
    model.fit(fitted, Context())
    scores = Scores.of(model.score(asked, Context()), len(test), "model")
    for sessions, (keys, offsets) in zip((fitted, asked), before, strict=True):
        assert np.array_equal(sessions.keys, keys) and np.array_equal(sessions.offsets, offsets)
    assert scores.event is not None and scores.ignoring is not None and scores.ignoring_event is not None
    for at, unit in enumerate(test):
        assert -1 <= scores.event[at] < len(unit)
        assert (scores.event[at] >= 0) == (scores.primary[at] > 0)
        if max(unit) < KEYS:
            assert scores.ignoring[at] == scores.primary[at] and scores.ignoring_event[at] == scores.event[at]
        if min(unit) >= KEYS:
            assert scores.ignoring_event[at] == -1 or isinstance(model, Length)
            assert scores.ignoring[at] == 0 or isinstance(model, Length)
        if scores.ignoring_event[at] >= 0 and not isinstance(model, Length):
            assert unit[scores.ignoring_event[at]] < KEYS or isinstance(model, Markov)
    return scores


def folded(unit: Unit) -> Unit:
    return tuple(min(key, KEYS) for key in unit)


def stripped(unit: Unit) -> Unit:
    return tuple(key for key in unit if key < KEYS)


# Rules


@both
@brief
def test_rules_are_unseen_events_and_lengths_outside(train: Units, test: Units) -> None:
    shortest, longest = min(map(len, train)), max(map(len, train))
    seen = {key for unit in train for key in unit}
    new = [not seen.issuperset(unit) for unit in test]
    length = [not shortest <= len(unit) <= longest for unit in test]
    events, lengths = scored(NewEvent(), train, test), scored(Length(), train, test)
    assert events.primary.tolist() == new and lengths.primary.tolist() == length
    for unit, event in zip(test, events.event if events.event is not None else (), strict=True):
        assert event == next((i for i, key in enumerate(unit) if key not in seen), -1)


def test_events_of_labelled_anomalies_alone_are_new() -> None:
    """Normal units train, but the vocabulary is of all labelled units."""
    model = NewEvent()
    model.fit(Sessions.of([(0, 1)], KEYS), Context())
    assert model.score(Sessions.of([(0, 1), (0, 3)], KEYS), Context()).primary.tolist() == [0, 1]


# Event count vectors


def weight(train: Units, key: int, idf: bool) -> float:
    having = sum(key in unit for unit in train)
    return math.log10((1 + len(train)) / having) if idf and having else 1.0


def ecvc(train: Units, unit: Unit, idf: bool) -> float:
    """The definition, over dictionaries; unseen keys stay apart."""

    def share(of: Unit) -> dict[int, float]:
        return {key: count / len(of) for key, count in Counter(of).items()}

    def distance(a: dict[int, float], b: dict[int, float]) -> float:
        pairs = [(a.get(k, 0) * weight(train, k, idf), b.get(k, 0) * weight(train, k, idf)) for k in a | b]
        return sum(abs(x - y) for x, y in pairs) / sum(max(x, y) for x, y in pairs)

    return min(distance(share(unit), share(other)) for other in train)


@both
@brief
@pytest.mark.parametrize("idf", [False, True])
def test_ecvc_is_the_least_distance_of_count_shares(idf: bool, train: Units, test: Units) -> None:
    scores = scored(Ecvc(EcvcConfig(), idf), train, test)
    assert scores.primary == pytest.approx([ecvc(train, unit, idf) for unit in test], abs=1e-12)
    left = [ecvc(train, stripped(unit), idf) if stripped(unit) else 0 for unit in test]
    assert scores.ignoring == pytest.approx(left, abs=1e-12)


@pytest.mark.parametrize("idf", [False, True])
@pytest.mark.parametrize("common", [0.0, 0.2, 1.0])
def test_lists_and_table_of_ecvc_find_the_nearest_vector_of_all(
    idf: bool, common: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys of which some are in most units, some in few and some in none that train."""
    rng = np.random.default_rng(8)
    rows = [[*rng.integers(0, 4, 5), *rng.integers(4, 85, rng.integers(0, 6))] for _ in range(160)]
    train, test = rows[:80], [*([*row, 85] for row in rows[80:90]), *rows[90:], *rows[:9]]
    monkeypatch.setattr(ecvc_file, "COMMON", common)
    model = Ecvc(EcvcConfig(), idf)
    model.fit(Sessions.of(train, 85), Context())
    scores = model.score(Sessions.of(test, 85), Context())
    assert scores.primary == pytest.approx([ecvc(train, unit, idf) for unit in test], abs=1e-12)
    assert (scores.primary[-9:] == 0).all() and scores.event is not None and (scores.event[-9:] == -1).all()


def test_few_differences_are_summed_as_scipy_sums_many(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    for shape in [(0, 3, 5), (7, 1, 0), (1, 1, 1), (40, 30, 12), (9, 60, 33)]:
        rows, known = rng.random((shape[0], shape[2])), rng.random((shape[1], shape[2])) ** 7 * 1e4
        few = ecvc_file.city_blocks(rows, known)
        with monkeypatch.context() as patched:
            patched.setattr(ecvc_file, "LOADED", -1)
            assert np.array_equal(few, ecvc_file.city_blocks(rows, known))


def test_ecvc_looks_at_vectors_that_share_a_rare_key_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 units of 40 keys of 20,000: what is added up grows with what units share, not with keys or units."""
    rng, added = np.random.default_rng(9), []
    rows = [rng.integers(0, 20_000, 40).tolist() for _ in range(2_000)]
    minimum = np.minimum
    monkeypatch.setattr(ecvc_file.np, "minimum", lambda a, b: added.append(len(a)) or minimum(a, b))
    model = Ecvc(EcvcConfig(), False)
    model.fit(Sessions.of(rows[:1_000], 20_000), Context())
    model.score(Sessions.of(rows[1_000:], 20_000), Context())
    shared = sum(len(set(a) & set(b)) for a in rows[:100] for b in rows[1_000:1_100]) * 100
    assert 0 < sum(added) < 3 * shared


def test_of_units_that_are_equally_frequent_some_are_kept_from_all_over() -> None:
    """Else the first keys alone would stand for all; those that are more frequent are kept in any case."""
    few = 10
    units = Sessions.of([[key] for key in range(100)])
    counts = np.where(np.arange(100) == 37, 5, 1)
    kept = most_frequent(units, counts, few)
    assert len(kept) == few and 37 in kept and kept[-1] > 80 and (np.diff(kept) > 0).all()


def test_ecvc_names_the_last_event_of_the_key_in_excess() -> None:
    scores = scored(Ecvc(EcvcConfig(), False), [(0, 1, 2, 3)], [(0, 1, 2, 3), (0, 1, 1, 1, 2), (5, 0, 1, 2)])
    assert scores.event is not None and scores.event.tolist() == [-1, 3, 0]


def test_ecvc_keeps_the_most_frequent_vectors_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    train = [(0, 1), (2, 2), (1, 0), (2, 2), (2, 2), (3,)]
    model = Ecvc(EcvcConfig(max_train=2), False)
    assert model.fit(Sessions.of(train, KEYS), Context()) == {"train_distinct": 3, "train_used": 2}
    test = Sessions.of([(0, 1), (2,), (3,), (0, 2), (3, 3, 1)], KEYS)
    whole = model.score(test, Context()).primary
    assert whole[:3].tolist() == [0, 0, 1]
    monkeypatch.setattr("logbench_baselines.ecvc.CELLS", 1)
    assert model.score(test, Context()).primary.tolist() == whole.tolist()


# n-grams


def grams(unit: Unit, n: int) -> list[Unit]:
    padded = (-1, *unit, -1)
    return [padded[i : i + n] for i in range(len(padded) - n + 1)]


@both
@brief
@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("measure", ["first", "share"])
def test_ngrams_are_those_no_training_unit_has(n: int, measure: Any, train: Units, test: Units) -> None:
    seen = {gram for unit in train for gram in grams(unit, n)}
    scores = scored(NGram(NGramConfig(n=n, measure=measure)), train, test)
    assert scores.event is not None and scores.ignoring is not None

    def value(missing: int, unit: Unit) -> float:
        if measure == "share":
            return missing / max(len(grams(unit, n)), 1)
        return 1 / (n * (len(unit) + 2 - n / 2)) if missing else 0

    for at, unit in enumerate(test):
        missing = [i for i, gram in enumerate(grams(unit, n)) if gram not in seen]
        mere = [i for i in missing if max(grams(unit, n)[i]) < KEYS]
        assert scores.primary[at] == pytest.approx(value(len(missing), unit))
        assert scores.ignoring[at] == pytest.approx(value(len(mere), unit))
        if missing:
            assert scores.event[at] == min(missing[0] + n - 2, len(unit) - 1)


@pytest.mark.parametrize("vocabulary", [1_623, 1_624, 500_000])  # of the first alone 64 bits hold an n-gram
def test_ngrams_of_many_keys_are_those_no_training_unit_has(
    vocabulary: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logbench_baselines.ngram.BLOCK", 50)
    rng = np.random.default_rng(vocabulary)
    few = np.array([0, 1, vocabulary - 1, vocabulary])  # the last is unseen
    drawn = [[tuple(few[rng.integers(0, most, 12)].tolist()) for _ in range(40)] for most in (3, 4)]
    train, test = drawn
    seen = {gram for unit in train for gram in grams(unit, 6)}
    model = NGram(NGramConfig())
    assert model.fit(Sessions.of(train, vocabulary), Context()) == {"ngrams": len(seen)}
    scores = model.score(Sessions.of(test, vocabulary), Context(events=True))
    asked = [[gram not in seen for gram in grams(unit, 6)] for unit in test]
    mere = [[gram not in seen and vocabulary not in gram for gram in grams(unit, 6)] for unit in test]
    assert scores.primary == pytest.approx([np.mean(each) for each in asked])
    assert scores.ignoring == pytest.approx([np.mean(each) for each in mere])
    assert scores.facts["ngrams"] == len({gram for unit in test for gram in grams(unit, 6)})
    assert scores.events is not None and scores.events[4] == asked[0][0]


# Edit distance


def test_marks_of_a_unit_without_events_are_no_mismatch_of_the_unit_before() -> None:
    model = NGram(NGramConfig(n=2))
    model.fit(Sessions.of([[0, 1]] * 2, 2), Context())
    scores = model.score(Sessions.of([[0, 1], [], [0, 1]], 2), Context(events=True))
    assert scores.events is not None and scores.events.tolist() == [0, 0, 0, 0]
    assert (scores.primary > 0).tolist() == [False, True, False]
    nothing = model.score(Sessions.of([[], []], 2), Context(events=True))
    assert nothing.events is not None and not len(nothing.events)


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


def test_edit_compares_long_units_with_those_that_may_be_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """40 units of 300 events, each near to one of training: a handful of the 1,600 distances is computed."""
    rng = np.random.default_rng(5)
    train = [tuple(rng.choice(KEYS, 300, p=rng.dirichlet(np.ones(KEYS))).tolist()) for _ in range(40)]
    test = [(*unit[:100], *unit[103:]) for unit in train]
    computed = []
    distance = edit_file.Levenshtein.distance

    class Spy:
        @staticmethod
        def distance(a: str, b: str, score_cutoff: int) -> int:
            computed.append((a, b))
            return int(distance(a, b, score_cutoff=score_cutoff))

    monkeypatch.setattr(edit_file, "Levenshtein", Spy)
    assert scored(Edit(EditConfig()), train, test).primary.tolist() == [3 / 300] * 40
    assert len(computed) < 200


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


# Timing

timed_units = st.lists(
    st.lists(st.tuples(st.integers(0, KEYS), st.integers(-2, 5)), min_size=1, max_size=6), min_size=1, max_size=6
)


def timed(units: Sequence[Sequence[tuple[int, int]]]) -> Sessions:
    """Sessions of (key, time since the event before) pairs."""
    times = [int(t) for unit in units for t in np.cumsum([gap for _, gap in unit])]
    return Sessions.of([[key for key, _ in unit] for unit in units], KEYS, times=np.array(times, dtype=np.int64))


def gaps(unit: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    for (a, _), (b, gap) in pairwise(unit):
        yield a, b, gap


@pytest.fixture(params=[common.BLOCK, 2])
def block(request: pytest.FixtureRequest) -> Iterator[int]:
    """Units are scored about so many events at a time."""
    before, common.BLOCK = common.BLOCK, request.param
    yield request.param
    common.BLOCK = before


shared = settings(brief, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(timed_units, timed_units)
@shared
@pytest.mark.usefixtures("block")
def test_timing_counts_pairs_outside_their_range(train: Any, test: Any) -> None:
    seen: dict[tuple[int, int], list[int]] = {}
    for a, b, gap in (found for unit in train for found in gaps(unit)):
        seen.setdefault((a, b), []).append(gap)
    model = Timing()
    model.fit(timed(train), Context())
    scores = model.score(timed(test), Context())
    assert scores.event is not None
    for at, unit in enumerate(test):
        out = [i for i, (a, b, gap) in enumerate(gaps(unit), 1)
               if (a, b) in seen and not min(seen[a, b]) <= gap <= max(seen[a, b])]  # fmt: skip
        assert scores.primary[at] == pytest.approx(len(out) / max(len(unit) - 1, 1))
        assert scores.event[at] == (out[0] if out else -1)


def test_timing_without_times_is_unfit() -> None:
    with pytest.raises(IncompatibleError, match="needs times"):
        Timing().fit(Sessions.of([(0, 1)], KEYS), Context())


# Markov chain


@given(known_units, any_units, st.sampled_from([0.01, 1.0, 3.0]))
@shared
@pytest.mark.usefixtures("block")
def test_markov_is_the_least_likely_transition(train: Units, test: Units, smoothing: float) -> None:
    def steps(unit: Unit) -> list[tuple[Any, Any]]:
        path = ["begin", *folded(unit), "end"]
        return list(pairwise(path))

    met = Counter(step for unit in train for step in steps(unit))
    left = Counter(a for unit in train for a, _ in steps(unit))

    def cost(step: tuple[Any, Any]) -> float:
        return -math.log((met[step] + smoothing) / (left[step[0]] + smoothing * (KEYS + 2)))

    scores = scored(Markov(MarkovConfig(smoothing=smoothing)), train, test)
    assert scores.primary == pytest.approx([max(map(cost, steps(unit))) for unit in test])
    mere = [max([cost(step) for step in steps(unit) if KEYS not in step], default=0) for unit in test]
    assert scores.ignoring == pytest.approx(mere)
    assert scores.event is not None
    for unit, event, score in zip(test, scores.event, scores.primary, strict=True):
        led_there = steps(unit)[event : event + 1] + (steps(unit)[-1:] if event == len(unit) - 1 else [])
        assert any(cost(step) == pytest.approx(score) for step in led_there)


# Blind ones, and all of them


def test_blind_predictors() -> None:
    sessions = Sessions.of([(0,), (5,), (1, 2)], KEYS)
    assert (Constant(math.inf).score(sessions, Context()).primary > 1e300).all()
    assert (Constant(-math.inf).score(sessions, Context()).primary < -1e300).all()
    one, again, other = (Random().score(sessions, Context(seed=seed)).primary for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other) and ((one >= 0) & (one < 1)).all()


def build(component: Any) -> Any:
    return component.build(component.config()) if component.config else component.build()


COMPONENTS = {component.name: component for component in logbench_models()}
TRAIN: Units = [(0, 1, 2), (0, 1, 1, 2), (0, 3)]
TEST: Units = [(0, 1, 2), (0, 5, 2), (3, 3, 3, 3, 3, 3, 3), (4,)]


def with_times(units: Units) -> Sessions:
    return timed([[(key, key + len(unit)) for key in unit] for unit in units])


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_saved_model_scores_alike(name: str, tmp_path: Path) -> None:
    model, again = build(COMPONENTS[name]), build(COMPONENTS[name])
    model.fit(with_times(TRAIN), Context())
    model.save(tmp_path)
    again.load(tmp_path)
    ours, theirs = (one.score(with_times(TEST), Context()) for one in (model, again))
    assert np.array_equal(ours.primary, theirs.primary) and np.array_equal(ours.ignoring, theirs.ignoring)
    (tmp_path / "state.npz").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(DataError, match=r"state\.npz"):
        again.load(tmp_path)


@pytest.mark.parametrize("name", COMPONENTS)
def test_the_promise_to_score_without_unseen_is_kept(name: str) -> None:
    model = build(COMPONENTS[name])
    model.fit(with_times(TRAIN), Context())
    scores = model.score(with_times([(0, 1, 2)]), Context())
    assert COMPONENTS[name].traits.scores_without_unseen == (scores.ignoring is not None)


# The real archive

# F1 of another computation of the same definitions on these files, the best at thresholds 0, .01 … .99.
INDEPENDENT = {
    "new-event": 0.629,
    "length": 0.543,
    "new-event+length": 0.902,
    "ecvc": 0.978,
    "ecvc-idf": 0.980,
    "2-gram": 0.855,
    "3-gram": 0.815,
    "edit": 0.720,
}


def best_on_grid(units: pl.DataFrame) -> float:
    """Best F1 over thresholds in steps of .01, an alarm at or above the threshold, as the review did it."""
    score, label, weight = (units[name].to_numpy() for name in ("score", "label", "weight"))
    anomalies = weight[label == 1].sum()
    alarms = (score >= threshold for threshold in np.arange(0, 1, 0.01))
    return max(float(2 * weight[on & (label == 1)].sum() / (weight[on].sum() + anomalies)) for on in alarms)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_f1_on_the_archive_is_the_independent_one(name: str, shared_data: Path, tmp_path: Path) -> None:
    (record,) = logbench.run(
        name,
        dataset="deeplog-archive",
        data=shared_data / "deeplog_archive",
        settings={
            "protocol": {"train": "given", "held_out": 0.0, "threshold": "oracle", "min_events": 0},
            "dataset": {"normal_total": 553_366},
        },
        out=tmp_path,
    )
    assert record.status == "ok", record.error
    found = record.metrics["session"]["all"]["f1"]
    assert found == pytest.approx(INDEPENDENT[name], abs=0.02)
    if name in ("ecvc", "ecvc-idf", "edit"):  # the oracle may pick a threshold between two steps of the grid
        on_grid = best_on_grid(pl.read_parquet(tmp_path / record.artifacts["scores"]))
        assert found >= on_grid == pytest.approx(INDEPENDENT[name], abs=0.001)
    else:
        assert found == pytest.approx(INDEPENDENT[name], abs=0.001)


@pytest.mark.parametrize("name", ["new-event", "length", "ecvc", "ecvc-idf", "edit", "n-gram", "2-gram", "markov"])
def test_the_order_of_training_units_changes_no_score(name: str) -> None:
    """Also where more units differ than are kept, and several are equally frequent."""
    rng = np.random.default_rng(3)
    draw = [rng.integers(0, KEYS, rng.integers(1, 5)).tolist() for _ in range(80)]
    component = next(one for one in logbench_models() if one.name == name)
    config = component.config and component.config(**({"max_train": 12} if name in ("ecvc", "edit") else {}))
    asked = Sessions.of([rng.integers(0, KEYS + 1, rng.integers(1, 7)).tolist() for _ in range(40)], KEYS)
    found = []
    for order in (range(80), rng.permutation(80), rng.permutation(80)):
        model = component.build(config) if config else component.build()
        model.fit(Sessions.of([draw[at] for at in order], KEYS), Context())
        found.append(model.score(asked, Context()))
    for other in found[1:]:
        assert np.array_equal(other.primary, found[0].primary) and np.array_equal(other.event, found[0].event)


def test_equal_distances_of_ecvc_are_equal() -> None:
    """Both are 3/4 away, where the sums of their parts round differently: no threshold comes between them."""
    model = Ecvc(EcvcConfig(), False)
    model.fit(Sessions.of([[0, 0, 1, 1, 2]], KEYS), Context())
    found = model.score(Sessions.of([[1], [1, 2, 3, 3, 3]], KEYS), Context()).primary
    assert found.tolist() == [0.75, 0.75]
