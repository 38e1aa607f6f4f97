"""Logs made unstable on purpose: as many units and events as asked, nested, each kind checked by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from unstable_log import LINES, WORDS, grouped, run_with

from logbench import EvaluationProtocol
from logbench.api.protocol import PARSE_ERRORS
from logbench.pipeline.grouping import GroupedLines
from logbench.pipeline.parsing import learn
from logbench.pipeline.split import Split, split_units
from logbench.pipeline.unstable import make_unstable
from logbench_parsers.none import Verbatim

EDITED = ("templates", "add_word", "drop_word", "replace_word")
KINDS = (*EDITED, "new", "remove", "repeat", "swap", "shuffle", "delay")
Event = tuple[str, int, int]


def events_of(found: GroupedLines) -> list[list[Event]]:
    """Message, line and label of each event of each unit."""
    assert found.line_labels is not None
    texts = found.messages.gather(found.codes).to_list()
    rows = list(zip(texts, found.lines.tolist(), found.line_labels.tolist(), strict=True))
    return [rows[a:b] for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)]


def times_of(found: GroupedLines) -> list[list[int]]:
    assert found.times is not None
    rows = found.times.tolist()
    return [rows[a:b] for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)]


def changed(kind: str, dose: float = 0.5, share: float = 0.3, **more: Any) -> tuple[GroupedLines, Any, Split]:
    options: dict[str, Any] = {"unstable": kind, "unstable_dose": dose, "unstable_events": share, **more}
    protocol = EvaluationProtocol(train="ratio", content="mixed", held_out=0.2, **options)
    found = grouped()
    split = split_units(found.units, protocol)
    made, facts = make_unstable(found, split, protocol, lambda: learn(found, split.train, Verbatim()))
    return made, facts, split


def is_part_of(part: Sequence[Any], whole: Sequence[Any]) -> bool:
    rest = iter(whole)
    return all(any(one == other for other in rest) for one in part)


def is_edited(kind: str, old: str, new: str) -> bool:
    """One word goes or one comes in, or one stands for another; the text is new."""
    if kind == "replace_word":
        same = [a == b for a, b in zip(old.split(), new.split(), strict=True)]
        return new not in WORDS and same.count(False) == 1
    one, other = sorted((old.split(), new.split()), key=len)
    assert len(other) == len(one) + 1 and is_part_of(one, other)
    assert kind == "templates" or len(old.split()) == 1 or (len(new) > len(old)) == (kind == "add_word")
    return new not in WORDS


def as_by_hand(kind: str, before: list[Event], after: list[Event], share: float) -> int:
    """How many events of a unit were changed; an assertion fails where that is not so many, or not by the kind."""
    size = len(before)
    wanted = max(1, round(share * (size - (kind in ("remove", "swap", "delay")))))
    if kind == "remove":
        assert is_part_of(after, before) and len(after) == size - wanted
        return wanted
    if kind == "repeat":
        assert list(dict.fromkeys(after)) == before and len(after) == size + wanted
        assert all(count <= 2 for count in Counter(after).values())
        return wanted
    if kind == "new":
        old = [event for event in after if event[0] in WORDS]
        added = [at for at, event in enumerate(after) if event[0] not in WORDS]
        assert old == before and len(added) == wanted, "nothing goes, so many come in"
        assert all(after[at][1:] == after[at - 1][1:] and after[at - 1] in before for at in added), "after another"
        return wanted
    assert len(after) == size
    if kind in EDITED:
        assert sum(old != new for old, new in zip(before, after, strict=True)) == wanted
        for (old, *place), (new, *same) in zip(before, after, strict=True):
            assert place == same and (old == new or is_edited(kind, old, new))
        return wanted
    return as_moved(kind, before, after, wanted)


def as_moved(kind: str, before: list[Event], after: list[Event], wanted: int) -> int:
    """The same of kinds that only move events."""
    size = len(before)
    assert sorted(after) == sorted(before)
    if kind == "shuffle":
        return size
    if kind == "delay":
        late = [at for at, event in enumerate(after) if before.index(event) < at]
        assert all(before.index(event) - at <= wanted for at, event in enumerate(after)), "others move up"
        assert 1 <= len(late) <= wanted or before == after
        return wanted
    at, moved = 0, 0
    while at < size:
        if after[at] != before[at]:
            assert after[at : at + 2] == before[at : at + 2][::-1], "neighbours change places"
            at, moved = at + 1, moved + 2
        at += 1
    assert 2 <= moved <= 2 * wanted
    return moved


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_as_many_units_and_events_as_asked(kind: str, share: float) -> None:
    made, facts, split = changed(kind, share=share)
    before, after = events_of(grouped()), events_of(made)
    units = [at for at in range(len(before)) if before[at] != after[at]]
    least = 2 if kind in ("remove", "swap", "delay") else 1
    if kind not in ("shuffle", "delay"):  # some order is the one that was
        able = [at for at in split.test.tolist() if len(before[at]) >= least]
        assert abs(len(units) - len(split.test) // 2) <= len(split.test) - len(able)
        assert facts["units"] == len(units)
    assert set(units) <= set(split.test.tolist()), "training and held-out units stay"
    counted = sum(as_by_hand(kind, before[at], after[at], share) for at in units)
    assert facts["events"] == counted or kind in ("shuffle", "delay")
    for at, (old, new) in enumerate(zip(times_of(grouped()), times_of(made), strict=True)):
        assert new == sorted(new) and set(new) <= set(old)
        if kind in ("remove", "repeat", "new"):
            assert [3_000_000 * line for _, line, _ in after[at]] == new
        else:
            assert new == old, "a moved event has the time of its place"
    known = {line: (message, label) for line, message, _, _, label in LINES}
    for text, line, label in (event for unit in after for event in unit):
        assert label == known[line][1], "they go together"
        assert kind in (*EDITED, "new") or text == known[line][0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_dose_changes_the_same_units_alike_and_more(kind: str) -> None:
    plain = events_of(grouped())
    before: dict[int, list[Event]] = {}
    for dose in (0.0, 0.1, 0.4, 1.0):
        made, facts, _ = changed(kind, dose)
        after = {at: unit for at, unit in enumerate(events_of(made)) if unit != plain[at]}
        assert before.items() <= after.items()
        assert (facts is None) == (dose == 0) == (not after)
        before = after
    again = {at: unit for at, unit in enumerate(events_of(changed(kind, 1.0)[0])) if unit != plain[at]}
    other = {
        at: unit for at, unit in enumerate(events_of(changed(kind, 1.0, split_seed=1)[0])) if unit != plain[at]
    }
    assert again == before != other


def test_a_template_is_edited_alike_everywhere() -> None:
    longer = set[bool]()
    for seed in range(3):
        made, facts, _ = changed("templates", 1.0, 1.0, split_seed=seed)
        pairs = {
            (old[0], new[0])
            for old_unit, new_unit in zip(events_of(grouped()), events_of(made), strict=True)
            for old, new in zip(old_unit, new_unit, strict=True)
            if old != new
        }
        assert len(pairs) == len({old for old, _ in pairs}) == facts["templates"] == len(WORDS)
        longer |= {len(new.split()) > len(old.split()) for old, new in pairs}
    assert longer == {True, False}, "some lose a word, some get one"


def test_a_delayed_event_comes_after_one_to_five_later_ones() -> None:
    """Against a loop over units that moves the same events by the same numbers."""
    before, (made, facts, split) = grouped(), changed("delay", 1.0, 0.3)
    by = np.random.default_rng([0, 9]).integers(1, 6, len(before.codes))
    priority = np.random.default_rng([0, 7]).random(len(before.codes))
    expected, late = before.lines.tolist(), 0
    for unit in split.test.tolist():
        begin, end = before.offsets[unit], before.offsets[unit + 1]
        if end - begin < 2:
            continue
        places = sorted(range(begin, end - 1), key=lambda at: priority[at])
        drawn = set(places[: max(1, round(0.3 * len(places)))])
        late += len(drawn)
        moved = sorted(range(begin, end), key=lambda at: at + (by[at] + 0.5 if at in drawn else 0))
        expected[begin:end] = before.lines[moved].tolist()
    assert made.lines.tolist() == expected != before.lines.tolist() and facts["events"] == late


def test_training_may_be_unstable_too_and_the_test_is_the_same() -> None:
    plain = events_of(grouped())
    (here, _, split), (both, facts, _) = changed("remove"), changed("remove", unstable_in="both")
    tested = set(split.test.tolist())
    moved = [{at for at, unit in enumerate(events_of(made)) if unit != plain[at]} for made in (here, both)]
    assert (
        moved[0] == moved[1] & tested and moved[1] & set(split.train.tolist()) and facts["units"] == len(moved[1])
    )
    assert moved[1] & set(split.held_out.tolist())


@pytest.mark.parametrize("where", ["test", "both"])
@pytest.mark.parametrize("kind", [*KINDS, *PARSE_ERRORS])
def test_dose_0_is_the_run_without_changes(tmp_path: Path, kind: str, where: str) -> None:
    plain, none = run_with(tmp_path), run_with(tmp_path, unstable=kind, unstable_dose=0.0, unstable_in=where)
    assert plain.status == "ok", plain.error
    scores = [pl.read_parquet(tmp_path / "runs" / one.artifacts["scores"]) for one in (plain, none)]
    assert scores[0].equals(scores[1]) and plain.metrics == none.metrics
    assert plain.split == none.split and none.split["unstable"] is None and plain.notes == none.notes


def test_a_run_meets_unseen_keys_for_edited_templates_and_says_so(tmp_path: Path) -> None:
    record = run_with(tmp_path, unstable="templates", unstable_dose=1.0, unstable_events=1.0)
    assert record.status == "ok", record.error
    facts = record.split["unstable"]
    assert facts is not None and facts["templates"] == len(WORDS) and facts["units"] == record.split["test"]
    assert record.counts["unseen"] == record.split["test"], "the parser knows none of them"
    assert any(note.startswith("unstable on purpose: ") and "edited" in note for note in record.notes)
    plain = run_with(tmp_path)
    for name in ("digest", "test_digest", "train", "held_out"):
        assert record.split[name] == plain.split[name]  # type: ignore[literal-required]


@pytest.mark.parametrize("kind", [*KINDS, *PARSE_ERRORS])
def test_every_kind_runs_through_and_keeps_the_units(tmp_path: Path, kind: str) -> None:
    record, plain = run_with(tmp_path, unstable=kind, unstable_dose=1.0), run_with(tmp_path)
    assert record.status == "ok", record.error
    assert record.audit["units"] == plain.audit["units"] and record.counts["labelled"] == plain.counts["labelled"]


def test_models_of_messages_as_they_stand_are_refused_edited_ones(tmp_path: Path) -> None:
    record = run_with(tmp_path, frozenset({"messages", "texts"}), unstable="templates")
    assert record.status == "skipped" and record.error is not None
    assert "reads the log as it stands (needs messages); try unstable=remove" in record.error["message"]
    assert run_with(tmp_path, frozenset({"messages", "texts"}), unstable="swap").status == "ok"
