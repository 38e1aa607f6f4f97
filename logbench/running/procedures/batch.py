"""Fit once, score all units, decide once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ...api.contracts import Context
from ...data.per_unit import events_of_units
from ...data.scores import Scores, facts_of
from ...evaluation.line_metrics import event_frame
from ...evaluation.verdicts import Decision, decide
from ...pipeline.leak_audit import labels_given
from ..fitting import Scored, columns_of, label_facts, learning_parts, rows_of, scored_frame
from ..prepared import HandedUnits, Prepared
from ..scored_alone import score_alone
from ..unit_scores import score_units
from .inputs import Fitting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...api.contracts import RunningModel
    from ...base.progress import Progress
    from ..resolve import ResolvedPlan


def fit_and_score(fitting: Fitting) -> Scored:
    """See `Procedure.fit_and_score`.

    Only supervised models get labels of training and held-out units; none gets those of test units. While a model
    trains in a process of its own, this one makes the units ready that are scored.
    """
    resolved, prepared, context, model = fitting.resolved, fitting.prepared, fitting.context, fitting.model
    train, held = learning_parts(resolved, prepared)
    facts = label_facts(resolved, prepared, train, held)
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(_asked, resolved, prepared, train, context) if model.apart else None
        with fitting.stages("fit") as stage:
            training = fitted(resolved, train, context, model, stage.progress)
            stage.items = len(train.sessions)
            stage.facts |= model.measured
    with fitting.stages("score") as stage:
        asked = beside.result() if beside else _asked(resolved, prepared, train, context)
        scores = scores_of(resolved, asked, context, model, stage.progress)
        stage.items = len(asked.handed.sessions)
        stage.facts |= {**scores.facts, **model.measured}
    alone = None
    if not resolved.joint_scores:
        alone = score_alone(model, asked.handed.sessions, scores, context, prepared.split.digest, resolved.needs)
    events = _event_frame(resolved, prepared, asked.handed, scores) if context.events else None
    frame = scored_frame(prepared, asked.units, asked.handed.units, scores)
    return Scored(frame, events, training, asked.told, facts, alone)


def decided(resolved: ResolvedPlan, scored: Scored) -> Decision:
    """See `Procedure.decided`."""
    return decide(scored.frame, resolved.protocol, resolved.model.own, short_limit=resolved.short_limit)


def fitted(
    resolved: ResolvedPlan, train: HandedUnits, context: Context, model: RunningModel, progress: Progress
) -> Mapping[str, Any]:
    """Fit the model; the facts that it returns."""
    answer = model.fit(train.sessions, replace(context, progress=progress))
    return facts_of(answer, f"model {resolved.model.name!r}: fit")


def _asked(resolved: ResolvedPlan, prepared: Prepared, train: HandedUnits, context: Context) -> AskedUnits:
    """The units to be scored; what is known of them before is found out, too."""
    asked = asked_units(resolved, prepared, train, context)
    columns_of(prepared, asked.units)
    return asked


@dataclass(frozen=True)
class AskedUnits:
    """Units to score.

    Attributes:
        units: int64, all held-out and test units, short ones too, held-out ones first.
        handed: those that are not short, as the model gets them.
        told: which labels the model was given, in words.
    """

    units: NDArray[np.int64]
    handed: HandedUnits
    told: str


def asked_units(resolved: ResolvedPlan, prepared: Prepared, train: HandedUnits, context: Context) -> AskedUnits:
    """The held-out and test units, to be scored.

    Raises:
        LeakError: the model was given more labels than its supervision allows.
    """
    units = np.concatenate([prepared.split.held_out, prepared.split.test])
    long_enough = prepared.sessions.lengths[units] >= resolved.short_limit
    handed = prepared.part(f"scored from {resolved.short_limit}", units[long_enough], resolved.needs)
    supervised = resolved.supervision == "supervised"
    told = labels_given(train.sessions, context.held_out, handed.sessions, supervised)
    return AskedUnits(units, handed, told)


def scores_of(
    resolved: ResolvedPlan, asked: AskedUnits, context: Context, model: RunningModel, progress: Progress
) -> Scores:
    """Scores of the units that are not short, in the order in which they were handed out."""
    share = resolved.keys_only and not context.events
    watched = replace(context, progress=progress)
    return score_units(model, asked.handed.sessions, watched, resolved.model.name, share)


def _event_frame(
    resolved: ResolvedPlan, prepared: Prepared, asked: HandedUnits, scores: Scores
) -> pl.DataFrame | None:
    """Scores of single events, put back from the order of scoring into the order of the split's units."""
    if scores.events is None:
        return None
    units = np.concatenate([prepared.split.held_out, prepared.split.test])
    order = np.argsort(rows_of(units, len(prepared.sessions))[asked.units], kind="stable")
    positions, _ = events_of_units(asked.sessions.offsets, order)
    parts = {"held_out": prepared.split.held_out, "test": prepared.split.test}
    return event_frame(prepared.sessions, parts, scores.events[positions], resolved.short_limit)
