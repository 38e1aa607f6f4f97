"""Rules for models: a fresh process, which hashes texts differently, gives the same scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ..data.scores import Scores
from .fresh import in_fresh_process
from .model import other_train
from .model_fitted import SEED, asked_of, columns_of, context_of, fit, fitted, same
from .rule import Subject, rule

COLUMNS = {field.name for field in fields(Scores)} - {"others", "facts"}


@rule("model", "process", "a model fitted after another one gives the scores of a fresh process")
def process(subject: Subject) -> None:
    """Finds several faults at once: class-level state, the order of a set, files left behind."""
    fitted(subject)  # with another seed, on other units
    answer = in_fresh_process(subject, "model_process:second")
    here = _second(subject)
    own: dict[str, Any] = {name: answer.pop(name) for name in COLUMNS if name in answer}
    there = Scores(**own, others=answer)
    what = "the scores of a model that was fitted in a process of its own, under another PYTHONHASHSEED"
    same(there, here, asked_of(subject).ids, what)


def _second(subject: Subject) -> Scores:
    return fit(subject, other_train(subject), replace(context_of(subject), seed=SEED + 1)).scores


def second(subject: Subject, given: Mapping[str, Any]) -> dict[str, Any]:
    """Task of the fresh process: scores of the second model, which is the first one there."""
    return columns_of(_second(subject))
