"""`a+b+c`, `a*5`: several models as one, each brought to one scale by held-out units without labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.optional_models import Saves, can
from ..base.errors import IncompatibleError
from ..data.scores import Scores, facts_of
from .combination import Members, labels_of
from .levels import Level, bounded, votes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Context, RunningModel
    from ..data.sessions import Sessions


FILE = "combination.json"
# Scores of a unit, and the event that decided each.
COLUMNS = {"primary": "event", "ignoring": "ignoring_event"}
# What members may say of deciding events, and its type.
SAYING: Mapping[str, pl.DataType] = {"expected": pl.List(pl.Int32), "explain": pl.String()}


class Combination:
    """One score of several models, above 1 where they alarm together; decided by the event of the loudest one.

    Each member is fitted on the same training units; copies have seeds of their own, `seed · copies` and up.
    A member with binary scores alarms by its own threshold, the others by the held-out units, without labels:

    - `max`: the largest level. Alpha is shared evenly among the graded members, so that at most alpha of the
      held-out weight alarms by their scores (Bonferroni). Without held-out units the score of a single graded
      member is its level.
    - `vote`: more than half of the members alarm, each at alpha; so at most 2·alpha of the held-out weight does.
    - `rank`: the mean of the members' ranks among held-out scores, and beyond them of their distance, at most 2;
      its own threshold lets at most alpha of the held-out weight alarm.
    """

    def __init__(self, members: Members, models: Sequence[Any]) -> None:
        self.parts, self.models, self.by = members.parts, models, members.options.by
        names = [part.name for part in self.parts]
        self.labels = labels_of(names)
        self.copy = [(names[:at].count(name), names.count(name)) for at, name in enumerate(names)]
        self.levels: list[dict[str, Level]] = [{} for _ in self.parts]
        self.joint: dict[str, Level] = {}

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Fit every member, then learn the levels of those without a rule from the held-out units.

        Raises:
            IncompatibleError: there is no held-out unit to learn from, and several members need one.
        """
        facts = {
            label: facts_of(model.fit(train, self._context(at, context)), f"model {label!r}: fit")
            for at, (label, model) in enumerate(zip(self.labels, self.models, strict=True))
        }
        graded = self._graded
        if context.held_out is None and len(graded) == 1 and self.by == "max":
            return {"members": facts}
        alpha = {"max": context.alpha / max(len(graded), 1), "vote": context.alpha, "rank": 0.0}[self.by]
        for at in graded:
            held = self._held_out(at, context)
            scores = self._scores(at, held, context)
            for column in COLUMNS:
                if (found := getattr(scores, column)) is not None:
                    self.levels[at][column] = Level.of(found, held.weights, alpha)
        if self.by == "rank":
            self._fit_joint(context)
        return {"members": facts}

    def _fit_joint(self, context: Context) -> None:
        """Learn the threshold of the mean rank from the held-out units that every member can score."""
        longest = max(range(len(self.parts)), key=lambda at: self.parts[at].min_events)
        held = self._held_out(longest, context)
        found = [self._scores(at, held, context) for at in range(len(self.parts))]
        for column in COLUMNS:
            if (levels := self._levels(column, found)) is not None:
                self.joint[column] = Level.of(levels.mean(axis=0), held.weights, context.alpha)

    def _context(self, at: int, context: Context) -> Context:
        """The member's own: copies have seeds that no other run's copies have."""
        number, copies = self.copy[at]
        return context if copies == 1 else replace(context, seed=context.seed * copies + number)

    def _held_out(self, at: int, context: Context) -> Sessions:
        shortest = self.parts[at].min_events
        held = context.held_out and context.held_out.take(context.held_out.lengths >= shortest)
        if not held:
            raise IncompatibleError(
                f"{self.parts[at].name} in a combination needs held-out units of {shortest} events or more; raise "
                "protocol.held_out, or combine it with rules alone under protocol.threshold=oracle"
            )
        return held

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; `others` holds each member's own score under its name."""
        found = [self._scores(at, sessions, context) for at in range(len(self.parts))]
        return Scores(
            *self._joined("primary", found),
            *self._joined("ignoring", found),
            others={label: scores.primary for label, scores in zip(self.labels, found, strict=True)},
            facts={label: scores.facts for label, scores in zip(self.labels, found, strict=True) if scores.facts},
            unjudged=_unjudged(found),
        )

    def can(self, method: str) -> bool:
        """Whether all members can save and load, or one can say what it expected or why; none is updated."""
        if method in SAYING:
            return any(can(model, method) for model in self.models)
        return method in ("save", "load") and all(can(model, method) for model in self.models)

    def expected(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """What the member expected that decided a unit, see `Expects`; null where it does not say."""
        return self._said("expected", sessions, events, context)

    def explain(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        """What the member says that decided a unit, behind its name, see `Explains`; null where it is silent."""
        return self._said("explain", sessions, events, context)

    def _said(self, method: str, sessions: Sessions, events: NDArray[np.int64], context: Context) -> pl.Series:
        loudest = self._loudest(sessions, events, context)
        said: list[Any] = [None] * len(sessions)
        for at, (label, model) in enumerate(zip(self.labels, self.models, strict=True)):
            units = np.flatnonzero(loudest == at)
            if len(units) and can(model, method):
                own = getattr(model, method)(sessions.take(units), events[units], self._context(at, context))
                for unit, one in zip(units.tolist(), own.to_list(), strict=True):
                    said[unit] = f"{label}: {one}" if isinstance(one, str) else one
        return pl.Series(method, said, dtype=SAYING[method])

    def _loudest(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> NDArray[np.int64]:
        """The member that decided each unit by the event `events[unit]`, int64 [units]."""
        found = [self._scores(at, sessions, context) for at in range(len(self.parts))]
        levels, events_by = self._levels("primary", found), self._joined("primary", found)[1]
        assert levels is not None
        first = levels.argmax(axis=0)
        without = self._levels("ignoring", found)
        return np.asarray(
            first if without is None else np.where(events_by == events, first, without.argmax(axis=0))
        )

    def _scores(self, at: int, sessions: Sessions, context: Context) -> Scores:
        context = self._context(at, context)
        return Scores.of(self.models[at].score(sessions, context), len(sessions), self.labels[at])

    def _joined(self, column: str, found: Sequence[Scores]) -> tuple[Any, Any]:
        """The score of each unit and the event that decided it; None where a member lacks the score."""
        levels = self._levels(column, found)
        if levels is None:
            return None, None
        size = levels.shape[1]
        none = np.full(size, -1, dtype=np.int64)
        given = [getattr(one, COLUMNS[column]) for one in found]
        events = np.stack([none if event is None else event for event in given])
        first, unit = levels.argmax(axis=0), np.arange(size)
        if self.by == "vote":
            return votes(levels), events[first, unit]
        if self.by == "rank":
            return self.joint[column](levels.mean(axis=0)), events[first, unit]
        return levels[first, unit], events[first, unit]

    def _levels(self, column: str, found: Sequence[Scores]) -> NDArray[np.float64] | None:
        """Levels of all members, float64 [members, units]."""
        scores = [getattr(one, column) for one in found]
        if any(one is None for one in scores):
            return None
        return np.stack([self._level(at, column, one) for at, one in enumerate(scores)])

    def _level(self, at: int, column: str, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        own = self._own(at)
        if own is not None:
            loud, quiet = (np.inf, -np.inf if self._graded else 0.0) if self.by == "max" else (2.0, 0.0)
            return np.where(scores > own, loud, quiet)
        level = self.levels[at].get(column)
        if level is None:
            return scores
        return bounded(level(scores)) if self.by == "rank" else level(scores)

    @property
    def _graded(self) -> list[int]:
        """The members that are no rule."""
        return [at for at in range(len(self.parts)) if self._own(at) is None]

    def _own(self, at: int) -> float | None:
        """The threshold of a member that only says yes or no."""
        return self.parts[at].fixed_threshold if self.parts[at].entry.item.traits.binary_scores else None


def _unjudged(found: Sequence[Scores]) -> NDArray[np.int64] | None:
    """Events of each unit that no member judges; None where a member judges all."""
    columns = [one.unjudged for one in found]
    given = [column for column in columns if column is not None]
    return np.min(given, axis=0) if len(given) == len(columns) else None


class SavableCombination(Combination):
    """One whose members can all be saved, each in a folder of its own."""

    def save(self, folder: Path) -> None:
        """Write the members and their levels into an existing folder."""
        for label, model in zip(self.labels, self.models, strict=True):
            (folder / label).mkdir()
            model.save(folder / label)
        every = [*self.levels, *([self.joint] if self.joint else [])]
        levels = [{column: asdict(level) for column, level in member.items()} for member in every]
        (folder / FILE).write_text(json.dumps(levels), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Become the combination saved in `folder`."""
        for label, model in zip(self.labels, self.models, strict=True):
            model.load(folder / label)
        levels = json.loads((folder / FILE).read_text(encoding="utf-8"))
        every = [{column: Level(**level) for column, level in member.items()} for member in levels]
        self.levels, (self.joint,) = every[: len(self.parts)], every[len(self.parts) :] or [{}]


def combined(members: Members) -> Combination:
    """The combination, savable where all members are."""
    models = [part.build() for part in members.parts]
    kind = SavableCombination if all(isinstance(model, Saves) for model in models) else Combination
    return kind(members, models)


class RunningCombination(SavableCombination):
    """A combination of running models, wherever each of them runs: see `models.RunningModel`."""

    models: Sequence[RunningModel]

    def update(self, units: Any, verdicts: Any, labels: Any, context: Context) -> None:
        """No combination is updated, see `can`."""
        raise TypeError("a combination is not updated")

    @property
    def opened(self) -> list[str]:
        """Files that the members opened."""
        return list(dict.fromkeys(file for model in self.models for file in model.opened))

    @property
    def apart(self) -> bool:
        """Whether every member runs in a process of its own."""
        return all(model.apart for model in self.models)

    @property
    def measured(self) -> Mapping[str, Any]:
        """Times of the members' last calls, and the largest memory that one took; empty where all ran here."""
        found = [model.measured for model in self.models if model.measured]
        if not found:
            return {}
        times = {name: round(sum(one[name] for one in found), 4) for name in ("wall_s", "cpu_s")}
        gpu = [one["peak_gpu_mb"] for one in found if one["peak_gpu_mb"] is not None]
        added = [one["added_rss_mb"] for one in found if one["added_rss_mb"] is not None]
        return {
            **times,
            "peak_rss_mb": max(one["peak_rss_mb"] for one in found),
            "added_rss_mb": max(added, default=None),
            "peak_gpu_mb": max(gpu, default=None),
            "gpu": next((one["gpu"] for one in found if one["gpu"] is not None), None),
        }
