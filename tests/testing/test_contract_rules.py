"""Each rule of the contract catches a component that breaks it, and none finds fault with a good one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from broken import (
    CARD,
    GOOD,
    TRAITS,
    Config,
    Dataset,
    Model,
    Parser,
    anything,
    but,
    constant_is_nan,
    counted,
    drawn,
    instead,
    lines,
    metrics,
    moody,
    peeking,
    redrawn,
    registry,
    score,
    text,
    violated,
    window,
    write,
)
from mutants import ADVISED, MUTANTS

from logbench import KeySequences, ModelTraits, option
from logbench.testing import check, rules_of, tiny


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_component_breaks_no_rule(kind: Any) -> None:
    outcomes = list(check(kind, "good", registry=registry(kind, GOOD[kind])))
    unlike = {one.rule: one for one in outcomes if one.status != "ok"}
    assert {one.status for one in unlike.values()} == {"skipped"}, unlike
    optional = {
        "published",
        "held-classes",
        "unlabelled",
        "card",
        "imports",
        "process",
        "seed-matters",
        "overlaps",
        "silence",
        "events",
        "unjudged",
        "whole",
        "rows",
        "columns",
        "apart",
        "escapes",
        "label-of",
        "id-column",
        "text",
        "update",
        "update-same",
        "update-apart",
        "update-keys",
    }
    assert set(unlike) <= optional


ANOMALOUS = pl.col("label") == 1


def remembered(self: Any, good: Any, texts: Any) -> None:
    """Counts those of an earlier fit, too."""
    self.firsts = self.firsts + getattr(self, "before", Counter())
    self.before = self.firsts


BROKEN: dict[str, dict[str, type]] = {
    "model": {
        "runs": score(lambda self, good, sessions: good[:1]),
        "shapes": but("model", "score", lambda self, good, sessions, _: replace(good, event=sessions.lengths)),
        "unjudged": but(
            "model", "score", lambda self, good, sessions, _: replace(good, unjudged=sessions.lengths.copy())
        ),
        "stochastic": but(
            "model", "fit", lambda self, good, train, context: setattr(self, "mean", self.mean + context.seed)
        ),
        "seed": instead("model", fit=moody),
        "labels": instead("model", fit=peeking),
        "again": score(lambda self, good, sessions: good + counted(self)),
        "order": score(lambda self, good, sessions: good + np.arange(len(good))),
        "batch": score(lambda self, good, sessions: good - good[:1].sum()),
        "repeats": score(lambda self, good, sessions: good * sessions.weights),
        "unseen": score(lambda self, good, sessions: good + np.zeros(100)[sessions.keys].sum()),
        "empty": score(lambda self, good, sessions: good / good.max()),
        "one": score(lambda self, good, sessions: good + (len(good) == 1)),
        "shortest": score(constant_is_nan),
        "ignoring": but("model", "score", lambda self, good, *_: replace(good, ignoring=None)),
        "no-hold-out": but("model", "fit", lambda self, good, train, context: len(context.held_out)),
        "apart": but(
            "model", "fit", lambda self, good, *_: setattr(type(self), "mean", self.__dict__.pop("mean"))
        ),
        "save": but("model", "load", lambda self, good, folder: setattr(self, "mean", 0.0)),
        "expected": instead("model", expected=lambda self, sessions, events, context: [[0]] * len(sessions)),
        "explain": instead("model", explain=lambda self, sessions, events, context: ["why"]),
        "input": but("model", "fit", lambda self, good, train, context: write(train.keys)),
        "random-state": but("model", "fit", lambda *_: np.random.seed(1)),
        "files": but("model", "score", lambda self, good, *_: Path("scores.txt").write_text("x") and good),
        "quiet": but("model", "fit", lambda *_: print("fitted")),
    },
    "parser": {
        "runs": instead("parser", fit=lambda self, messages: np.arange(len(messages))),
        "numbered": but("parser", "fit", lambda self, good, messages: self.templates.append("unused") or good),
        "match": but("parser", "match", lambda self, good, messages: good - 1),
        "known": but("parser", "match", lambda self, good, messages: np.where(good == 0, np.int32(-1), good)),
        "frozen": but("parser", "match", lambda self, good, messages: self.templates.extend(messages) or good),
        "same": but("parser", "match", lambda self, good, messages: np.full_like(good, len(good) % 3)),
        "state": but("parser", "restore", lambda self, good, state: self.templates.reverse()),
        "empty": but("parser", "match", lambda self, good, messages: good + 0 * good.max()),
        "shape": instead("parser", masks=(("retry 1", "first"), *Parser.masks)),
        "files": but("parser", "fit", lambda self, good, messages: print("fitted") or good),
    },
    "windower": {
        "runs": window(lambda good, given: good.drop("unit")),
        "columns": window(lambda good, given: good.drop("extra")),
        "lines": window(lambda good, given: good.filter(pl.col("line") != 17)),
        "order": window(lambda good, given: good.sort("unit", "line")),
        "once": window(lambda good, given: pl.concat([good, good]).sort("line")),
        "same": window(lambda good, given: good.with_columns(unit=pl.lit(drawn()))),
        "empty": window(lambda good, given: good if given.collect()["line"][0] >= 0 else None),
        "files": window(lambda good, given: print("assigned") or good),
    },
    "embedding": {
        "runs": but("embedding", "of", lambda self, good, texts: good.astype(float)),
        "same": but("embedding", "of", lambda self, good, texts: good + np.float32(len(texts))),
        "frozen": but("embedding", "of", lambda self, good, texts: self.fit([*texts, *texts]) or good),
        "training": but("embedding", "fit", remembered),
        "odd": but("embedding", "of", lambda self, good, texts: good / np.float32("!!!" not in texts)),
        "apart": but("embedding", "fit", lambda self, *_: setattr(type(self), "firsts", vars(self).pop("firsts"))),
        "counts": instead("embedding", counted=lambda self: {"words": "many"}),
        "files": but("embedding", "fit", lambda self, good, texts: print("fitted")),
    },
    "evaluator": {
        "runs": metrics(lambda units: {"text": "much"}),
        "weights": metrics(lambda units: {"alarms": units["verdict"].sum()}),
        "order": metrics(lambda units: {"first": units["score"][0]}),
        "infinite": metrics(lambda units: {"sum": (units["score"] * units["weight"]).sum()}),
        "directions": instead("evaluator", directions={"alarms": "higher"}),
        "one-class": metrics(lambda units: {"share": 1 / units.filter(ANOMALOUS)["weight"].sum()}),
        "files": metrics(lambda units: print("x") or {"alarms": 1}),
    },
    "dataset": {
        "wrong-path": instead("dataset", read=anything),
        "generate": but("dataset", "generate", lambda self, good, folder, _: (folder / "log").write_text(drawn())),
        "runs": lines(keep=pl.col("line") > 99),
        "numbered": lines(pl.col("line") + 1),
        "again": but("dataset", "read", redrawn),
        "labels": but("dataset", "labels", lambda self, good: good.with_columns(label=pl.lit(2, pl.Int8))),
        "groups": lines(pl.lit("all").alias("node")),
    },
    "reporter": {
        "runs": text(lambda records: "\n"),
        "failed": text(lambda records: [r["stages"]["evaluate"] for r in records]),
        "unlabelled": text(lambda records: [next(iter(r["metrics"])) for r in records if r["status"] == "ok"]),
        "weighted": text(lambda records: [r["metrics"].get("session", r)["distinct"]["f1"] for r in records]),
        "other-metrics": text(lambda records: [r["metrics"]["session"] for r in records if r["metrics"]]),
        "many": text(lambda records: records[0]["model"]),
        "same": text(lambda records: [r.pop("notes") for r in records]),
    },
}
CASES = [(kind, rule) for kind, rules in BROKEN.items() for rule in rules]


@pytest.mark.parametrize(("kind", "rule"), CASES, ids=[f"{kind}:{rule}" for kind, rule in CASES])
def test_each_rule_catches_what_breaks_it(kind: str, rule: str) -> None:
    found = violated(kind, BROKEN[kind][rule])
    assert rule in found, found
    assert not any("\n" in said for said in found.values())


UNHELPED = dataclass(frozen=True)(type("Unhelped", (), {"__annotations__": {"size": int}, "size": 1}))
THAWED = dataclass(type("Thawed", (), {"__annotations__": {"size": int}, "size": option(1, "a number")}))
WRONG = dataclass(frozen=True)(
    type("Wrong", (), {"__annotations__": {"size": int}, "size": option(0, "one", ge=1)})
)


@pytest.mark.parametrize("config", [UNHELPED, THAWED, WRONG], ids=lambda c: c.__name__)
def test_options_that_are_not_strict_are_found(config: type) -> None:
    assert "options" in violated("model", lambda config: Model(Config()), config=config)


def test_traits_that_make_no_sense_with_a_configuration_are_found() -> None:
    """Those of the defaults are refused where the component is registered."""
    traits = ModelTraits(fixed_threshold=lambda config: 1.0 if config.size < 5 else "high")
    known = registry("model", Model, traits=traits)
    assert not [one for one in check("model", "broken", registry=known) if one.rule == "traits" and one.expected]
    outcomes = check("model", "broken", registry=known, settings={"size": 5})
    (actual,) = (one.actual for one in outcomes if one.rule == "traits")
    assert actual == "traits.fixed_threshold of the configuration is 'high': expected a number"


@pytest.mark.parametrize(
    "change",
    [{"parser": "gone"}, {"windower": "gone"}, {"protocol": "gone"}, {"title": "two\nlines"}, {"url": "x"},
     {"url": "x", "size": 3, "md5": "abc"}],
)  # fmt: skip
def test_a_card_that_does_not_hold_is_found(change: dict[str, Any]) -> None:
    assert "card" in violated("dataset", Dataset, card=replace(CARD, **change))


def test_every_rule_has_its_broken_component() -> None:
    elsewhere = {"options", "imports", "traits", "card"}  # tested above and in test_contract_pytest.py
    elsewhere |= {rule for cases in (*MUTANTS.values(), *ADVISED.values()) for rule, *_ in cases.values()}
    elsewhere |= {"process", "direction", "seed-matters", "silent", "headline"}  # in test_contract_mutants.py
    for kind, rules in BROKEN.items():
        assert {rule.name for rule in rules_of(kind)} <= {*rules, *elsewhere}  # type: ignore[arg-type]


def test_after_a_failed_run_the_other_rules_do_not_repeat_it() -> None:
    def explode(self: Any, train: Any, context: Any) -> None:
        raise ZeroDivisionError("in the middle")

    outcomes = list(check("model", "broken", registry=registry("model", instead("model", fit=explode))))
    assert outcomes[0].actual.startswith("ZeroDivisionError: in the middle (test_contract_rules.py:")
    assert {one.status for one in outcomes[1:]} == {"skipped"}


def test_a_supervised_model_may_see_training_labels_but_no_test_labels() -> None:
    supervised = ModelTraits(supervision="supervised", scores_without_unseen=True)

    def learn(self: Any, train: Any, context: Any) -> None:
        self.mean = float(train.lengths[train.labels == 0].mean())

    assert not violated("model", instead("model", fit=learn), traits=supervised)
    cheat = score(lambda self, good, sessions: good if sessions.labels is None else sessions.labels)
    assert "test labels are all 1" in violated("model", cheat, traits=supervised)["labels"]


def test_what_a_model_needs_is_there_and_nothing_else() -> None:
    timed = score(lambda self, good, sessions: good + sessions.times[sessions.offsets[:-1]] % 1)
    assert "runs" in violated("model", timed)
    assert not violated("model", timed, traits=replace(TRAITS, needs=frozenset({"times"}), min_events=2))
    for need in ("messages", "parameters"):
        reading = score(lambda self, good, sessions, need=need: good + 0 * len(getattr(sessions, need)()))
        assert f"Sessions.{need}: the model must declare it" in violated("model", reading)["runs"]
        assert not violated("model", reading, traits=replace(TRAITS, needs=frozenset({need})))


def test_key_sequences_are_checked_as_lines_are() -> None:
    def sequences(units: list[str]) -> type:
        frame = pl.DataFrame({"unit": units, "keys": [[1], [2, 3]], "label": pl.Series([0, 1], dtype=pl.Int8)})
        return but("dataset", "read", lambda self, good, path: KeySequences(frame, files=good.files))

    assert not violated("dataset", sequences(["a", "b"]))
    assert set(violated("dataset", sequences(["a", "a"]))) == {"numbered"}


def test_the_small_material_is_the_same_each_time_and_holds_what_it_says() -> None:
    first, second = tiny(), tiny()
    assert first.train.keys.tobytes() == second.train.keys.tobytes() and first.lines.equals(second.lines)
    assert first.train.labels is None and first.test.labels is None and first.context.held_out is first.held_out
    assert 0 < first.labels.sum() < len(first.labels) and (first.test.unseen > 0).any()
    assert int(first.train.lengths.min()) >= 12 and not first.train.unseen.any()
    assert {record["status"] for record in first.records} == {"ok", "error", "skipped"}
    first.records[0].clear()
    assert tiny().records[0]
