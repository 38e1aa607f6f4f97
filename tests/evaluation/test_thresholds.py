"""Thresholds against exhaustive search, and what the traits of a model leave the protocol to choose."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logbench
from logbench import ConfigError, EvaluationProtocol, IncompatibleError, Plan
from logbench.api.protocol import Threshold
from logbench.components.registry import Registry
from logbench.evaluation.threshold_traits import ThresholdTraits, check_threshold, check_value
from logbench.evaluation.thresholds import (
    choose,
    is_reliable,
    labelled_threshold,
    oracle_threshold,
    validation_threshold,
)
from logbench.running.records import scores
from logbench.running.resolve import resolve
from logbench.running.runtime import Runtime
from logbench.studies.protocol_grid import variants
from logbench.studies.rescore import rescore
from logbench.studies.sweep.choices import choices

INF = math.inf
SCORE = st.sampled_from([-INF, -1.5, 0.0, 0.3, 1.0, 2.0, 9.0, INF])
# Score, label, weight, and whether a rule flags the unit, which then scores infinity as in a run.
UNITS = st.lists(
    st.tuples(SCORE, st.integers(0, 1), st.floats(0.1, 10), st.booleans()), min_size=1, max_size=12
).map(lambda rows: [(INF if flagged else score, label, weight, flagged) for score, label, weight, flagged in rows])
SOURCES = get_args(Threshold)
Unit = tuple[float, int, float, bool]


def frame(units: list[Unit]) -> pl.DataFrame:
    columns = {"score": pl.Float64, "label": pl.Int8, "weight": pl.Float64, "flagged": pl.Boolean}
    return pl.DataFrame(units, schema=columns, orient="row")


def f1(units: list[Unit], alarms: list[bool]) -> float:
    pairs = list(zip(units, alarms, strict=True))
    tp, fp, fn = (
        sum(unit[2] for unit, alarm in pairs if (unit[1], alarm) == cell)
        for cell in ((1, True), (0, True), (1, False))
    )
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def above(units: list[Unit], threshold: float) -> list[bool]:
    return [flagged or score > threshold for score, _, _, flagged in units]


@settings(max_examples=300, deadline=None)
@given(UNITS)
def test_the_oracle_is_the_best_of_every_threshold(units: list[Unit]) -> None:
    value = oracle_threshold(frame(units))
    best = max(f1(units, above(units, t)) for t in [-INF, INF, *(score for score, _, _, _ in units)])
    assert f1(units, above(units, value)) == pytest.approx(best)


def test_the_oracle_may_leave_all_alarms_to_the_rules() -> None:
    """Many normal units score infinity, as where a model never met their keys; a rule flags the anomalies."""
    units = [(INF, 1, 1.0, True)] * 3 + [(INF, 0, 1.0, False)] * 50 + [(1.0, 0, 1.0, False)] * 50
    assert oracle_threshold(frame(units)) == INF


@settings(max_examples=200, deadline=None)
@given(UNITS, st.sampled_from([0.1, 0.3, 1.0]))
def test_an_oracle_with_steps_is_the_best_of_a_published_grid(units: list[Unit], step: float) -> None:
    """Thresholds are multiples of the step, a score alarming from there on, and infinity."""
    value = oracle_threshold(frame(units), step)
    grid = [k * step for k in range(math.floor(-2 / step), math.ceil(10 / step) + 1)]
    alarms = [[flagged or score + 1e-12 >= at for score, _, _, flagged in units] for at in grid]
    best = max(f1(units, found) for found in [*alarms, above(units, INF)])
    assert f1(units, above(units, value)) == pytest.approx(best)


@given(st.lists(st.tuples(SCORE, st.floats(0.01, 100)), min_size=1, max_size=30), st.floats(0.001, 1))
def test_validation_threshold_with_any_weights(units: list[tuple[float, float]], alpha: float) -> None:
    scores, weights = np.array(units).T
    value = validation_threshold(scores, weights, alpha)
    allowed = alpha * weights.sum()
    assert value in scores
    assert weights[scores > value].sum() <= allowed * (1 + 1e-9)
    lower = scores[scores < value]
    if len(lower):
        assert weights[scores > lower.max()].sum() > allowed * (1 - 1e-9), "a smaller one would do"


EVERY = [
    pytest.param(
        {"threshold": source, "value": value, "oracle_step": step, "content": "labelled"},
        id=f"{source} {value} {step}",
    )
    for source in SOURCES
    for value in (None, 9.0)
    for step in (None, 0.5)
]


@pytest.mark.parametrize("protocol", EVERY)
def test_a_rule_has_nothing_to_choose(protocol: dict[str, Any]) -> None:
    """Held out more than alpha alarm; on test the best threshold would be another; nothing changes that."""
    held = frame([(1.0, 0, 1.0, False)] * 3)
    test = frame([(0.0, 1, 1.0, False), (1.0, 0, 1.0, False)])
    assert choose(held, test, EvaluationProtocol(**protocol), ThresholdTraits(0.5, rule=True)) == (0.5, "rule")
    assert choose(held.clear(), test.clear(), EvaluationProtocol(**protocol), ThresholdTraits(0.5, rule=True)) == (
        0.5,
        "rule",
    )


@pytest.mark.parametrize("own", [
    ThresholdTraits(threshold, *flags)
    for threshold in (None, 0.0, 0.5, -INF)
    for flags in product([False, True], repeat=3)
])  # fmt: skip
def test_what_is_kept_of_a_models_own_threshold_is_read_back(own: ThresholdTraits) -> None:
    kept = own.as_dict()
    assert ThresholdTraits.of({**kept, "value": 7.0, "source": "fixed"}) == own
    assert (kept["own"], kept["rule"], kept["uses_alpha"]) == (own.threshold, own.rule, own.uses_alpha)
    assert kept["holds_rules"] == own.holds_rules


def test_where_nothing_is_kept_the_model_is_graded_and_has_no_threshold() -> None:
    own = ThresholdTraits.of({})
    assert (
        own == ThresholdTraits() and own.threshold is None and not (own.rule or own.uses_alpha or own.holds_rules)
    )


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("value", [None, 0.0, 9.0])
@pytest.mark.parametrize(
    "own",
    [
        ThresholdTraits(),
        ThresholdTraits(0.0),
        ThresholdTraits(1.0),
        ThresholdTraits(1.0, uses_alpha=True),
        ThresholdTraits(uses_alpha=True),
        ThresholdTraits(0.5, rule=True),
    ],
)
def test_held_out_units_are_asked_for_where_the_threshold_comes_from_them(
    source: Any, value: float | None, own: ThresholdTraits
) -> None:
    """Before anything is read and after scoring alike; with one of them nothing is refused for want of them."""
    learned = own == ThresholdTraits(1.0, uses_alpha=True)
    by_source = source in ("validation", "labelled")
    needed = not own.rule and (by_source or (source == "fixed" and value is None and learned))
    test, held = frame([(1.0, 0, 1.0, False), (3.0, 1, 1.0, False)]), frame([(2.0, 0, 1.0, False)])
    protocol = EvaluationProtocol(threshold=source, value=value, held_out=0.0, content="labelled")
    if needed:
        with pytest.raises(IncompatibleError, match="needs held-out units"):
            check_threshold(protocol, own)
        with pytest.raises(IncompatibleError, match="needs held-out units"):
            choose(held.clear(), test, protocol, own)
        # By labels 1.0 is as good as 2.0, as no score lies between, so that the own one counts.
        own_counts = own.threshold == 1.0 if source == "labelled" else learned
        assert choose(held, test, protocol, own)[0] == (own.threshold if own_counts else 2.0)
    else:
        with refused_without_a_number(source, value, own):
            check_threshold(protocol, own)
        with refused_without_a_number(source, value, own):
            assert choose(held.clear(), test, protocol, own) == choose(held, test, protocol, own)
    with refused_without_a_number(source, value, own):
        check_threshold(replace(protocol, held_out=0.1), own)


def refused_without_a_number(source: str, value: float | None, own: ThresholdTraits) -> Any:
    """What remains to be refused: a fixed threshold that nobody names."""
    nobody = source == "fixed" and value is None and own.threshold is None
    return pytest.raises(IncompatibleError, match=r"set protocol\.value") if nobody else nullcontext()


def test_thresholds_that_cannot_be_had() -> None:
    none = frame([])
    for protocol, own, said in (
        ({"threshold": "validation"}, ThresholdTraits(), "needs held-out units"),
        ({"threshold": "validation"}, ThresholdTraits(1.0, uses_alpha=True), "needs held-out units"),
        ({"threshold": "fixed"}, ThresholdTraits(1.0, uses_alpha=True), "needs held-out units"),
        ({"threshold": "fixed"}, ThresholdTraits(), "set protocol.value"),
        ({"threshold": "oracle"}, ThresholdTraits(), "needs labelled test units"),
        ({"threshold": "labelled", "content": "labelled"}, ThresholdTraits(), "needs held-out units"),
    ):
        with pytest.raises(IncompatibleError, match=said):
            choose(none, none, EvaluationProtocol(**protocol), own)  # type: ignore[arg-type]
    for label in (0, 1):
        with pytest.raises(IncompatibleError, match="needs normal and anomalous held-out units, got "):
            labelled_threshold(frame([(1.0, label, 1.0, False)]))
    with pytest.raises(ConfigError, match=r"threshold=labelled needs .* use content=labelled"):
        EvaluationProtocol(threshold="labelled")


@given(st.lists(st.tuples(st.sampled_from([-INF, 0.0, 1.0, 1.5, 4.0, INF]), st.booleans(), st.integers(1, 3))))
def test_a_threshold_by_labels_has_the_best_f1_and_keeps_away_from_both_sides(
    rows: list[tuple[float, bool, int]],
) -> None:
    if len({anomalous for _, anomalous, _ in rows}) < 2:
        return
    known = frame([(score, int(label), float(weight), False) for score, label, weight in rows])
    found = labelled_threshold(known)

    def f1(threshold: float) -> float:
        tp, fp, fn = (
            sum(weight for score, label, weight in rows if (score > threshold, label) == cell)
            for cell in ((True, True), (True, False), (False, True))
        )
        return 2 * tp / (2 * tp + fp + fn)

    levels = sorted({score for score, _, _ in rows})
    assert f1(found) == max(f1(t) for t in [-INF, *levels])
    below = max((score for score in levels if score <= found), default=-INF)
    above = min((score for score in levels if score > found), default=INF)
    for own in (-5.0, 0.25, 1.0, 1.4, 3.0, 9.0) if found < INF else ():
        # The model's own threshold counts where it does as the chosen one: no score lies between the two.
        assert labelled_threshold(known, own) == (own if below <= own < above else found)
    if math.isfinite(below) and math.isfinite(above):
        assert found == (below + above) / 2


def test_the_models_own_threshold_gives_way_to_the_users() -> None:
    none, own = frame([]), ThresholdTraits(9.0)
    assert choose(none, none, EvaluationProtocol(threshold="fixed"), own) == (9.0, "fixed")
    assert choose(none, none, EvaluationProtocol(threshold="fixed", value=0.0), own) == (0.0, "fixed")


def test_a_model_that_learned_its_threshold_from_held_out_units_is_judged_by_it() -> None:
    """Another one chosen on the same units would let alpha alarm twice; an oracle may still sweep its scores."""
    held, test = frame([(5.0, 0, 1.0, False)]), frame([(3.0, 1, 1.0, False), (2.0, 0, 1.0, False)])
    own = ThresholdTraits(1.0, uses_alpha=True)
    for source in ("validation", "fixed"):
        assert choose(held, test, EvaluationProtocol(threshold=source), own) == (1.0, "validation")
    assert choose(held, test, EvaluationProtocol(threshold="oracle"), own) == (2.0, "oracle")


@pytest.mark.parametrize(
    ("protocol", "models", "said"),
    [
        ({"threshold": "fixed"}, ["markov"], None),
        ({"threshold": "fixed"}, ["markov", "new-event", "length", "new-event+length"], None),
        ({"threshold": "fixed"}, ["new-event"], None),
        ({"threshold": "fixed"}, ["new-event", "ecvc", "markov"], "2 would take it: ecvc, markov"),
        ({"threshold": "fixed"}, ["markov", "ecvc+length"], r"2 would take it: ecvc\+length, markov"),
        ({"threshold": "validation"}, ["markov"], "is for protocol.threshold=fixed, but it is validation"),
        ({"threshold": "oracle"}, ["markov"], "is for protocol.threshold=fixed, but it is oracle"),
    ],
)
def test_a_value_is_on_the_scale_of_one_model(
    protocol: dict[str, Any], models: list[str], said: str | None
) -> None:
    plans = [
        Plan(
            model=name,
            dataset="hdfs-sim",
            companions=tuple(models),
            settings={"protocol": {**protocol, "value": "9"}},
        )
        for name in models
    ]
    for plan in plans:
        if said is None:
            assert resolve(plan, Registry()).protocol.value == 9
        else:
            with pytest.raises(ConfigError, match=said):
                resolve(plan, Registry())


def test_a_value_goes_with_the_fixed_threshold_that_it_was_given_for() -> None:
    fixed = EvaluationProtocol(threshold="fixed", value=9.0)
    assert EvaluationProtocol.of(fixed.as_dict(), threshold="oracle").value is None
    assert EvaluationProtocol.of(fixed.as_dict(), alpha=0.1).value == 9.0
    with pytest.raises(ConfigError, match="it is oracle"):
        check_value(EvaluationProtocol.of(fixed.as_dict(), threshold="oracle", value=8.0), [("markov", False)])


def test_the_threshold_of_a_rule_cannot_be_swept() -> None:
    resolved = resolve(Plan(model="length", dataset="hdfs-sim"), Registry())
    with pytest.raises(ConfigError, match="length only says yes or no"):
        choices(["protocol.value=0:3"], resolved)


RULES = ("new-event", "length", "2-gram", "predict-all", "predict-none", "new-event+length")


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Records of rules under the default threshold, by name."""
    out = tmp_path_factory.mktemp("ruled")
    found = logbench.run(RULES, dataset="hdfs-sim", out=out)
    assert all(record.error is None and record.threshold["source"] == "rule" for record in found)
    return out, {record.model: record.as_dict() for record in found}


@pytest.mark.parametrize("protocol", [{"threshold": "oracle"}, {"threshold": "fixed", "value": "9"}])
def test_rules_keep_their_verdicts_under_every_threshold(
    protocol: dict[str, Any], ruled: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """In a run, beside a model that takes the value, and rescored."""
    out, before = ruled
    found = logbench.run([*RULES, "markov"], dataset="hdfs-sim", settings={"protocol": protocol}, out=tmp_path)
    for record in found:
        assert record.error is None
        if record.model != "markov":
            assert record.metrics == before[record.model]["metrics"], record.model
            again = rescore(before[record.model], out, protocol, (), Registry(), "")
            assert again.metrics == record.metrics and again.threshold["source"] == "rule"
    assert found[-1].threshold["source"] == protocol["threshold"]


def test_the_protocols_table_judges_a_rule_alike_under_every_threshold() -> None:
    resolved = resolve(Plan(model="length", dataset="hdfs-sim"), Registry())
    rows: dict[Any, list[Any]] = {}
    for row in variants(resolved, Runtime.here()):
        rows.setdefault(tuple(row["protocol"][name] for name in ("short", "unseen", "duplicates")), []).append(
            row["metrics"]
        )
    assert rows and all(len(found) == 3 and found[0] == found[1] == found[2] for found in rows.values())


def test_rules_by_an_oracle_on_real_sequences(shared_data: Path, tmp_path: Path) -> None:
    """Their verdicts are in their scores, 1 or 0; no label of the test moves them."""
    found = logbench.run(
        ["new-event", "length"],
        dataset="openstack-sequences",
        data=shared_data / "openstack_loghub",
        settings={"protocol": {"threshold": "oracle"}},
        out=tmp_path,
    )
    for record in found:
        assert record.error is None
        units = scores(record.as_dict(), tmp_path).filter(part="test")
        truth, alarms = units["label"].to_numpy() == 1, units["raw"].to_numpy() > 0.5
        expected = 2 * np.sum(truth & alarms) / (truth.sum() + alarms.sum())
        assert record.metrics["session"]["all"]["f1"] == pytest.approx(expected) and expected < 0.15


@pytest.mark.parametrize(
    ("held_out", "alpha", "expected"),
    [(0, 0.5, False), (1, 0.5, False), (2, 0.5, True), (199, 0.005, False), (200, 0.005, True), (1, 1.0, True)],
)
def test_a_threshold_is_reliable_from_one_held_out_unit_above_it(
    held_out: int, alpha: float, expected: bool
) -> None:
    assert is_reliable("validation", held_out, alpha) is expected
    assert all(is_reliable(source, held_out, alpha) for source in ("rule", "fixed", "oracle"))


def test_a_combination_says_that_too_few_are_held_out(tmp_path: Path) -> None:
    """Its members' thresholds come from them like any other."""
    few = {"protocol": {"train_units": "100", "held_out": "0.1", "alpha": "0.005"}}
    (record,) = logbench.run("ecvc+length", dataset="hdfs-sim", settings=few, out=tmp_path)
    assert record.error is None and record.threshold["reliable"] is False
    assert any("unreliable" in note for note in record.notes)
