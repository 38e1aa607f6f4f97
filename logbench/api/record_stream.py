"""The section of a record about a stream of slices, each tested before anything was learned from it."""

from __future__ import annotations

from typing import Annotated, Literal

# Of `typing_extensions`, because pydantic reads no other TypedDict before Python 3.12.
from typing_extensions import TypedDict

# What happens to a model between slices.
Learning = Literal["kept", "refitted", "updated"]


class DriftFacts(TypedDict):
    """How far a slice is from what came before it: facts of the data, the same for every model."""

    unseen: Annotated[
        float | None, "share of its events whose key the training does not have; null without events"
    ]
    units_unseen: Annotated[float, "share of its units with such an event"]
    distance: Annotated[
        float | None,
        "Jensen–Shannon distance (the root of the divergence in bits, 0 to 1) of its distribution of keys to the "
        "training's, keys that the training does not have taken as one; null without events",
    ]
    step: Annotated[float | None, "the same to the slice before; null for the first"]


class FeedbackFacts(TypedDict):
    """Labels that were told after a slice."""

    alarms: Annotated[int, "alarms of the model in this slice, without units that a rule for short ones decided"]
    asked: Annotated[int, "alarms whose label is asked for: up to `feedback_budget`, the highest scores first"]
    normal: Annotated[int, "labels told after this slice that say false alarm; those asked for earlier, too"]
    anomalous: Annotated[int, "labels told after this slice that say anomaly, likewise"]


class SliceFacts(TypedDict, total=False):
    """One slice, in order of time."""

    units: Annotated[int, "units that are tested"]
    events: Annotated[int, "their events"]
    anomalies: Annotated[int, "units labelled anomalous"]
    first_line: Annotated[int | None, "first line of its units, from 0; null for key sequences"]
    last_line: Annotated[int | None, "their last line"]
    last_time: Annotated[
        int | None, "time of the last event, microseconds since 1970; null where there are no times"
    ]
    keys: Annotated[int, "keys that the model knew when this slice was tested"]
    unseen: Annotated[int, "units with a key that was unknown then"]
    drift: Annotated[DriftFacts, "how far it is from what came before"]
    trained_on: Annotated[int, "units of this stream that the model had learned from when this slice was tested"]
    threshold: Annotated[float | None, "a unit alarms where its score is above it; null where infinite"]
    exact: Annotated[str, "the same as text, infinity included"]
    alarms: Annotated[int, "units that alarm, by the model or by a rule"]
    feedback: Annotated[FeedbackFacts, "what was told after it"]
    metrics: Annotated[
        dict[str, dict[str, float | None]], "unit or evaluator → metrics of all labelled units of this slice"
    ]


class StreamFacts(TypedDict, total=False):
    """A run under `procedure = prequential`. Empty in a batch run."""

    learning: Annotated[
        Learning,
        "what the model did after each slice: `kept` as it was fitted on the training units, `refitted` on all "
        "past units, or `updated`. Scores of the last two depend on the order of the stream",
    ]
    waiting: Annotated[int, "labels asked for that were not due at the end of the stream"]
    slices: Annotated[list[SliceFacts], "slice by slice"]
