"""Verdicts by the protocol against loops over rows, thresholds against exhaustive search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from logbench import EvaluationProtocol, IncompatibleError
from logbench.evaluation.distinct_units import distinct_units
from logbench.evaluation.protocol_rules import apply_protocol_rules
from logbench.evaluation.rule_baselines import RULES, rule
from logbench.evaluation.threshold_traits import ThresholdTraits
from logbench.evaluation.unit_metrics import metrics_of
from logbench.evaluation.verdicts import decide as decide_below

INF = math.inf
SCHEMA = {
    "part": pl.String,
    "label": pl.Int8,
    "weight": pl.Float64,
    "events": pl.Int64,
    "unseen": pl.Int64,
    "sequence": pl.UInt32,
    "raw": pl.Float64,
    "ignoring": pl.Float64,
    "event": pl.Int64,
    "ignoring_event": pl.Int64,
}
SCORE = st.sampled_from([-INF, -1.5, 0.0, 1.0, 2.0, 9.0, INF])
MINIMUM = 3
decide = partial(decide_below, short_limit=MINIMUM)
Row = dict[str, Any]


@st.composite
def scored(draw: st.DrawFn) -> list[Row]:
    """Scored units; as in a run, those below 3 events have no score of the model's."""
    rows = []
    for i in range(draw(st.integers(2, 25))):
        events = draw(st.integers(1, 5))
        raw = draw(SCORE)
        rows.append(
            {
                "part": draw(st.sampled_from(["held_out", "test"])) if i > 1 else ("held_out", "test")[i],
                "label": draw(st.sampled_from([-1, 0, 1])),
                "weight": float(draw(st.integers(1, 4))),
                "events": events,
                "unseen": draw(st.integers(0, events)),
                "sequence": draw(st.integers(0, 3)),
                "raw": raw if events >= MINIMUM else None,
                "ignoring": draw(SCORE) if events >= MINIMUM else None,
                "event": events - 1 if events >= MINIMUM else None,
                "ignoring_event": 0 if events >= MINIMUM else None,
            }
        )
    return rows


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


def score_of(row: Row, short: str, unseen: str) -> float | None:
    if row["events"] < MINIMUM:
        return {"flag": INF, "miss": -INF, "drop": None}[short]
    if unseen == "anomalous" and row["unseen"]:
        return INF
    return row["ignoring"] if unseen == "ignore" else row["raw"]  # type: ignore[no-any-return]


def by_rule(row: Row, short: str, unseen: str, holds: bool) -> bool:
    """Whether a rule of the protocol flags a unit, or one of those that the model holds: it scores infinity."""
    if row["events"] < MINIMUM:
        return short == "flag"
    strange = unseen == "anomalous" and row["unseen"] > 0
    return strange or (holds and score_of(row, short, unseen) == INF)


def same(row: Row, other: Row) -> bool:
    return (row["sequence"], row["label"]) == (other["sequence"], other["label"])


def f1(units: list[tuple[float, int, float, bool]], threshold: float) -> float:
    """Units are score, label, weight, and whether a rule flags them."""
    tp = sum(w for s, y, w, rule in units if (rule or s > threshold) and y == 1)
    fp = sum(w for s, y, w, rule in units if (rule or s > threshold) and y == 0)
    fn = sum(w for s, y, w, rule in units if not (rule or s > threshold) and y == 1)
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


@settings(max_examples=120, deadline=None)
@given(
    scored(),
    st.sampled_from(["flag", "miss", "drop"]),
    st.sampled_from(["anomalous", "target", "ignore"]),
    st.sampled_from(["validation", "fixed", "oracle"]),
    st.sampled_from(["all", "unique"]),
    st.sampled_from([0.005, 0.1, 0.25, 0.5, 1.0]),
    st.sampled_from(["normal", "mixed", "labelled"]),
    st.booleans(),
)
def test_decisions_as_by_hand(
    rows: list[Row],
    short: Any,
    unseen: Any,
    threshold: Any,
    duplicates: Any,
    alpha: float,
    content: Any,
    holds: bool,
) -> None:
    scores = [score_of(row, short, unseen) for row in rows]
    pairs = list(zip(rows, scores, strict=True))
    apart = [(s, r) for r, s in pairs if r["part"] == "held_out" and s is not None]
    if content == "labelled":  # alpha is a rate of false alarms
        apart = [(s, r) for s, r in apart if r["label"] != 1]
    held = [(s, r["weight"]) for s, r in apart]
    test = [(r, s) for r, s in pairs if r["part"] == "test"]
    known = [(s, r["label"], r["weight"]) for r, s in test if r["label"] >= 0 and s is not None]
    assume(threshold != "validation" or held)
    assume(threshold != "oracle" or known)
    protocol = EvaluationProtocol(
        short=short,
        unseen=unseen,
        threshold=threshold,
        duplicates=duplicates,
        alpha=alpha,
        content=content,
        value=1.0,
    )
    found = decide(frame(rows), protocol, ThresholdTraits(holds_rules=holds))
    assert found.frame["score"].to_list() == scores

    value, total = found.threshold["value"], sum(w for _, w in held)
    if threshold == "validation":
        fitting = [v for v, _ in held if sum(w for s, w in held if s > v) <= alpha * total]
        assert value == min(fitting)
        assert found.threshold["reliable"] == (len(held) * alpha >= 1)
    elif threshold == "fixed":
        assert value == 1.0
    else:
        units = []
        for r, s in test:
            if r["label"] >= 0 and s is not None:
                pair = [x for x, t in test if t is not None and same(x, r)]
                flagged = by_rule(r, short, unseen, holds)
                units.append((s, r["label"], r["weight"] if duplicates == "all" else 1 / len(pair), flagged))
        best = max(f1(units, t) for t in [-INF, INF, *(s for s, _, _, _ in units)])
        assert f1(units, value) == pytest.approx(best)
    alarmed = sum(r["weight"] for s, r in apart if by_rule(r, short, unseen, holds) or s > value)
    assert found.threshold["achieved"] == (pytest.approx(alarmed / total) if held else None)
    assert found.threshold["held_out"] == len(held)

    for row, s, verdict in zip(rows, scores, found.frame["verdict"], strict=True):
        assert verdict == (None if s is None else by_rule(row, short, unseen, holds) or s > value)
    deciding = 0 if unseen == "ignore" else None
    for row, decided in zip(rows, found.frame["decided_by"], strict=True):
        assert decided == (-1 if row["events"] < MINIMUM else row["event"] if deciding is None else deciding)

    counts = found.counts
    assert counts["labelled"] == sum(r["label"] >= 0 for r, _ in test)
    assert counts["excluded"] == {
        name: sum(r["label"] == label and s is None for r, s in test)
        for name, label in (("normal", 0), ("anomaly", 1))
    }
    assert counts["scored"] + sum(counts["excluded"].values()) == counts["labelled"]
    assert counts["short_limit"] == MINIMUM
    assert counts["short"] == sum(r["events"] < MINIMUM for r, _ in test)
    assert counts["unseen"] == sum(r["unseen"] > 0 for r, _ in test)
    assert counts["unlabelled"] == sum(r["label"] < 0 for r, _ in test)


@settings(max_examples=40, deadline=None)
@given(scored(), st.sampled_from(["flag", "drop"]))
def test_rules_need_no_model(rows: list[Row], short: Any) -> None:
    units = decide(
        frame(rows), EvaluationProtocol(short=short, threshold="fixed", value=1.0), ThresholdTraits()
    ).units
    test = [row for row in rows if row["part"] == "test"]
    for name in RULES:
        found = rule(units, name)
        for row, score, verdict in zip(test, found["score"], found["verdict"], strict=True):
            if row["events"] < MINIMUM and short == "drop":
                assert score is None and verdict is None
                continue
            brief, strange = row["events"] < MINIMUM, row["unseen"] > 0
            alarm = {"predict_all": True, "short": brief, "unseen": strange, "unseen_or_short": brief or strange}
            assert verdict == alarm[name] and score == float(alarm[name])


@settings(max_examples=60, deadline=None)
@given(scored(), st.randoms(use_true_random=False))
def test_a_pair_of_sequence_and_label_counts_once_with_its_mean_verdict(rows: list[Row], chance: Any) -> None:
    """Whatever the order of the units, and whatever else tells them apart."""
    protocol = EvaluationProtocol(threshold="fixed", value=1.0)
    shuffled = chance.sample(rows, len(rows))
    for some in (rows, shuffled):
        units = decide(frame(some), protocol, ThresholdTraits()).units
        found = distinct_units(units)
        apart = ("sequence", "label", "score", "verdict", "flagged")
        assert found.select(apart).rows() == list(dict.fromkeys(units.select(apart).rows())), "in order"
        judged: dict[Any, list[bool]] = {}
        for sequence, label, verdict in units.select("sequence", "label", "verdict").iter_rows():
            judged.setdefault((sequence, label), []).append(verdict)
        for (sequence, label), verdicts in judged.items():
            pair = found.filter(sequence=sequence, label=label)
            assert pair["weight"].sum() == pytest.approx(1)
            assert pair.filter("verdict")["weight"].sum() == pytest.approx(sum(verdicts) / len(verdicts))


def test_a_pair_that_is_judged_alike_is_one_row_of_weight_1() -> None:
    units = frame([row(sequence=i % 3, label=i % 2, raw=float(i % 3), weight=4.0) for i in range(30)])
    found = distinct_units(
        decide(units, EvaluationProtocol(threshold="fixed", value=1.0), ThresholdTraits()).units
    )
    assert found.height == 6 and found["weight"].to_list() == [1.0] * 6


class Sees:
    """An evaluator that says what it was given."""

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        return {"rows": units.height, "weight": units["weight"].sum(), "labels": set(units["label"])}


class OfUnits(Sees):
    of_units = True


@settings(max_examples=40, deadline=None)
@given(scored())
def test_evaluators_see_labelled_scored_units_only(rows: list[Row]) -> None:
    protocol = EvaluationProtocol(short="drop", threshold="fixed", value=1.0)
    units = decide(frame(rows), protocol, ThresholdTraits()).units
    kept = [r for r in rows if r["part"] == "test" and r["label"] >= 0 and r["events"] >= MINIMUM]
    found = metrics_of(units, {"own": Sees(), "main": OfUnits()}, "session", weighted=False)
    if not kept:
        assert found == {}
        return
    assert set(found) == {"own", "session"} and found["own"] == found["session"]
    assert found["own"]["all"] == {
        "rows": len(kept),
        "weight": sum(r["weight"] for r in kept),
        "labels": {r["label"] for r in kept},
    }
    assert found["own"]["distinct"]["weight"] == pytest.approx(len({(r["sequence"], r["label"]) for r in kept}))
    weighted = metrics_of(units, {"own": Sees()}, "session", weighted=True)
    assert weighted["own"]["distinct"] is None and weighted["own"]["all"] == found["own"]["all"]


def row(**changes: Any) -> Row:
    usual: Row = {"part": "test", "label": 0, "weight": 1.0, "events": 5, "unseen": 0, "sequence": 0}
    return {**usual, "raw": 1.0, "ignoring": None, "event": 2, "ignoring_event": None, **changes}


def test_ignore_needs_a_score_only_where_a_key_is_unseen() -> None:
    protocol = EvaluationProtocol(unseen="ignore")
    assert apply_protocol_rules(
        frame([row(), row(events=1, unseen=1, raw=None)]), protocol, MINIMUM, ThresholdTraits()
    )["score"].to_list() == [
        1,
        INF,
    ]
    with pytest.raises(IncompatibleError, match="no score without unseen keys"):
        apply_protocol_rules(frame([row(), row(unseen=1)]), protocol, MINIMUM, ThresholdTraits())


def test_events_that_a_model_does_not_judge_are_counted_in_units_that_are_not_short() -> None:
    rows = frame([row(), row(events=3), row(events=1, raw=None), row(part="held_out")])
    said = rows.with_columns(unjudged=pl.Series([2, 3, None, 2], dtype=pl.Int64))
    protocol = EvaluationProtocol(threshold="fixed", value=1.0)
    assert decide(said, protocol, ThresholdTraits()).counts["unjudged"] == {"events": 5, "of": 8, "units": 1}
    assert "unjudged" not in decide(rows, protocol, ThresholdTraits()).counts
    silent = rows.with_columns(unjudged=pl.lit(None, pl.Int64))
    assert "unjudged" not in decide(silent, protocol, ThresholdTraits()).counts


@given(scored(), st.data())
def test_a_row_counts_for_as_many_units_as_it_stands_for(rows: list[Row], data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 5), min_size=len(rows), max_size=len(rows)))
    repeats = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    protocol = EvaluationProtocol(threshold="fixed", value=1.0, short="drop")
    merged = frame(rows).with_columns(count=pl.Series(counts), repeats=pl.Series(repeats))
    each = [(row, again) for row, n, again in zip(rows, counts, repeats, strict=True) for _ in range(n)]
    apart = frame([row for row, _ in each]).with_columns(repeats=pl.Series([again for _, again in each]))
    found, expected = (decide(units, protocol, ThresholdTraits()) for units in (merged, apart))
    assert found.counts == expected.counts
    assert found.counts["repeats"] == sum(again for row, again in each if row["part"] == "test")
    assert found.threshold["held_out"] == expected.threshold["held_out"]
    assert expected.threshold["repeats"] == sum(
        again for row, again in each if row["part"] == "held_out" and row["events"] >= MINIMUM
    )
    assert decide(frame(rows), protocol, ThresholdTraits()).threshold["repeats"] is None


@pytest.mark.parametrize(("duplicates", "value"), [("all", 1.0), ("unique", 2.0)])
def test_an_oracle_is_best_for_the_headline(duplicates: Any, value: float) -> None:
    """Many units of one anomalous sequence are worth two false alarms; as one of two distinct ones it is not."""
    rows = [row(sequence=0, label=1, raw=2.0)] * 50 + [row(sequence=9, label=1, raw=5.0)]
    rows += [row(sequence=n, raw=2.0) for n in range(1, 9)] + [row(sequence=10, raw=1.0)]
    found = decide(frame(rows), EvaluationProtocol(threshold="oracle", duplicates=duplicates), ThresholdTraits())
    assert found.threshold["value"] == value
