"""First-party baselines: simple detectors that a deep one has to beat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from logbench import Component, Traits, hookimpl

if TYPE_CHECKING:
    from .rules import NewEventOrLength


def _new_event_length() -> NewEventOrLength:
    from .rules import NewEventOrLength

    return NewEventOrLength()


@hookimpl
def logbench_models() -> Iterable[Component[NewEventOrLength]]:
    """Offer `new-event+length`."""
    yield Component(
        "new-event+length",
        _new_event_length,
        summary="an event unseen in training, or a length outside its range (Landauer et al., FSE 2024)",
        traits=Traits(scores_without_unseen=True, fixed_threshold=0.0),
    )
