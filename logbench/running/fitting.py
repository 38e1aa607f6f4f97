"""Fit the model and score all units (stages fit and score)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.contracts import Context
from ..api.record_split import LabelFacts
from ..base.errors import IncompatibleError
from ..base.jsonable import several
from ..data.per_unit import events_of_units
from ..data.scores import Scores, facts_of, spread
from ..evaluation.line_metrics import event_frame, has_labels
from ..evaluation.unit_moments import moments_of
from ..pipeline.leak_audit import audit_budget, labels_given
from ..pipeline.split import ANOMALY, NORMAL, UNKNOWN
from .fit_checks import resolve_device
from .prepared import HandedUnits, Prepared
from .scored_alone import Alone, score_alone
from .unit_scores import score_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import RunningModel
    from .resolve import ResolvedPlan
    from .stages import Stages


@dataclass(frozen=True)
class Scored:
    """Scores of the held-out and test units.

    Attributes:
        frame: see `verdicts`.
        events: see `line_metrics`; None if single events are not scored.
        training: facts that the model returned from `fit`.
        told: which labels the model was given, in words.
        labels: how many labels might be seen, and how many were.
        alone: units scored again without the others; None if the model declares that scores depend on them.
    """

    frame: pl.DataFrame
    events: pl.DataFrame | None
    training: Mapping[str, Any]
    told: str
    labels: LabelFacts
    alone: Alone | None


def learning_parts(resolved: ResolvedPlan, prepared: Prepared) -> tuple[HandedUnits, HandedUnits]:
    """Training units and held-out units for the model; both have labels for a supervised model alone.

    Under `content = labelled` a semi-supervised model gets the units known to be normal, an unsupervised one all
    units, and a supervised one those whose label it may see; one that learns from unlabelled units, too, gets all.
    """
    normal = resolved.protocol.content == "labelled" and resolved.supervision == "semi-supervised"
    labelled = resolved.supervision == "supervised"
    only_known = labelled and not resolved.unlabelled and len(prepared.split.hidden)

    def part(name: str, units: NDArray[np.int64]) -> HandedUnits:
        if normal:
            name, units = f"normal {name}", units[prepared.labels[units] == NORMAL]
        elif only_known:
            name, units = f"labelled {name}", units[prepared.labels[units] != UNKNOWN]
        return prepared.part(name, units, resolved.needs, labelled=labelled)

    return part("train", prepared.split.train), part("held_out", prepared.split.held_out)


def context_for(resolved: ResolvedPlan, prepared: Prepared, note: Callable[[str], None]) -> Context:
    """Context for the model: seed, device, held-out units, and so on."""
    _, held = learning_parts(resolved, prepared)
    return Context(
        seed=resolved.plan.seed,
        device=resolve_device(resolved.plan.device),
        held_out=held.sessions if len(held.sessions) else None,
        alpha=resolved.protocol.alpha,
        events=has_labels(prepared.sessions),
        note=note,
    )


def fit_and_score(
    resolved: ResolvedPlan, prepared: Prepared, context: Context, stages: Stages, model: RunningModel
) -> Scored:
    """Fit and score.

    Only supervised models get labels of training and held-out units; none gets those of test units.
    """
    train, held = learning_parts(resolved, prepared)
    supervised = resolved.supervision == "supervised"
    facts = _label_facts(resolved, prepared, train, held)
    with stages("fit") as stage:
        answer = model.fit(train.sessions, replace(context, progress=stage.progress))
        training = facts_of(answer, f"model {resolved.model.name!r}: fit")
        stage.items = len(train.sessions)
        stage.facts |= model.measured
    units = np.concatenate([prepared.split.held_out, prepared.split.test])
    long_enough = prepared.sessions.lengths[units] >= resolved.short_limit
    asked = prepared.part(f"scored from {resolved.short_limit}", units[long_enough], resolved.needs)
    told = labels_given(train.sessions, context.held_out, asked.sessions, supervised)
    share = resolved.keys_only and not context.events
    with stages("score") as stage:
        scores = score_units(
            model, asked.sessions, replace(context, progress=stage.progress), resolved.model.name, share
        )
        stage.items = len(asked.sessions)
        stage.facts |= {**scores.facts, **model.measured}
    alone = None
    if not resolved.joint_scores:
        alone = score_alone(model, asked.sessions, scores, context, prepared.split.digest, resolved.needs)
    events = _event_frame(resolved, prepared, asked, scores) if context.events else None
    frame = scored_frame(prepared, units, asked.units, scores)
    return Scored(frame, events, training, told, facts, alone)


def _label_facts(resolved: ResolvedPlan, prepared: Prepared, train: HandedUnits, held: HandedUnits) -> LabelFacts:
    """Count the labels that may be seen, and those handed out; empty where the protocol shows none.

    Raises:
        IncompatibleError: a supervised model would see one class alone.
        LeakError: a label beyond the budget was handed out.
    """
    if resolved.protocol.content != "labelled":
        return {}
    split, labels = prepared.split, prepared.labels
    seen = labels[np.concatenate([split.train, split.held_out])]
    normal, anomalous = (int((seen == label).sum()) for label in (NORMAL, ANOMALY))
    used = audit_budget(prepared.grouped, split, labels, (train, held), resolved.supervision)
    if resolved.supervision == "supervised" and resolved.protocol.label_budget is not None:
        classes = [int((labels[train.units] == label).sum()) for label in (NORMAL, ANOMALY)]
        if not all(classes):
            raise IncompatibleError(
                f"protocol.label_budget={resolved.protocol.label_budget:g} shows model {resolved.model.name} "
                f"{several(classes[0], 'normal training unit')} and {classes[1]:,} anomalous, but it needs both; "
                "give a larger budget"
            )
    return {"seen": normal + anomalous, "seen_normal": normal, "seen_anomalous": anomalous, "used": used}


def scored_frame(
    prepared: Prepared, units: NDArray[np.int64], scored: NDArray[np.int64], scores: Scores
) -> pl.DataFrame:
    """The frame that `verdicts` describes: one row a held-out or test unit, null scores for short units.

    Args:
        units: indices of the units, held-out units first.
        scored: indices of the scored units, in the order of `scores`.
    """
    sessions, split = prepared.sessions, prepared.split
    column = partial(spread, where=_rows_of(units, len(sessions))[scored], size=len(units))
    sequence = sessions.distinct.inverse
    in_training = np.zeros(len(sessions.distinct), dtype=bool)
    in_training[sequence[split.train]] = True
    return pl.DataFrame(
        {
            "part": np.repeat(["held_out", "test"], [len(split.held_out), len(split.test)]),
            "unit": sessions.ids.gather(units),
            "index": units,
            "label": pl.Series(prepared.labels).gather(units),
            "weight": sessions.weights[units],
            "events": sessions.lengths[units],
            "unseen": sessions.unseen[units],
            "sequence": sequence[units].astype(np.uint32),
            "repeats": in_training[sequence[units]],
            **moments_of(sessions, units),
            "raw": column(scores.primary, dtype=pl.Float64),
            "event": column(scores.event, dtype=pl.Int64),
            "ignoring": column(scores.ignoring, dtype=pl.Float64),
            "ignoring_event": column(scores.ignoring_event, dtype=pl.Int64),
            "unjudged": column(scores.unjudged, dtype=pl.Int64),
            **{name: column(values, dtype=pl.Float64) for name, values in scores.others.items()},
        }
    )


def _event_frame(
    resolved: ResolvedPlan, prepared: Prepared, asked: HandedUnits, scores: Scores
) -> pl.DataFrame | None:
    """Scores of single events, put back from the order of scoring into the order of the split's units."""
    if scores.events is None:
        return None
    units = np.concatenate([prepared.split.held_out, prepared.split.test])
    order = np.argsort(_rows_of(units, len(prepared.sessions))[asked.units], kind="stable")
    positions, _ = events_of_units(asked.sessions.offsets, order)
    parts = {"held_out": prepared.split.held_out, "test": prepared.split.test}
    return event_frame(prepared.sessions, parts, scores.events[positions], resolved.short_limit)


def _rows_of(units: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Place of each of `size` units among `units`, int64 [size]; any number for the others."""
    rows = np.empty(size, dtype=np.int64)
    rows[units] = np.arange(len(units))
    return rows
