"""Rules for models: scores of single events agree with scores of units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.message_needs import NEEDS
from ..data.scores import Scores
from ..data.sessions import Sessions
from . import material
from .model_fitted import asked_of, context_of, fit, fitted, is_supervised, least, same, scored
from .outcome import InapplicableError, expect
from .rule import Subject, rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

V = material.VOCABULARY
LONG, REACH = 40, 10


@rule("model", "events", "scores of events agree with those of units: the deciding event has the unit's highest")
def events(subject: Subject) -> None:
    asked = asked_of(subject)
    answer = fitted(subject).model.score(asked, replace(context_of(subject), events=True))
    scores = Scores.of(answer, len(asked), subject.part.name, len(asked.keys))
    same(fitted(subject).scores, scores, asked.ids, "the same scores of units where events are scored, too")
    if scores.events is None:
        raise InapplicableError("it gives no scores of events")
    highest = _summed(scores.events, asked, np.maximum)
    mean = _summed(scores.events, asked, np.add) / asked.lengths
    if scores.event is not None:
        some = np.flatnonzero(scores.event >= 0)
        deciding = scores.events[asked.offsets[:-1][some] + scores.event[some]]
        wrong = np.flatnonzero(deciding < highest[some])
        row = int(some[wrong[0]]) if len(wrong) else 0
        said = f"event {scores.event[row]} of unit {asked.ids[row]} scores less than {highest[row]:.6g}"
        expect(not len(wrong), "the event that decided to have the highest score in its unit", said)
    first, last = int(scores.primary.argmin()), int(scores.primary.argmax())
    expect(
        not (highest[last] < highest[first] and mean[last] < mean[first]),
        "events of the most anomalous unit to score no less than those of the least anomalous one",
        f"at most {highest[last]:.6g} in unit {asked.ids[last]}, {highest[first]:.6g} in unit {asked.ids[first]}",
    )


@rule("model", "unjudged", "an event that decides or has a score is not counted as unjudged")
def unjudged(subject: Subject) -> None:
    asked = asked_of(subject)
    answer = fitted(subject).model.score(asked, replace(context_of(subject), events=True))
    scores = Scores.of(answer, len(asked), subject.part.name, len(asked.keys))
    left = scores.unjudged
    if left is None:
        raise InapplicableError("it judges all events: Scores.unjudged is None")
    judged = np.zeros(len(asked.keys), dtype=bool) if scores.events is None else scores.events > -np.inf
    for event in (scores.event, scores.ignoring_event):
        if event is not None:
            some = np.flatnonzero(event >= 0)
            judged[asked.offsets[:-1][some] + event[some]] = True
    number = np.add.reduceat(judged.astype(np.int64), asked.offsets[:-1])
    wrong = np.flatnonzero(number > asked.lengths - left)
    row = int(wrong[0]) if len(wrong) else 0
    expect(
        not len(wrong),
        "events that are not judged to neither decide nor have a score above -inf",
        f"unit {asked.ids[row]} of {asked.lengths[row]} events has {left[row]} unjudged and {number[row]} judged",
    )


def _summed(values: NDArray[np.float64], sessions: Sessions, how: Any) -> NDArray[np.float64]:
    finite = np.clip(values, -1e300, 1e300) if how is np.maximum else np.nan_to_num(values, neginf=0.0, posinf=1e9)
    summed: NDArray[np.float64] = how.reduceat(finite, sessions.offsets[:-1])
    return summed


@rule("model", "event", "the deciding event is at the anomaly, not before it or long after")
def event(subject: Subject) -> None:
    """Scores a unit like those in training, with one unseen key at different positions."""
    size = max(LONG, 2 * least(subject) + REACH + 2)
    train = material.sessions(160, size - 4, 0, 0.3 if is_supervised(subject) else 0.0, subject.traits)
    model = fit(subject, train if is_supervised(subject) else train.unlabelled()).model
    usual, places = [n % V for n in range(size)], np.arange(least(subject) + 1, size - REACH - 1)
    without, strange = (
        [[*usual[:position], *more, *usual[position + 1 :]] for position in places] for more in ([], [V])
    )
    plain, shorter, scores = (
        scored(subject, model, material.of(each, traits=subject.traits)) for each in ([usual], without, strange)
    )
    if scores.event is None:
        raise InapplicableError("it names no event")
    higher = (scores.primary > np.maximum(plain.primary[0], shorter.primary)) & (scores.event >= 0)
    if subject.traits.shown & {"times", *NEEDS} or not higher.any():
        raise InapplicableError("an unseen key raises no score, or times and messages may do so")
    deciding, there = scores.event[higher], places[higher]
    wrong = np.flatnonzero((deciding < there - 1) | (deciding > there + REACH))
    position = int(wrong[0]) if len(wrong) else 0
    expect(
        not len(wrong),
        f"an event at or up to {REACH} after the only unseen key of a usual unit",
        f"event {deciding[position]} in a unit of {size} whose event {there[position]} is unseen",
    )
