"""Combinations: the union of the members' verdicts, by brute force; names, options and bundles of members."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import logbench
from logbench import (
    ConfigError,
    Context,
    EvaluationProtocol,
    IncompatibleError,
    ModelComponent,
    ModelTraits,
    Plan,
    Sessions,
    testing,
)
from logbench.components.ensemble import Combination
from logbench.components.levels import Level
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.evaluation.verdicts import decide
from logbench.running.bundle import Bundle
from logbench.running.records import scores
from logbench.running.resolve import ResolvedPlan, resolve
from logbench.studies.rescore import rescore

SCORES = st.lists(
    st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.sampled_from([np.inf, -np.inf])),
    min_size=1,
    max_size=30,
)


@given(SCORES, SCORES, st.floats(0.001, 0.5))
def test_a_level_alarms_where_the_members_own_threshold_does(
    held: list[float], asked: list[float], alpha: float
) -> None:
    """The threshold by its definition: of the held-out scores the smallest with at most alpha of them above."""
    allowed = [s for s in held if sum(h > s for h in held) <= alpha * len(held)]
    level = Level.of(np.array(held), np.ones(len(held)), alpha)
    found = level(np.array(asked))
    assert level.threshold == min(allowed)
    assert (found > 1).tolist() == [s > min(allowed) for s in asked]
    assert not np.isnan(found).any() and found.min() >= 0


@given(SCORES, SCORES, st.floats(0.001, 0.5))
def test_a_level_keeps_the_order_of_scores(held: list[float], asked: list[float], alpha: float) -> None:
    level = Level.of(np.array(held), np.ones(len(held)), alpha)
    in_order = level(np.sort(np.array(asked)))
    assert all(a <= b for a, b in pairwise(in_order))
    beyond = level.threshold + np.array([1.0, 2.0, 3.0]) * level.scale
    if np.isfinite(beyond).all() and level.scale > 1e-6 * max(1, abs(level.threshold)):
        assert (np.diff(level(beyond)) > 0).all(), "alarms stay in strict order, for the oracle"


class Told:
    """A model that says what its class was told, by the unit's first key."""

    told: tuple[float, ...] = ()

    def fit(self, train: Sessions, context: Context) -> dict[str, Any]:
        return {"seen": len(train)}

    def score(self, sessions: Sessions, context: Context) -> NDArray[np.float64]:
        return np.array(self.told)[sessions.keys[sessions.offsets[:-1]]]


RULE: Mapping[str, Any] = {"binary_scores": True, "fixed_threshold": 0.5}
MEMBERS = {name: type(name.upper(), (Told,), {}) for name in "abc"}


@cache
def resolved_of(model: str, by: str = "") -> ResolvedPlan:
    """A combination of `a` and `b`, which are graded, and the rule `c`: found once, since examples are many."""
    members = [ModelComponent(name, cls, traits=ModelTraits(**RULE if name == "c" else {}))
               for name, cls in MEMBERS.items()]  # fmt: skip
    settings = {"combination": {"by": by}} if by else {}
    return resolve(Plan(model=model, dataset="hdfs-sim", settings=settings), registry(*members))


def told(resolved: ResolvedPlan, **columns: Sequence[float]) -> Combination:
    """A new model of it, whose members say these values."""
    for name, values in columns.items():
        MEMBERS[name].told = tuple(values)  # type: ignore[attr-defined]
    model: Combination = resolved.model.build()
    return model


def registry(*components: logbench.ModelComponent[Any]) -> Registry:
    return testing.registry(models=components)


@given(st.lists(st.tuples(*[st.floats(0, 1) for _ in range(3)]), min_size=3, max_size=12), st.floats(0.05, 0.4))
def test_the_verdict_is_the_union_of_the_members_each_with_its_part_of_alpha(
    rows: list[tuple[float, float, float]], alpha: float
) -> None:
    """Members a and b are graded, c is a rule; unit i holds the one key i, the first units are held out."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    sessions = Sessions.of([[i] for i in range(len(rows))], vocabulary=len(rows))
    held = np.arange(len(rows) - 1)
    model = told(resolved_of("a+b+c"), a=columns[0], b=columns[1], c=columns[2])
    context = Context(held_out=sessions.take(held), alpha=alpha)
    model.fit(sessions, context)
    found = model.score(sessions, context)
    expected, among_held = np.array(columns[2]) > 0.5, np.zeros(len(rows), dtype=bool)
    for column in columns[:2]:
        values = np.array(column)
        threshold = min(v for v in values[held] if (values[held] > v).sum() <= alpha / 2 * len(held))
        expected |= values > threshold
        among_held |= values > threshold
    assert (found.primary > 1).tolist() == expected.tolist()
    assert among_held[held].sum() <= alpha * len(held), (
        "graded members alarm on alpha of the held-out units at most"
    )
    assert found.others["b"].tolist() == columns[1]


def test_members_are_found_configured_and_named() -> None:
    known = Registry()
    settings = {"ecvc": {"max_train": "7"}, "deeplog": {"h": "4"}, "protocol": {"min_events": "0"}}
    resolved = resolve(Plan(model="event+ecvc+deeplog", dataset="hdfs-sim", settings=settings), known)
    assert resolved.model.name == "new-event+ecvc+deeplog"
    assert resolved.config["model"]["ecvc"] == {"max_train": 7} and resolved.config["model"]["deeplog"]["h"] == 4
    assert resolved.short_limit == 5, "DeepLog's h + 1, the largest"
    assert {"baselines", "deeplog"} <= {part.entry.plugin.name for part in resolved.parts}
    assert "event" not in known.components["model"], "an alias is no second component"


@pytest.mark.parametrize(
    ("model", "settings", "said"),
    [
        ("ecvc+ecvcc", {}, "no model is called 'ecvcc'; did you mean 'ecvc'"),
        ("event+new-event", {}, "new-event is named twice"),
        ("ecvc+decision-tree", {}, "decision-tree is supervised"),
        ("ecvc+length", {"model": {"max_train": "7"}}, "name the member, ecvc.max_train"),
        ("ecvc+length", {"edit": {"max_train": "7"}}, "takes no part"),
        ("+ecvc", {}, "no model is called '\\+ecvc'"),
        ("ecvc*3", {}, "ecvc does not depend on its seed"),
        ("deeplog*1", {}, "give two copies or more"),
        ("deeplog*3+deeplog", {}, "deeplog is named twice"),
        ("ecvc+length", {"combination": {"by": "sum"}}, "combination.by=sum"),
        ("ecvc", {"combination": {"by": "vote"}}, "combination"),
    ],
)
def test_a_wrong_combination_is_one_line(model: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve(Plan(model=model, dataset="hdfs-sim", settings=settings), Registry())


def test_a_taken_alias_is_refused() -> None:
    with pytest.raises(ConfigError, match="'event' is already taken by baselines"):
        registry(ModelComponent("mine", Told, aliases=("event",)))


@given(
    st.lists(
        st.tuples(st.integers(-72, 72).map(lambda eighths: eighths / 8), st.floats(0, 1), st.booleans()),
        min_size=2,
        max_size=12,
    ).filter(lambda rows: any(anomaly for _, _, anomaly in rows)),
    st.booleans(),
)
def test_an_oracle_makes_rules_or_one_swept_score(rows: list[tuple[float, float, bool]], held_out: bool) -> None:
    """As published: a unit alarms by the rule, or where its score is above the threshold that is best on test."""
    graded, ruled, labels = (list(column) for column in zip(*rows, strict=True))
    resolved = resolved_of("a+c")
    sessions = Sessions.of([[i] for i in range(len(rows))], vocabulary=len(rows))
    context = Context(held_out=sessions.take(np.arange(len(rows) // 2 + 1)) if held_out else None)
    model = told(resolved, a=graded, c=ruled)
    model.fit(sessions, context)
    found = model.score(sessions, context).primary
    test = pl.DataFrame({"raw": found, "label": labels, "weight": 1.0, "events": 1, "unseen": 0, "part": "test"})
    test = test.with_columns(pl.col("label").cast(pl.Int8), event=pl.lit(0, pl.Int64))
    decision = decide(test, EvaluationProtocol(threshold="oracle"), resolved.model.own, short_limit=1)

    def f1(alarms: list[bool]) -> float:
        hits = sum(alarm and label for alarm, label in zip(alarms, labels, strict=True))
        return 2 * hits / (sum(alarms) + sum(labels))

    every = [[rule > 0.5 or score > t for score, rule, _ in rows] for t in [-np.inf, *graded, np.inf]]
    assert decision.threshold["source"] == "oracle"
    alarms = decision.units["verdict"].to_list()
    assert all(alarm for alarm, rule in zip(alarms, ruled, strict=True) if rule > 0.5), "at any threshold"
    assert f1(alarms) == pytest.approx(max(map(f1, every)))


def test_the_presets_oracle_runs_combinations_without_held_out_units(tmp_path: Path) -> None:
    """Each is at least as good as its members: as the rules alone at infinity, and above by their alarms."""
    models = ["new-event+length", "ecvc", "new-event+length+ecvc"]
    found = logbench.run(models, dataset="hdfs-sim", preset="ait-review", out=tmp_path)
    assert [record.error for record in found] == [None] * 3
    rules, score, both = (record.metrics["session"]["all"]["f1"] for record in found)
    assert both >= rules and found[2].split["held_out"] == 0
    assert [record.threshold["source"] for record in found] == ["rule", "oracle", "oracle"]
    alarms = [frame["verdict"] for frame in (scores(record.as_dict(), tmp_path) for record in found)]
    assert (alarms[2] | ~alarms[0]).all(), "what a rule says alarms"
    assert score > 0.5


def test_thresholds_of_a_combination_need_held_out_units(tmp_path: Path) -> None:
    """Said before anything is fitted, and of stored scores too."""
    kept = {"held_out": "0", "threshold": "oracle"}
    for threshold in ("validation", "fixed"):
        settings = {"protocol": {**kept, "threshold": threshold}}
        (record,) = logbench.run("ecvc+length", dataset="hdfs-sim", settings=settings, out=tmp_path)
        assert record.status == "skipped" and record.error is not None and "fit" not in record.stages
        assert "needs held-out units" in record.error["message"]
    (record,) = logbench.run("ecvc+length", dataset="hdfs-sim", settings={"protocol": kept}, out=tmp_path)
    assert record.status == "ok"
    with pytest.raises(IncompatibleError, match="needs held-out units"):
        rescore(record.as_dict(), tmp_path, {"threshold": "fixed"}, (), Registry(), "")


def test_without_held_out_units_two_graded_members_cannot_be_levelled() -> None:
    sessions = Sessions.of([[0], [1]], vocabulary=2)
    model = resolve(Plan(model="length+ecvc+markov", dataset="hdfs-sim"), Registry()).model.build()
    with pytest.raises(IncompatibleError, match="ecvc in a combination needs held-out units"):
        model.fit(sessions, Context())
    rules = resolve(Plan(model="length+event", dataset="hdfs-sim"), Registry()).model.build()
    rules.fit(sessions, Context())
    assert rules.score(sessions, Context()).primary.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("model", "protocol"),
    [
        ("ecvc+length+markov", {"alpha": "0.4", "held_out": "0.2"}),
        ("ecvc+length", {"held_out": "0", "threshold": "oracle"}),
        ("isolation-forest*3+length", {"alpha": "0.4", "held_out": "0.2", "by": "rank"}),
    ],
)
def test_a_saved_combination_gives_the_verdicts_of_its_run(
    write_hdfs: Any, tmp_path: Path, model: str, protocol: dict[str, str]
) -> None:
    protocol = dict(protocol)
    log = [f"{what} block blk_{i}" for i in range(1, 60) for what in ("Receiving", "Received")[: 1 + (i % 7 > 0)]]
    labels = "BlockId,Label\n" + "".join(f"blk_{i},{'Normal' if i % 7 else 'Anomaly'}\n" for i in range(1, 60))
    data = write_hdfs(messages=log, labels=labels)
    by = {"combination": {"by": protocol.pop("by")}} if "by" in protocol else {}
    settings = {"protocol": {"train_units": "30", "min_events": "0", **protocol}, **by}
    (record,) = logbench.run(
        model, dataset="hdfs", data=data, settings=settings, out=tmp_path, save=tmp_path / "saved"
    )
    assert record.error is None and (record.threshold["value"] == 1.0) == ("alpha" in protocol)
    assert set(model.replace("*3", "#2").split("+")) - {"length"} <= set(record.training["members"])
    stored = scores(record.as_dict(), tmp_path).filter(pl.col("part") == "test").select("unit", "score", "verdict")
    found = score_bundle(Bundle(tmp_path / "saved", Registry()), data, "cpu", lambda *_: None)
    again = stored.select("unit").join(found.select("unit", "score", "verdict"), on="unit", maintain_order="left")
    assert again.equals(stored) and stored["verdict"].n_unique() == 2


def joined(by: str, alpha: float, rows: list[tuple[float, float, float]]) -> tuple[Any, list[list[float]], Any]:
    """Scores of a, b (graded) and the rule c, joined; the columns; which units are held out."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    sessions = Sessions.of([[i] for i in range(len(rows))], vocabulary=len(rows))
    held = np.arange(len(rows) * 2 // 3)
    model = told(resolved_of("a+b+c", by), a=columns[0], b=columns[1], c=columns[2])
    context = Context(held_out=sessions.take(held), alpha=alpha)
    model.fit(sessions, context)
    return model.score(sessions, context).primary, columns, held


ROWS = st.lists(
    st.tuples(*[st.integers(0, 40).map(float) for _ in range(2)], st.sampled_from([0.0, 1.0])),
    min_size=6,
    max_size=14,
)


@given(ROWS, st.floats(0.05, 0.4))
def test_a_vote_alarms_where_more_than_half_of_the_members_do(rows: Any, alpha: float) -> None:
    scores, columns, held = joined("vote", alpha, rows)
    ballots = np.array(columns[2]) > 0.5
    count = ballots.astype(int)
    for column in columns[:2]:
        values = np.array(column)
        count += values > min(v for v in values[held] if (values[held] > v).sum() <= alpha * len(held))
    assert (scores > 1).tolist() == (count >= 2).tolist()
    assert all(scores[i] <= scores[j] for i in range(len(rows)) for j in range(len(rows)) if count[i] < count[j])


@given(ROWS, st.floats(0.05, 0.4))
def test_ranks_are_those_among_held_out_scores_and_their_mean_has_its_own_threshold(
    rows: Any, alpha: float
) -> None:
    scores, columns, held = joined("rank", alpha, rows)
    assert (scores[held] > 1).sum() <= alpha * len(held)
    means = np.zeros(len(rows))
    for column in columns[:2]:
        values = np.array(column)
        known = np.sort(values[held])
        spread = known[-1] - known[0] or 1.0
        for at, value in enumerate(values):
            beyond = (value - known[-1]) / spread
            among = np.searchsorted(known, value, side="right") / len(known)
            if value in known:
                means[at] += among / 3
            elif beyond > 0:
                means[at] += (1 + beyond / (1 + beyond)) / 3
            else:  # between two of them
                means[at] = np.nan
    means += np.array(columns[2]) * 2 / 3
    sure = np.flatnonzero(~np.isnan(means))
    threshold = min(v for v in means[held] if (means[held] > v + 1e-9).sum() <= alpha * len(held))
    clear = [at for at in sure if abs(means[at] - threshold) > 1e-9]
    assert [bool(scores[at] > 1) for at in clear] == [means[at] > threshold for at in clear]
    for i in sure:
        assert all(scores[i] <= scores[j] + 1e-9 for j in sure if means[i] < means[j] - 1e-9)


def test_copies_are_the_same_model_under_seeds_of_their_own() -> None:
    """Seed 2 of three copies has seeds 6, 7 and 8; another seed of the run shares none of them."""
    known = Registry()
    rng = np.random.default_rng(0)
    sessions = Sessions.of([rng.integers(0, 4, rng.integers(2, 9)).tolist() for _ in range(40)])
    held = sessions.take(np.arange(10))

    def score(name: str, seed: int, **settings: Any) -> logbench.Scores:
        model = resolve(Plan(model=name, dataset="hdfs-sim", settings=settings), known).model.build()
        context = Context(seed=seed, held_out=held)
        model.fit(sessions, context)
        found = model.score(sessions, context)
        return found if isinstance(found, logbench.Scores) else logbench.Scores(found)

    few = {"isolation-forest": {"trees": "3"}}
    found = score("isolation-forest*3", 2, **few)
    assert list(found.others) == ["isolation-forest#0", "isolation-forest#1", "isolation-forest#2"]
    for at in range(3):
        alone = score("isolation-forest", 6 + at, **few).primary
        assert found.others[f"isolation-forest#{at}"].tolist() == alone.tolist()
    assert found.others["isolation-forest#0"].tolist() != found.others["isolation-forest#1"].tolist()
    assert score("isolation-forest*3", 2, **few).primary.tolist() == found.primary.tolist()


def test_the_default_is_named_nowhere() -> None:
    known = Registry()
    usual = resolve(Plan(model="ecvc+length", dataset="hdfs-sim"), known)
    asked = resolve(Plan(model="ecvc+length", dataset="hdfs-sim", settings={"combination": {"by": "vote"}}), known)
    assert usual.config["model"] == {"ecvc": {"max_train": 5000}, "length": {}}
    assert asked.config["model"] == {**usual.config["model"], "combination": {"by": "vote"}}
    assert usual.model.own.holds_rules and not asked.model.own.holds_rules


def test_copies_run_in_one_process_of_models(run_logbench: Any) -> None:
    words = [
        "--dataset",
        "hdfs-sim",
        "--set",
        "dataset.blocks=1000",
        "--set",
        "protocol.train_units=300",
        "--json",
    ]
    done = run_logbench("run", "isolation-forest*2+length", *words, "--set", "combination.by=vote")
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert record["model"] == "isolation-forest*2+length"
    assert set(record["training"]["members"]) == {"isolation-forest#0", "isolation-forest#1", "length"}
    assert record["config"]["model"]["combination"] == {"by": "vote"}


# Landauer et al., FSE 2024, their table: best F1 over thresholds on the test set.
PUBLISHED = {
    "event+length": 0.904,
    "event+length+ecvc": 0.988,
    "event+length+ecvc-idf": 0.969,
    "event+length+edit": 0.978,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_f1_on_the_archive_is_near_the_published_one(name: str, shared_data: Path, tmp_path: Path) -> None:
    (record,) = logbench.run(
        name,
        dataset="deeplog-archive",
        data=shared_data / "deeplog_archive",
        settings={"protocol": {"threshold": "oracle", "held_out": "0"}, "dataset": {"normal_total": 553_366}},
        out=tmp_path,
    )
    assert record.error is None
    assert record.metrics["session"]["all"]["f1"] == pytest.approx(PUBLISHED[name], abs=0.02)
