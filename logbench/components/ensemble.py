"""`a+b+c`: several models as one, each brought to its own label-free threshold; the largest counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.optional import Saves
from ..base.errors import IncompatibleError
from ..data.scores import Scores, facts_of
from ..evaluation.thresholds import validation_threshold
from .combination import THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.components import ModelComponent
    from ..api.contracts import Context, RunningModel
    from ..data.sessions import Sessions
    from .configured import ConfiguredComponent


FILE = "combination.json"
# Scores of a unit, and the event that decided each.
COLUMNS = {"primary": "event", "ignoring": "ignoring_event"}


@dataclass(frozen=True)
class Level:
    """Brings a member's scores to one scale: above 1 where they are above its threshold, and rising with them.

    Attributes:
        threshold: the smallest held-out score with at most its part of alpha of the held-out weight above it.
        values, shares: float64 [distinct finite held-out scores up to the threshold], ascending, and the share of
            held-out weight at or below each, as part of that at or below the threshold.
        scale: what counts as 1 above the threshold: the range of those held-out scores, so that members in other
            units can be set side by side; 1 where they are all equal. It orders alarms and makes none.
    """

    threshold: float
    values: tuple[float, ...]
    shares: tuple[float, ...]
    scale: float

    @classmethod
    def of(cls, scores: NDArray[np.float64], weights: NDArray[np.float64], alpha: float) -> Level:
        """Learn from held-out scores, float64 [units ≥ 1]."""
        threshold = validation_threshold(scores, weights, alpha)
        below = scores <= threshold
        values, inverse = np.unique(scores[below], return_inverse=True)
        shares = np.bincount(inverse, weights=weights[below]).cumsum()
        finite = np.isfinite(values)
        values, shares = values[finite], shares[finite] / shares[-1]
        scale = float(values[-1] - values[0]) if len(values) > 1 else 1.0
        return cls(threshold, tuple(values.tolist()), tuple(shares.tolist()), scale)

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Levels of scores, float64 [units], from 0 to 1 where they do not alarm."""
        above = scores > self.threshold
        with np.errstate(invalid="ignore", over="ignore"):  # infinite less infinite, where nothing is above
            quiet = np.where(np.isposinf(scores), THRESHOLD, self._quiet(scores))
            loud = THRESHOLD + (scores - self.threshold) / self.scale
        return np.where(above, np.maximum(loud, np.nextafter(THRESHOLD, 2)), np.minimum(quiet, THRESHOLD))

    def _quiet(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of held-out weight at or below; below all of it falling on to 0, so that the order stays."""
        if not self.values:
            return np.zeros(len(scores))
        below = np.maximum(self.values[0] - scores, 0.0) / self.scale
        return np.interp(scores, self.values, self.shares) / (1 + below)


class Combination:
    """Score: the largest level of the members, above 1 where one alarms; decided by that member's event.

    Each member is fitted on the same training units. One with binary scores alarms by its own threshold, the
    others by the held-out units, without labels: alpha is shared evenly among them, so that at most alpha of the
    held-out weight alarms by their scores (Bonferroni). Without held-out units the score of a single graded member
    is its level.
    """

    def __init__(self, members: Sequence[ConfiguredComponent[ModelComponent[Any]]], models: Sequence[Any]) -> None:
        self.parts, self.models = members, models
        self.levels: list[dict[str, Level]] = [{} for _ in members]

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Fit every member, then learn the levels of those without a rule from the held-out units.

        Raises:
            IncompatibleError: there is no held-out unit to learn from, and several members need one.
        """
        facts = {
            part.name: facts_of(model.fit(train, context), f"model {part.name!r}: fit")
            for part, model in zip(self.parts, self.models, strict=True)
        }
        graded = self._graded
        if context.held_out is None and len(graded) == 1:
            return {"members": facts}
        for at in graded:
            held = self._held_out(at, context)
            scores = self._scores(at, held, context)
            for column in COLUMNS:
                if (found := getattr(scores, column)) is not None:
                    self.levels[at][column] = Level.of(found, held.weights, context.alpha / len(graded))
        return {"members": facts}

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
            *self._largest("primary", found),
            *self._largest("ignoring", found),
            others={part.name: scores.primary for part, scores in zip(self.parts, found, strict=True)},
            facts={
                part.name: scores.facts for part, scores in zip(self.parts, found, strict=True) if scores.facts
            },
            unjudged=_unjudged(found),
        )

    def _scores(self, at: int, sessions: Sessions, context: Context) -> Scores:
        return Scores.of(self.models[at].score(sessions, context), len(sessions), self.parts[at].name)

    def _largest(self, column: str, found: Sequence[Scores]) -> tuple[Any, Any]:
        """The largest level of each unit and the event that decided it; None where a member lacks the score."""
        scores = [getattr(one, column) for one in found]
        if any(one is None for one in scores):
            return None, None
        levels = np.stack([self._level(at, column, one) for at, one in enumerate(scores)])
        size = levels.shape[1]
        none = np.full(size, -1, dtype=np.int64)
        given = [getattr(one, COLUMNS[column]) for one in found]
        events = np.stack([none if event is None else event for event in given])
        first, unit = levels.argmax(axis=0), np.arange(size)
        return levels[first, unit], events[first, unit]

    def _level(self, at: int, column: str, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        own = self._own(at)
        if own is not None:
            return np.where(scores > own, np.inf, -np.inf if self._graded else 0.0)
        level = self.levels[at].get(column)
        return level(scores) if level else scores

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
        for part, model in zip(self.parts, self.models, strict=True):
            (folder / part.name).mkdir()
            model.save(folder / part.name)
        levels = [{column: asdict(level) for column, level in member.items()} for member in self.levels]
        (folder / FILE).write_text(json.dumps(levels), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Become the combination saved in `folder`."""
        for part, model in zip(self.parts, self.models, strict=True):
            model.load(folder / part.name)
        levels = json.loads((folder / FILE).read_text(encoding="utf-8"))
        self.levels = [{column: Level(**level) for column, level in member.items()} for member in levels]


def combined(members: Sequence[ConfiguredComponent[ModelComponent[Any]]]) -> Combination:
    """The combination, savable where all members are."""
    models = [part.build() for part in members]
    kind = SavableCombination if all(isinstance(model, Saves) for model in models) else Combination
    return kind(members, models)


class RunningCombination(SavableCombination):
    """A combination of running models, wherever each of them runs: see `models.RunningModel`."""

    models: Sequence[RunningModel]

    @property
    def opened(self) -> list[str]:
        """Files that the members opened."""
        return list(dict.fromkeys(file for model in self.models for file in model.opened))

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
        }

    def can(self, method: str) -> bool:
        """Whether all members can save and load; none is asked what it expected, nor updated."""
        return method in ("save", "load") and all(model.can(method) for model in self.models)

    def expected(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> Any:
        """Never asked, see `can`."""
        raise NotImplementedError

    def explain(self, sessions: Sessions, events: NDArray[np.int64], context: Context) -> Any:
        """Never asked, see `can`."""
        raise NotImplementedError
