"""Metrics of single lines against loops over them, and the models' scores of events by their definitions."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_log import Row, registry, run_one, write
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from logbench import (
    ConfigError,
    Context,
    EvaluationProtocol,
    IncompatibleError,
    ModelComponent,
    ModelTraits,
    PluginError,
    Scores,
    Sessions,
)
from logbench.base.options import make
from logbench.components.registry import Registry
from logbench.evaluation import line_metrics as judged
from logbench.evaluation.line_metrics import event_frame, has_labels, judge
from logbench.evaluation.threshold_traits import ThresholdTraits
from logbench.evaluation.thresholds import validation_threshold
from logbench.studies.rescore import rescore
from logbench_evaluators.classification import Classification

INF = math.inf
REGISTRY = Registry()
EVALUATORS = {"classification": Classification()}
LEAST = 2


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events go over the ends of chunks, which are otherwise larger than any test's log."""
    monkeypatch.setattr(judged, "CHUNK", 3)


@st.composite
def logs(draw: st.DrawFn) -> tuple[Sessions, dict[str, np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """Units that may share lines, their parts, and a score for each event of those long enough."""
    total = draw(st.integers(2, 12))
    labels = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=total, max_size=total))
    keys = draw(st.lists(st.integers(0, 4), min_size=total, max_size=total))
    shares = draw(st.booleans())
    units: list[list[int]] = [[], [], [], []]
    for line in range(total):
        chosen = draw(st.sets(st.integers(0, 3), min_size=1, max_size=3 if shares else 1))
        for unit in chosen:
            units[unit].append(line)
    units = [unit for unit in units if unit]
    flat = np.array([line for unit in units for line in unit])
    sessions = Sessions.of(
        [[keys[line] for line in unit] for unit in units],
        vocabulary=3,
        lines=flat,
        line_labels=np.array(labels, dtype=np.int8)[flat],
        weights=np.array(draw(st.lists(st.sampled_from([1.0, 2.0]), min_size=len(units), max_size=len(units)))),
    )
    if shares:
        sessions = sessions.take(np.arange(len(units)))
        sessions.weights[:] = 1.0
    held = draw(st.integers(0, len(units) - 1))
    order = np.array(draw(st.permutations(range(len(units)))), dtype=np.int64)
    parts = {"held_out": order[:held], "test": order[held:]}
    asked = int(sum(length for length in sessions.lengths[order] if length >= LEAST))
    scores = draw(st.lists(st.sampled_from([-INF, 0.0, 1.0, 2.5, INF]), min_size=asked, max_size=asked))
    return sessions, parts, np.array(scores, dtype=np.float64)


def by_hand(sessions: Sessions, parts: Any, scores: Any) -> dict[str, dict[int, dict[str, Any]]]:
    """Part → line → its label, key, highest score (None: only in short units), and weight."""
    assert sessions.lines is not None and sessions.line_labels is not None
    given, found = iter(scores.tolist()), {}
    for part, units in parts.items():
        lines: dict[int, dict[str, Any]] = {}
        for unit in units:
            for at in range(sessions.offsets[unit], sessions.offsets[unit + 1]):
                raw = next(given) if sessions.lengths[unit] >= LEAST else None
                one = {"label": int(sessions.line_labels[at]), "key": int(sessions.keys[at]), "raw": raw}
                one["weight"] = float(sessions.weights[unit])
                before = lines.setdefault(int(sessions.lines[at]), one)
                if raw is not None and (before["raw"] is None or raw > before["raw"]):
                    before["raw"] = raw
        found[part] = lines
    assert next(given, None) is None
    return found


@given(
    logs(),
    st.sampled_from(["flag", "miss", "drop"]),
    st.sampled_from(["target", "anomalous"]),
    st.sampled_from(["validation", "fixed", "oracle"]),
    st.booleans(),
    st.sampled_from([0.3, 0.05]),
)
@settings(max_examples=60, deadline=None)
def test_metrics_of_events_are_those_of_a_loop_over_lines(
    log: Any, short: str, unseen: str, threshold: str, labelled: bool, alpha: float
) -> None:
    sessions, parts, scores = log
    options: dict[str, Any] = {"short": short, "unseen": unseen, "threshold": threshold, "alpha": alpha}
    content = {"content": "labelled"} if labelled else {}
    protocol = EvaluationProtocol(value=1.0, **options, **content)
    frame = event_frame(sessions, parts, scores, LEAST)
    lines = by_hand(sessions, parts, scores)
    for part, rows in lines.items():
        assert frame.filter(part=part)["count"].sum() == len(rows)
    by_rule = {"flag": INF, "miss": -INF, "drop": None}

    def ruled(row: dict[str, Any]) -> float | None:
        if row["raw"] is None:
            return by_rule[short]
        return INF if unseen == "anomalous" and row["key"] >= 3 else float(row["raw"])

    held = [(ruled(row), row["weight"]) for row in lines["held_out"].values() if not labelled or row["label"] != 1]
    held = [(score, weight) for score, weight in held if score is not None]
    test = [row for row in lines["test"].values() if row["label"] >= 0]
    known = [(ruled(row), row) for row in test if ruled(row) is not None]
    if (threshold == "validation" and not held) or (threshold == "oracle" and not known):
        with pytest.raises(IncompatibleError):
            judge(frame, protocol, ThresholdTraits(), EVALUATORS, short_limit=LEAST)
        return
    found = judge(frame, protocol, ThresholdTraits(), EVALUATORS, short_limit=LEAST)
    value = found["threshold"]["value"]
    if threshold == "validation":
        assert value == validation_threshold(*map(np.array, zip(*held, strict=True)), alpha)
        assert found["threshold"]["reliable"] == (len(held) * alpha >= 1)
    assert found["threshold"]["held_out"] == len(held)
    assert found["counts"]["labelled"] == len(test) and found["counts"]["scored"] == len(known)
    assert found["counts"]["excluded"]["anomaly"] == sum(r["label"] == 1 and ruled(r) is None for r in test)
    assert found["counts"]["unjudged"] == sum(row["raw"] == -INF for row in lines["test"].values())
    if not known:
        assert found["metrics"] == {}
        return
    metrics = found["metrics"]["event"]["all"]
    truth, weight = [row["label"] for _, row in known], [row["weight"] for _, row in known]
    alarms = [
        float(score) > value  # type: ignore[arg-type]
        or (row["raw"] is None and short == "flag")
        or (row["raw"] is not None and unseen == "anomalous" and row["key"] >= 3)
        for score, row in known
    ]
    assert metrics["f1"] == pytest.approx(f1_score(truth, alarms, sample_weight=weight, zero_division=0.0))
    if threshold == "oracle" and 1 in truth and unseen == "target" and short != "flag":
        cuts = [-INF, *(float(score) for score, _ in known)]  # type: ignore[arg-type]
        best = max(
            f1_score(truth, [score > cut for score, _ in known], sample_weight=weight, zero_division=0.0)  # type: ignore[operator]
            for cut in cuts
        )
        assert metrics["f1"] == pytest.approx(best)
    if len(set(truth)) == 2:
        rank = [sorted({s for s, _ in known}).index(score) for score, _ in known]  # type: ignore[type-var]
        assert metrics["auroc"] == pytest.approx(roc_auc_score(truth, rank, sample_weight=weight))
        assert metrics["auprc"] == pytest.approx(average_precision_score(truth, rank, sample_weight=weight))
    assert found["metrics"]["event"]["distinct"] is None
    everything = found["trivial"]["predict_all"]["event"]["all"]
    assert everything["recall"] == (1.0 if 1 in truth else 0.0) and everything["tn"] == everything["fn"] == 0
    strange = f1_score(truth, [row["key"] >= 3 for _, row in known], sample_weight=weight, zero_division=0.0)
    assert found["trivial"]["unseen"]["event"]["all"]["f1"] == pytest.approx(strange)


def test_ignored_unseen_keys_have_no_scores_of_events() -> None:
    with pytest.raises(IncompatibleError, match="no score of events"):
        judge(pl.DataFrame(), EvaluationProtocol(unseen="ignore"), ThresholdTraits(), {}, short_limit=1)


def model(name: str, train: list[list[int]], vocabulary: int, **options: Any) -> Any:
    item = REGISTRY.get("model", name).item
    made = item.build() if item.config is None else item.build(make(item.config, options, name))
    made.fit(Sessions.of(train, vocabulary), Context())
    return made


def scored(made: Any, test: list[list[int]], vocabulary: int) -> list[list[float]]:
    """Scores of the events, unit by unit, and nothing where they are not asked for."""
    sessions = Sessions.of(test, vocabulary)
    assert Scores.of(made.score(sessions, Context()), len(sessions), "m").events is None
    answer = Scores.of(made.score(sessions, Context(events=True)), len(sessions), "m", len(sessions.keys))
    assert answer.events is not None
    return [values.tolist() for values in np.split(answer.events, sessions.offsets[1:-1])]


UNITS = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=8), min_size=1, max_size=6)
KNOWN = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=6)


@given(KNOWN, UNITS)
@settings(deadline=None)
def test_new_event_scores_unseen_events(train: list[list[int]], test: list[list[int]]) -> None:
    seen = {key for unit in train for key in unit}
    found = scored(model("new-event", train, 3), test, 3)
    assert found == [[float(key not in seen) for key in unit] for unit in test]


@given(KNOWN, UNITS)
@settings(deadline=None)
def test_markov_scores_the_transition_to_an_event(train: list[list[int]], test: list[list[int]]) -> None:
    pairs = Counter(pair for unit in train for pair in pairwise(["begin", *unit, "end"]))
    left = Counter(pair[0] for pair in pairs.elements())

    def cost(before: Any, after: Any) -> float:
        return -math.log((pairs[before, after] + 1) / (left[before] + 5))

    folded = [["begin", *(min(key, 3) for key in unit)] for unit in test]
    expected = [[cost(*pair) for pair in pairwise(unit)] for unit in folded]
    for ours, theirs in zip(scored(model("markov", train, 3), test, 3), expected, strict=True):
        assert ours == pytest.approx(theirs)


@given(KNOWN, UNITS, st.integers(2, 5))
@settings(deadline=None)
def test_an_event_ends_the_n_grams_that_judge_it(train: list[list[int]], test: list[list[int]], n: int) -> None:
    def grams(unit: list[int]) -> list[tuple[int, ...]]:
        padded = [-1, *(min(key, 3) for key in unit), -1]
        return [tuple(padded[i : i + n]) for i in range(len(padded) - n + 1)]

    known = {gram for unit in train for gram in grams(unit)}
    expected = []
    for unit in test:
        values = [-INF] * len(unit)
        for i, gram in enumerate(grams(unit)):
            at = min(i + n - 2, len(unit) - 1)
            values[at] = max(values[at], float(gram not in known))
        expected.append(values)
    assert scored(model("n-gram", train, 3, n=n), test, 3) == expected


def test_deeplog_scores_ranks_and_leaves_events_without_history() -> None:
    pytest.importorskip("torch")
    made = model("deeplog", [[0, 1, 2, 0, 1, 2, 0]] * 20, 3, h=2, hidden=8, steps=30, stop="steps", g=1)
    test = [[0, 1, 2, 3, 0], [0, 1], [2], [0, 1, 0]]
    found = scored(made, test, 3)
    assert found[1] == [-INF, -INF] and found[2] == [-INF] and found[0][:2] == [-INF, -INF]
    assert found[0][3] == INF and found[0][2] in (1.0, 2.0, 3.0), "an unknown key, and a rank"
    sessions = Sessions.of(test, 3)
    whole = made.score(sessions, Context(events=True))
    longer = [i for i, unit in enumerate(test) if len(unit) > 2]
    assert [max(found[i]) for i in longer] == whole.primary[longer].tolist(), "a unit's score is its worst event's"


class Sum:
    """Scores events by their keys, and cannot score them rightly where told so."""

    wrong: Any = None

    def fit(self, train: Sessions, context: Context) -> None: ...

    def score(self, sessions: Sessions, context: Context) -> Scores:
        assert context.events and sessions.line_labels is None
        events = sessions.keys.astype(np.float64) if self.wrong is None else self.wrong
        return Scores(np.maximum.reduceat(sessions.keys, sessions.offsets[:-1]).astype(np.float64), events=events)


LOG: list[Row] = [(f"m{i % 5}" if i % 13 else f"odd {i}", int(i % 13 == 0 and i > 60), i, "x") for i in range(200)]
PROTOCOL = {"train": "ratio", "train_ratio": 0.5, "content": "mixed", "alpha": 0.1, "held_out": 0.3}


@pytest.mark.parametrize("stride", [0, 3])
def test_a_run_has_metrics_of_lines_beside_those_of_windows(tmp_path: Path, stride: int) -> None:
    options = {"protocol": PROTOCOL, "count": {"size": 10, "stride": stride}}
    record = run_one(write(tmp_path / "a.log", LOG), registry(), "new-event", options)
    assert record.status == "ok", record.error
    assert sorted(record.metrics) == ["event", "window"] and record.metrics["event"]["distinct"] is None
    training = {message for message, *_ in LOG[:70]}
    test = [(message not in training, label == 1) for message, label, *_ in LOG[100:]]
    cells = Counter(test)
    found = record.metrics["event"]["all"]
    assert (found["tp"], found["fp"], found["fn"]) == (cells[True, True], cells[True, False], cells[False, True])
    assert record.counts["event"]["labelled"] == 100 and record.threshold["event"]["held_out"] == 30
    assert record.trivial["predict_all"]["event"]["all"]["tp"] == sum(label for _, label in test)


@pytest.mark.parametrize("wrong", [np.zeros(3), np.full(130, np.nan), "no"])
def test_wrong_scores_of_events_are_the_models_fault(tmp_path: Path, wrong: Any) -> None:
    class Wrong(Sum):
        pass

    Wrong.wrong = wrong
    models = [ModelComponent("sum", Wrong, traits=ModelTraits(fixed_threshold=3.0))]
    options = {"protocol": PROTOCOL, "count": {"size": 10}}
    record = run_one(write(tmp_path / "a.log", LOG), registry(models=models), "sum", options)
    assert record.status == "error" and record.error is not None and record.error["type"] == "PluginError"
    assert "'events'" in record.error["message"]


def test_without_labels_of_lines_no_events_are_asked_for() -> None:
    sessions = Sessions.of([[0]], 1, lines=np.zeros(1, np.int64))
    assert not has_labels(sessions)
    assert not has_labels(Sessions.of([[0]], 1, lines=np.zeros(1, np.int64), line_labels=np.full(1, -1, np.int8)))
    assert not has_labels(Sessions.of([[0]], 1, line_labels=np.zeros(1, np.int8)))
    with pytest.raises(PluginError, match="'events'"):
        Scores.of(Scores(np.zeros(1), events=np.zeros(2)), 1, "m", 1)


def test_a_table_shows_lines_below_units_and_its_prevalence_is_the_units(tmp_path: Path) -> None:
    options = {"protocol": PROTOCOL, "count": {"size": 10}}
    record = run_one(write(tmp_path / "a.log", LOG), registry(), "new-event", options).as_dict()
    table = REGISTRY.get("reporter", "table").item
    units, lines = table.build(make(table.config, {}, "table")).report([record]).split("single lines: ")
    shares = [record["metrics"][unit]["all"]["prevalence"] for unit in ("window", "event")]
    assert f"(prevalence {shares[0]:.4f})" in units and f"(prevalence {shares[1]:.4f})" in lines
    assert shares[0] != shares[1] and lines.startswith("100 labelled ones tested")
    f1 = f"{record['metrics']['event']['all']['f1']:.3f}"
    assert next(line for line in lines.splitlines() if line.startswith("new-event")).split()[1] == f1


def test_rescoring_judges_the_stored_events_again(tmp_path: Path) -> None:
    data, found = write(tmp_path / "a.log", LOG), registry()
    options = {"protocol": PROTOCOL, "count": {"size": 10}}
    old = run_one(data, found, "markov", options)
    new = rescore(old.as_dict(), tmp_path / "runs", {"threshold": "oracle"}, (), found, "")
    fresh = run_one(data, found, "markov", {**options, "protocol": {**PROTOCOL, "threshold": "oracle"}})
    for part in ("metrics", "trivial", "threshold", "counts", "audit"):
        assert getattr(new, part) == getattr(fresh, part) != {}, part
    assert new.threshold["event"]["source"] == "oracle" != old.threshold["event"]["source"]
    again = rescore(old.as_dict(), tmp_path / "runs", {"min_events": 3}, (), found, "")
    assert list(again.metrics) == ["window"] and "another min_events" in again.notes[-1]


def test_rescoring_with_another_limit_of_short_units(tmp_path: Path) -> None:
    """0 gives the model its own need again; what was not scored, or cannot be, is refused."""
    data, found, folder = write(tmp_path / "a.log", LOG), registry(), tmp_path / "runs"
    options = {"protocol": {**PROTOCOL, "min_events": 4}, "count": {"size": 10}}
    old = run_one(data, found, "markov", options).as_dict()
    assert old["counts"]["short_limit"] == 4 and old["counts"]["needed"] == 1
    assert rescore(old, folder, {"min_events": 0}, (), found, "").counts["short_limit"] == 1
    aged = {**old, "counts": {**old["counts"], "needed": None}}
    with pytest.raises(ConfigError, match="give a number"):
        rescore(aged, folder, {"min_events": 0}, (), found, "")
    assert rescore(aged, folder, {"short": "miss"}, (), found, "").counts["short_limit"] == 4
    timed = run_one(data, found, "timing", options).as_dict()
    with pytest.raises(IncompatibleError, match=r"timing needs units of 2 events, but protocol.min_events=1"):
        rescore(timed, folder, {"min_events": 1}, (), found, "")
