"""Rules for models: one number a unit, that hangs on the unit, the training and the seed, and on nothing else."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..errors import UnfitError
from ..frames import Scores, Sessions
from ..interfaces import Context
from ..plain import plain
from ..traits import fault
from . import material
from .rules import InapplicableError, Subject, ViolationError, expect, rule
from .watch import Watch, watched

CLOSE = 1e-5
"""Scores that differ by less are the same: float sums depend on the size of a batch."""
SEED = 3


@dataclass(frozen=True)
class Fitted:
    """A fitted model, its scores of the test sessions, and what `fit` returned."""

    model: Any
    scores: Scores
    facts: Any


def _least(subject: Subject) -> int:
    needed = subject.traits.min_events
    return int(needed(subject.part.config)) if callable(needed) else int(needed)


def _supervised(subject: Subject) -> bool:
    return bool(subject.traits.supervision == "supervised")


def _train(subject: Subject) -> Sessions:
    found = material.sessions(160, _least(subject), 0, 0.3 if _supervised(subject) else 0.0, subject.traits)
    return found if _supervised(subject) else found.unlabelled()


def _test(subject: Subject) -> Sessions:
    return material.sessions(48, _least(subject), 2, 0.3, subject.traits).unlabelled()


def _context(subject: Subject, held_out: bool = True) -> Context:
    found = material.sessions(40, _least(subject), 1, 0.3 if _supervised(subject) else 0.0, subject.traits)
    return Context(seed=SEED, held_out=found.unlabelled() if held_out else None)


def _score(subject: Subject, model: Any, asked: Sessions) -> Scores:
    return Scores.of(model.score(asked, _context(subject)), len(asked), subject.part.name)


def _fit(subject: Subject, train: Sessions | None = None, context: Context | None = None) -> Fitted:
    model = subject.build()
    facts = model.fit(_train(subject) if train is None else train, context or _context(subject))
    return Fitted(model, _score(subject, model, _test(subject)), facts)


def _fitted(subject: Subject) -> Fitted:
    return subject.once("fitted", lambda: _fit(subject))


def _again(subject: Subject, asked: Sessions) -> Scores:
    return _score(subject, _fitted(subject).model, asked)


def columns_of(scores: Scores) -> dict[str, Any]:
    """Every score by name, those that are there."""
    named = {"primary": scores.primary, "ignoring": scores.ignoring, **scores.others}
    return {name: values for name, values in named.items() if values is not None}


def difference(expected: Scores, came: Scores, ids: pl.Series) -> str:
    """Where two answers for the same units differ by more than `CLOSE`, in words; empty where they do not."""
    first, second = columns_of(expected), columns_of(came)
    if first.keys() != second.keys():
        return f"scores called {', '.join(second)} instead of {', '.join(first)}"
    for name in first:
        far = np.flatnonzero(~np.isclose(first[name], second[name], rtol=CLOSE, atol=CLOSE))
        if len(far):
            at = int(far[0])
            return (
                f"{len(far)} of {len(ids)} {name} scores differ, first unit {ids[at]}: "
                f"{second[name][at]:.6g} instead of {first[name][at]:.6g}"
            )
    return ""


def _same(expected: Scores, came: Scores, ids: pl.Series, what: str) -> None:
    if found := difference(expected, came, ids):
        raise ViolationError(what, found)


def _taken(scores: Scores, index: np.ndarray[Any, Any]) -> Scores:
    ignoring = None if scores.ignoring is None else scores.ignoring[index]
    others = {name: values[index] for name, values in scores.others.items()}
    return Scores(scores.primary[index], ignoring=ignoring, others=others)


@rule("model", "runs", "fit and score answer with one number a unit")
def runs(subject: Subject) -> None:
    least = _least(subject)
    expect(least >= 1, "traits.min_events to be at least 1", str(least))
    _fitted(subject)


@rule("model", "traits", "the traits are of the known kinds")
def traits(subject: Subject) -> None:
    wrong = fault("model", subject.traits, subject.part.config)
    expect(not wrong, "traits that make sense with this configuration", wrong)


@rule("model", "shapes", "numbers and events have their shapes and types, facts are plain values")
def shapes(subject: Subject) -> None:
    fitted, asked = _fitted(subject), _test(subject)
    scores = fitted.scores
    for name, values in columns_of(scores).items():
        expect(values.dtype.kind in "fiub", f"numbers as {name!r}", str(values.dtype))
    for name, event in (("event", scores.event), ("ignoring_event", scores.ignoring_event)):
        if event is not None:
            expect(event.dtype.kind in "iu", f"integers as {name!r}", str(event.dtype))
            wrong = np.flatnonzero((event < -1) | (event >= asked.lengths))
            expect(
                not len(wrong),
                f"{name!r} to be the index of an event in its unit, or -1",
                " ".join(f"{event[at]} in a unit of {asked.lengths[at]} events" for at in wrong[:1]),
            )
    expect(fitted.facts is None or isinstance(fitted.facts, Mapping), "fit to return a mapping or None",
           type(fitted.facts).__name__)  # fmt: skip
    json.dumps(plain(fitted.facts), allow_nan=False)
    json.dumps(plain(scores.facts), allow_nan=False)


@rule("model", "seed", "the same seed gives the same scores")
def same_seed(subject: Subject) -> None:
    again = _fit(subject)
    _same(_fitted(subject).scores, again.scores, _test(subject).ids, "the same seed to give the same scores")


@rule("model", "labels", "labels are never looked at, but for the training labels of a supervised model")
def labels(subject: Subject) -> None:
    asked, ids = _test(subject), _test(subject).ids
    for name, values in (("all 1", (1,)), ("0 and 1 in turn", (0, 1))):
        poisoned = _labelled(asked, values)
        came = _again(subject, poisoned)
        _same(_fitted(subject).scores, came, ids, f"the same scores where the test labels are {name}")
        if not _supervised(subject):
            train = _labelled(_train(subject), values)
            came = _fit(subject, train).scores
            _same(_fitted(subject).scores, came, ids, f"the same scores where the training labels are {name}")


def _labelled(sessions: Sessions, values: tuple[int, ...]) -> Sessions:
    cycle = np.array(values, dtype=np.int8)
    return replace(
        sessions, labels=np.resize(cycle, len(sessions)), line_labels=np.resize(cycle, len(sessions.keys))
    )


@rule("model", "again", "scoring once more gives the same scores")
def again(subject: Subject) -> None:
    asked = _test(subject)
    _same(_fitted(subject).scores, _again(subject, asked), asked.ids, "a second call to give the same scores")


@rule("model", "order", "the order of the test sessions changes no score")
def order(subject: Subject) -> None:
    asked = _test(subject)
    index = np.random.default_rng(0).permutation(len(asked))
    came = _again(subject, asked.take(index))
    _same(_taken(_fitted(subject).scores, index), came, asked.ids.gather(index), "each unit's score in any order")


@rule("model", "batch", "which sessions are scored together changes no score")
def batch(subject: Subject) -> None:
    asked = _test(subject)
    for size in (7, 1):
        for start in range(0, len(asked) if size > 1 else 5, size):
            index = np.arange(start, min(start + size, len(asked)))
            came = _again(subject, asked.take(index))
            what = f"each unit's score whatever is scored beside it (here {size} at a time)"
            _same(_taken(_fitted(subject).scores, index), came, asked.ids.gather(index), what)


@rule("model", "repeats", "equal key sequences get equal scores, whatever their ids, times and weights")
def repeats(subject: Subject) -> None:
    if not subject.traits.keys_only:
        raise InapplicableError("traits.keys_only is false")
    asked = _test(subject)
    index = np.tile(np.arange(len(asked)), 2)
    twice = asked.take(index)
    twice = replace(
        twice,
        ids=pl.Series("unit", [f"other-{n}" for n in range(len(twice))]),
        weights=np.linspace(0.5, 9.0, len(twice)),
        times=None if twice.times is None else twice.times * 2,
    )
    came = _again(subject, twice)
    _same(_taken(_fitted(subject).scores, index), came, twice.ids, "equal key sequences to get equal scores")


@rule("model", "unseen", "keys far above the vocabulary are scored, and all count as the one unseen key")
def unseen(subject: Subject) -> None:
    least = max(_least(subject), 2)
    usual = [key % material.VOCABULARY for key in range(least + 3)]
    high = material.VOCABULARY + 100_000
    walks = [[high + n for n in range(least)], [*usual, high], [high, *usual], [*usual[:2], high, *usual[2:]]]
    far = material.of(walks, traits=subject.traits)
    near = replace(far, keys=np.minimum(far.keys, np.int32(material.VOCABULARY)))
    expected = _again(subject, near)
    _same(expected, _again(subject, far), far.ids, "one score whichever number an unseen key has")


@rule("model", "empty", "no test session is a test set, too")
def empty(subject: Subject) -> None:
    _again(subject, material.of([], traits=subject.traits))


@rule("model", "one", "one test session is a test set, too")
def one(subject: Subject) -> None:
    asked, last = _test(subject), np.array([len(_test(subject)) - 1])
    came = _again(subject, asked.take(last))
    _same(
        _taken(_fitted(subject).scores, last), came, asked.ids.gather(last), "the score that it has among others"
    )


@rule("model", "shortest", "no NaN from min_events on, whatever the keys")
def shortest(subject: Subject) -> None:
    least, last = _least(subject), material.VOCABULARY
    walks = [
        [0] * least,
        [last] * least,
        [last - 1] * (least + 1),
        [n % last for n in range(least)],
        [0] * 3 * least,
        [n % last for n in range(300)],
    ]
    _again(subject, material.of(walks, traits=subject.traits))


@rule("model", "ignoring", "scores without unseen keys are there where promised, and are the same where none is")
def ignoring(subject: Subject) -> None:
    if not subject.traits.scores_without_unseen:
        raise InapplicableError("traits.scores_without_unseen is false")
    scores, asked = _fitted(subject).scores, _test(subject)
    if scores.ignoring is None:
        raise ViolationError("Scores.ignoring, as traits.scores_without_unseen promises", "None")
    usual = np.flatnonzero(asked.unseen == 0)
    known = Scores(scores.primary[usual])
    came = Scores(scores.ignoring[usual])
    _same(known, came, asked.ids.gather(usual), "ignoring = primary for units without unseen keys")


@rule("model", "no-hold-out", "it trains without held-out units, or is unfit for that (UnfitError)")
def no_hold_out(subject: Subject) -> None:
    with contextlib.suppress(UnfitError):
        _fit(subject, context=_context(subject, held_out=False))


@rule("model", "apart", "another model that is fitted afterwards, on other units, changes no score")
def apart(subject: Subject) -> None:
    fitted, asked = _fitted(subject), _test(subject)
    _fit_other(subject)
    came = _score(subject, fitted.model, asked)
    _same(fitted.scores, came, asked.ids, "each model to keep what it learnt to itself")


def _fit_other(subject: Subject) -> None:
    """Fit a second model to longer sessions."""
    supervised = _supervised(subject)
    train = material.sessions(60, _least(subject) + 3, 4, 0.3 if supervised else 0.0, subject.traits)
    _fit(subject, train if supervised else train.unlabelled())


@rule("model", "save", "a saved and loaded model gives the same scores, and writes only where it is told to")
def save(subject: Subject) -> None:
    model = _fitted(subject).model
    having = [name for name in ("save", "load") if hasattr(model, name)]
    if not having:
        raise InapplicableError("it has no save(folder) and load(folder)")
    expect(len(having) == 2, "both save(folder) and load(folder)", f"only {having[0]}")
    folder = subject.fresh("saved")
    moved = folder.with_name(f"{folder.name}-moved")
    with watched(subject.fresh("watched"), folder, moved) as watch:
        model.save(folder)
        _fit_other(subject)  # what is kept in memory only is now another model's
        folder.rename(moved)
        loaded = subject.build()
        loaded.load(moved)
    _only_there(watch)
    asked = _test(subject)
    _same(_fitted(subject).scores, _score(subject, loaded, asked), asked.ids, "the loaded model to score alike")


@rule("model", "expected", "expected(sessions, events, context) gives one list of keys a unit")
def expected(subject: Subject) -> None:
    fitted, asked = _fitted(subject), _test(subject)
    if not hasattr(fitted.model, "expected"):
        raise InapplicableError("it has no expected(sessions, events, context)")
    events = np.full(len(asked), -1) if fitted.scores.event is None else fitted.scores.event
    came = fitted.model.expected(asked, events.astype(np.int64), _context(subject))
    kind = f"{came.dtype} [{len(came)}]" if isinstance(came, pl.Series) else type(came).__name__
    wanted = f"{pl.List(pl.Int32())} [{len(asked)}]"
    expect(kind == wanted, f"a series {wanted}", kind)


def _observed(subject: Subject) -> tuple[Watch, str]:
    """One fit and score under watch, and what it changed in its input."""

    def observe() -> tuple[Watch, str]:
        train, asked, context = _train(subject), _test(subject), _context(subject)
        assert context.held_out is not None
        given = {"train": train, "sessions": asked, "held_out": context.held_out}
        before = {name: _contents(sessions) for name, sessions in given.items()}
        model = subject.build()
        with watched(subject.fresh("watched")) as watch:
            model.fit(train, context)
            model.score(asked, context)
        return watch, ", ".join(name for name in given if _contents(given[name]) != before[name])

    return subject.once("observed", observe)


def _contents(sessions: Sessions) -> list[bytes]:
    columns = (sessions.keys, sessions.offsets, sessions.weights, sessions.times, sessions.labels)
    return [column.tobytes() for column in columns if column is not None]


@rule("model", "input", "what it is given stays as it was")
def unchanged(subject: Subject) -> None:
    _, changed = _observed(subject)
    expect(not changed, "its input unchanged: the next model gets the same arrays", f"changed {changed}")


@rule("model", "random-state", "no global random state is touched")
def random_state(subject: Subject) -> None:
    watch, _ = _observed(subject)
    expect(not watch.states, "generators of its own, seeded by context.seed", f"{', '.join(watch.states)} moved")


@rule("model", "files", "nothing is written, and the working directory stays")
def files(subject: Subject) -> None:
    watch, _ = _observed(subject)
    _only_there(watch)
    expect(not watch.moved, "the working directory to stay", "it was changed")


def _only_there(watch: Watch) -> None:
    expect(
        not watch.written, "no file written outside the given folder", ", ".join(map(_short, watch.written[:3]))
    )


def _short(path: str) -> str:
    return f"…/{Path(path).name}" if len(path) > 60 else path


@rule("model", "quiet", "nothing is printed: context.note and context.progress are for that")
def quiet(subject: Subject) -> None:
    watch, _ = _observed(subject)
    expect(not watch.printed, "nothing on standard output (context.note tells the user)", repr(watch.printed[:60]))
