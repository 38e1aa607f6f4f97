"""What no model moves is computed once for models judged on the same units, and is what each gets alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

import logbench
from logbench import Context, Sessions
from logbench.data.usual_counts import UsualCounts
from logbench.running.explain import Asked, Counts, with_said
from logbench.running.modelless import Known, Modelless

RULES = ("predict_all", "short", "unseen", "unseen_or_short")


class Asks:
    """An evaluator that counts how often it is asked, and how many values a column of a model has."""

    def __init__(self) -> None:
        self.asked = 0

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, float]:
        self.asked += 1
        alarms = units.filter("verdict")["weight"].sum()
        return {"alarms": float(alarms), "raw": float(units["raw"].count())}


def units(dropped: tuple[int, ...] = ()) -> pl.DataFrame:
    at = np.arange(12)
    score = pl.Series(at / 7.0).set(pl.Series(np.isin(at, dropped)), None)
    return pl.DataFrame(
        {"index": at, "label": at % 2, "score": score, "raw": at / 7.0, "verdict": score > 1, "weight": 1.0,
         "sequence": at % 5, "events": at, "unseen": at % 3, "short": at < 3, "repeats": at % 5 == 0},
        schema_overrides={"label": pl.Int8, "sequence": pl.UInt32},
    )  # fmt: skip


def test_rules_are_asked_once_for_models_on_the_same_units_and_anew_on_others() -> None:
    known, evaluator = Known(), Asks()
    first = known.of(units(), {"asks": evaluator}, "session", False, "asks")
    times = evaluator.asked
    again = units().with_columns(score=pl.lit(0.5), raw=pl.lit(0.5), verdict=pl.lit(False))
    assert known.of(again, {"asks": evaluator}, "session", False, "asks") is first and evaluator.asked == times
    fewer = known.of(units((4, 7)), {"asks": evaluator}, "session", False, "asks")
    assert evaluator.asked == 2 * times
    assert fewer == Modelless.of(units((4, 7)), {"asks": Asks()}, "session", False)
    assert set(first.trivial) == set(RULES)
    assert first.trivial["predict_all"]["asks"]["all"] == {"alarms": 12.0, "raw": 0.0}
    assert fewer.trivial["predict_all"]["asks"]["all"] == {"alarms": 10.0, "raw": 0.0}
    other = known.of(units(), {"asks": evaluator}, "session", False, "asks with an option")
    assert other == first and evaluator.asked == 3 * times


def test_models_of_one_call_have_the_rules_and_units_that_each_has_alone() -> None:
    """The second and third model take what the first one made."""
    names, facts = ["ecvc", "new-event", "2-gram"], ("trivial", "bound", "metrics", "counts", "threshold")
    settings = {"protocol": {"short": "drop"}, "hdfs-sim": {"blocks": 400}}
    together = logbench.run(names, dataset="hdfs-sim", out=None, settings=settings)
    for name, record in zip(names, together, strict=True):
        assert record.error is None, record.error
        (alone,) = logbench.run(name, dataset="hdfs-sim", out=None, settings=settings)
        assert all(getattr(record, fact) == getattr(alone, fact) for fact in facts), name
        assert record.scores.equals(alone.scores)


def test_what_is_said_of_units_that_repeat_is_said_of_each() -> None:
    """Against each unit by itself: reasons, line and key, and numbers of the telling lines."""
    rng = np.random.default_rng(0)
    train = Sessions.of([[0, 1, 2]] * 90 + [[0, 1, 1, 2]] * 10, 3, templates=("a", "b", "c"))
    usual, names = UsualCounts.of(train), {0: "a", 1: "b", 2: "c", 3: "never"}
    shapes = [[0, 1, 2], [0] * 7, [], [1, 1, 1, 1, 2, 2], [3, 0, 1, 2]]
    keys = [shapes[at] for at in rng.integers(0, len(shapes), 60)]
    events = sum(map(len, keys))
    sessions = Sessions.of(keys, 3, lines=rng.permutation(10 * events)[:events].astype(np.uint32))
    decided = np.array([rng.integers(-1, len(unit)) if unit else -1 for unit in keys])
    asked = Asked(sessions, np.arange(60), decided, np.ones(60, dtype=bool))
    frame = pl.DataFrame({"index": range(60)})
    found = with_said(frame, asked, object(), Context(), frozenset(), Counts(usual, names))
    for at, row in enumerate(found.iter_rows(named=True)):
        unit = sessions.take(np.array([at]))
        (one,) = usual.explained(unit, names, decided[at : at + 1])
        place = decided[at] if decided[at] >= 0 else (one.events[0] if one.events else None)
        lines: Any = unit.lines
        assert row["why"] == one.why and row["telling"] == [int(lines[event]) for event in one.events]
        assert row["line"] == (None if place is None else int(lines[place]))
        assert row["key"] == (None if place is None else int(unit.keys[place]))
