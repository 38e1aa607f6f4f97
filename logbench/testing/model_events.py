"""Rules for models: what they say of single events agrees with what they say of the unit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frames import Scores, Sessions
from . import material
from .model_fitted import again_scored, asked_of, context_of, fitted, least, same
from .outcome import InapplicableError, expect
from .rules import Subject, rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

V = material.VOCABULARY


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
        at = int(some[wrong[0]]) if len(wrong) else 0
        said = f"event {scores.event[at]} of unit {asked.ids[at]} scores less than {highest[at]:.6g}"
        expect(not len(wrong), "the event that decided to have the highest score in its unit", said)
    first, last = int(scores.primary.argmin()), int(scores.primary.argmax())
    expect(
        not (highest[last] < highest[first] and mean[last] < mean[first]),
        "events of the most anomalous unit to score no less than those of the least anomalous one",
        f"at most {highest[last]:.6g} in unit {asked.ids[last]}, {highest[first]:.6g} in unit {asked.ids[first]}",
    )


def _summed(values: NDArray[np.float64], sessions: Sessions, how: Any) -> NDArray[np.float64]:
    finite = np.clip(values, -1e300, 1e300) if how is np.maximum else np.nan_to_num(values, neginf=0.0, posinf=1e9)
    found: NDArray[np.float64] = how.reduceat(finite, sessions.offsets[:-1])
    return found


@rule("model", "event", "the event that decided is where the unit is strange, not before it or long after")
def event(subject: Subject) -> None:
    """Long usual units with one unseen key at different places."""
    reach = max(10, least(subject))
    size = 4 * reach + 20
    places = [reach + n for n in range(1, reach)]
    usual = [[n % V for n in range(size)] for _ in places]
    strange = [[*walk[:at], V, *walk[at + 1 :]] for walk, at in zip(usual, places, strict=True)]
    plain, raised = (again_scored(subject, material.of(each, traits=subject.traits)) for each in (usual, strange))
    if raised.event is None:
        raise InapplicableError("it names no event")
    higher = np.flatnonzero((raised.primary > plain.primary) & (raised.event >= 0))
    if not len(higher):
        raise InapplicableError("an unseen key raises no score")
    found, there = raised.event[higher], np.array(places)[higher]
    wrong = np.flatnonzero((found < there - 1) | (found > there + reach))
    at = int(wrong[0]) if len(wrong) else 0
    expect(
        not len(wrong),
        f"an event at or up to {reach} after the only unseen key",
        f"event {found[at]} in a unit whose event {there[at]} is unseen",
    )
