"""Parse errors on purpose: each kind against a loop over events, of keys alone; known where training has them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from unstable_log import grouped, run_with

from logbench import EvaluationProtocol, Sessions
from logbench.api.protocol import PARSE_ERRORS
from logbench.pipeline.misparsed import misparse
from logbench.pipeline.parsing import Vocabulary, learn, sessions_of
from logbench.pipeline.split import Split, split_units
from logbench_parsers.none import Verbatim


def parsed(kind: str, dose: float = 0.5, share: float = 0.3, **more: Any) -> tuple[Any, ...]:
    """Units before and after, split, vocabularies before and after, and facts."""
    options: dict[str, Any] = {"unstable": kind, "unstable_dose": dose, "unstable_events": share, **more}
    protocol = EvaluationProtocol(train="ratio", content="mixed", held_out=0.2, **options)
    lines = grouped()
    split = split_units(lines.units, protocol)
    known = learn(lines, split.train, Verbatim())
    plain = sessions_of(lines, known, np.ones(len(lines)))
    made, vocabulary, facts = misparse(plain, split, protocol, known, lines.messages)
    return plain, made, split, known, vocabulary, facts


def by_loop(kind: str, plain: Sessions, split: Split, share: float, dose: float) -> dict[int, list[int]]:
    """Events that change, by unit, one event after the other."""
    rng = np.random.default_rng([0, 10])
    keys, known = plain.keys.tolist(), plain.vocabulary
    each = [int(one) for one in rng.integers(1, known, len(keys))] if kind == "wrong_each" else []
    order = rng.permutation(known).tolist() if kind in ("merge", "wrong", "merge_all") else []
    train = Counter(keys[at] for unit in split.train for at in range(plain.offsets[unit], plain.offsets[unit + 1]))
    common = max(range(known), key=lambda key: (train[key], -key))
    priority = np.random.default_rng([0, 7]).random(len(keys))
    chosen = np.random.default_rng([0, 6]).permutation(split.test)[: round(dose * len(split.test))]
    changed: dict[int, list[int]] = {}
    for unit in sorted(chosen.tolist()):
        able = []
        for at in range(plain.offsets[unit], plain.offsets[unit + 1]):
            key = keys[at]
            if key >= known:
                continue
            if kind == "merge":
                place = order.index(key)
                if key == (order[place - place % 2] if place < known // 2 * 2 else order[0]):
                    continue
            if kind == "merge_all" and key == common:
                continue
            able.append(at)
        able.sort(key=lambda at: priority[at])
        if able:
            changed[unit] = sorted(able[: max(1, round(share * len(able)))])
    wanted = {
        "wrong": lambda at: order[(order.index(keys[at]) + 1) % known],
        "wrong_each": lambda at: (keys[at] + each[at]) % known,
        "merge_all": lambda at: common,
    }
    result = plain.keys.tolist()
    for at in (at for events in changed.values() for at in events):
        if kind in wanted:
            result[at] = wanted[kind](at)
        elif kind == "merge":
            place = order.index(keys[at])
            result[at] = order[place - 1] if place < known // 2 * 2 else order[0]
        else:
            result[at] = -1
    changed[-1] = result
    return changed


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("kind", PARSE_ERRORS)
def test_each_kind_gives_so_many_events_the_wrong_key_that_it_says(kind: str, share: float) -> None:
    plain, made, split, known, vocabulary, facts = parsed(kind, share=share)
    expected = by_loop(kind, plain, split, share, 0.5)
    keys = expected.pop(-1)
    events = {at for some in expected.values() for at in some}
    assert facts["units"] == len(expected) and facts["events"] == len(events)
    assert facts["templates"] == len({int(plain.keys[at]) for at in events})
    assert set(np.flatnonzero(made.keys != plain.keys).tolist()) == events, "these and no others"
    if kind not in ("split", "split_each"):
        assert made.keys.tolist() == keys and vocabulary is known
        return
    fresh = {at: int(made.keys[at]) for at in events}
    assert min(fresh.values()) >= known.size and made.vocabulary == known.size, "in the test alone they are unseen"
    origins = {key: {int(plain.keys[at]) for at in events if fresh[at] == key} for key in fresh.values()}
    assert all(len(of) == 1 for of in origins.values()), "nothing is merged by a split"
    assert len(origins) == (len(events) if kind == "split_each" else facts["templates"])
    first = known.size + sum(key >= known.size for key in set(known.lookup(grouped().messages).tolist()))
    assert sorted(origins) == list(range(first, first + len(origins))), "above all, without a gap"
    assert [vocabulary.misparsed[key - first] for key in sorted(origins)] == [
        known.templates[origins[key].pop()] for key in sorted(origins)
    ]


@pytest.mark.parametrize("kind", PARSE_ERRORS)
def test_what_an_event_says_and_where_it_stands_stays(kind: str) -> None:
    plain, made, *_ = parsed(kind, 1.0, 1.0, unstable_in="both")
    for name in ("offsets", "lines", "times", "line_labels", "text_ids", "labels"):
        assert np.array_equal(getattr(plain, name), getattr(made, name)), name
    assert plain.texts is not None and plain.texts.equals(made.texts) and plain.ids.equals(made.ids)


@pytest.mark.parametrize("kind", PARSE_ERRORS)
def test_a_larger_dose_has_the_same_errors_and_more(kind: str) -> None:
    before: set[int] = set()
    for dose in (0.0, 0.1, 0.4, 1.0):
        plain, made, *_, facts = parsed(kind, dose)
        after = set(np.flatnonzero(plain.keys != made.keys).tolist())
        assert before <= after and (facts is None) == (dose == 0) == (not after)
        before = after


@pytest.mark.parametrize("kind", ["split", "split_each"])
def test_in_training_too_split_templates_are_known(kind: str) -> None:
    plain, made, split, known, vocabulary, _ = parsed(kind, 0.8, 0.5, unstable_in="both")
    units = {name: set[int]() for name in ("train", "others")}
    for unit in range(len(plain)):
        for at in range(plain.offsets[unit], plain.offsets[unit + 1]):
            if plain.keys[at] != made.keys[at]:
                units["train" if unit in split.train.tolist() else "others"].add(int(made.keys[at]))
    more = vocabulary.size - known.size
    assert more == len(units["train"]) and units["train"] == set(range(known.size, vocabulary.size))
    assert made.vocabulary == vocabulary.size == len(made.templates or ())
    assert all(key < vocabulary.size for key in units["others"]) == (kind == "split") or kind == "split_each"
    assert isinstance(vocabulary, Vocabulary) and vocabulary.templates[: known.size] == known.templates


def test_unseen_keys_stay_unseen_beside_known_split_ones() -> None:
    """A parser that knows little: what it does not know is shifted above what a split makes known."""
    options = {"unstable": "split", "unstable_dose": 1.0, "unstable_events": 0.5, "unstable_in": "both"}
    protocol = EvaluationProtocol(train="ratio", content="mixed", held_out=0.2, **options)  # type: ignore[arg-type]
    lines = grouped()
    split = split_units(lines.units, protocol)
    shortest = min(split.train.tolist(), key=lambda unit: lines.offsets[unit + 1] - lines.offsets[unit])
    known = learn(lines, np.array([shortest]), Verbatim())
    plain = sessions_of(lines, known, np.ones(len(lines)))
    made, vocabulary, _ = misparse(plain, split, protocol, known, lines.messages)
    unseen = plain.keys >= known.size
    assert unseen.any() and known.size < 6, "there are some"
    assert (made.keys[unseen] >= vocabulary.size).all()
    assert made.keys[unseen].tolist() == vocabulary.lookup(lines.messages)[lines.codes][unseen].tolist()
    same = ~unseen & (made.keys < known.size)
    assert (made.keys[same] == plain.keys[same]).all()


@pytest.mark.parametrize("kind", PARSE_ERRORS)
def test_a_run_counts_its_errors(tmp_path: Path, kind: str) -> None:
    record = run_with(tmp_path, unstable=kind, unstable_dose=1.0, unstable_events=1.0)
    assert record.status == "ok", record.error
    facts = record.split["unstable"]
    assert facts is not None and facts["templates"]
    assert any("with a wrong key" in note for note in record.notes)
    scores = pl.read_parquet(tmp_path / "runs" / record.artifacts["scores"]).filter(part="test")
    assert (scores["unseen"] > 0).all() == (kind in ("split", "split_each"))
