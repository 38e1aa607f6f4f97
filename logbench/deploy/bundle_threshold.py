"""The threshold of a saved model: its own, or one for the alarms that one bears."""

from __future__ import annotations

from ..base.errors import IncompatibleError
from ..evaluation.alarm_rates import AlarmRate, AlarmThreshold, threshold_by
from ..running.bundle import Bundle
from ..running.held_out import failures_said


def threshold_of(bundle: Bundle, asked: AlarmRate) -> AlarmThreshold:
    """The threshold by which new units alarm. Rates are those of the held-out units, so no new unit moves it.

    Raises:
        IncompatibleError: the model is a rule, or saw lines without times.
    """
    facts = bundle.facts["threshold"]
    if not asked.asked:
        return AlarmThreshold(float(facts["exact"]))
    if facts.get("rule"):
        raise IncompatibleError(
            f"model {bundle.parts['model'].name} says yes or no, so it has no threshold to set; "
            "take a model with graded scores, such as markov"
        )
    if asked.threshold is not None:
        return AlarmThreshold(asked.threshold)
    held = bundle.held_out
    chosen = threshold_by(asked, held, bundle.facts.get("units_a_day"), "held-out unit")
    assert chosen.rate is not None
    more = failures_said(held, chosen.value, chosen.rate)
    return AlarmThreshold(chosen.value, chosen.rate, (*chosen.said, *([more] if more else [])))
