"""What every procedure needs to fit and score: units that train, a context, and the frame of scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.contracts import Context
from ..api.record_split import LabelFacts, StreamAudit
from ..api.record_stream import StreamFacts
from ..base.errors import IncompatibleError
from ..base.jsonable import several
from ..data.scores import Scores, spread
from ..evaluation.line_metrics import has_labels
from ..evaluation.unit_moments import moments_of
from ..pipeline.leak_audit import audit_budget
from ..pipeline.split import ANOMALY, NORMAL, UNKNOWN
from .fit_checks import resolve_device
from .prepared import HandedUnits, Prepared
from .scored_alone import Alone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..evaluation.verdicts import Decision
    from .resolve import ResolvedPlan


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
        stream: what the procedure prequential did beside; None in a batch run.
    """

    frame: pl.DataFrame
    events: pl.DataFrame | None
    training: Mapping[str, Any]
    told: str
    labels: LabelFacts
    alone: Alone | None
    stream: Streamed | None = None


@dataclass(frozen=True)
class Streamed:
    """A stream of slices, each tested before anything was learned from it.

    Attributes:
        decision: verdicts of all slices; each has the threshold of its slice. Held-out units are as the first
            slice met them, and so is its threshold.
        facts: see `RunRecord.stream`, the metrics of slices left out.
        audit: what was checked of it.
        opened: files that the models opened.
        explains: the model can still tell why it scored so; not if it learned since.
    """

    decision: Decision
    facts: StreamFacts
    audit: StreamAudit
    opened: Sequence[str]
    explains: bool


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
        devices=resolved.plan.devices,
        held_out=held.sessions if len(held.sessions) else None,
        alpha=resolved.protocol.alpha,
        events=has_labels(prepared.sessions),
        note=note,
    )


def label_facts(resolved: ResolvedPlan, prepared: Prepared, train: HandedUnits, held: HandedUnits) -> LabelFacts:
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
        units: indices of the held-out and then the test units of the split.
        scored: indices of the scored units, in the order of `scores`.
    """
    column = partial(spread, where=rows_of(units, len(prepared.sessions))[scored], size=len(units))
    return columns_of(prepared, units).with_columns(
        raw=column(scores.primary, dtype=pl.Float64),
        event=column(scores.event, dtype=pl.Int64),
        ignoring=column(scores.ignoring, dtype=pl.Float64),
        ignoring_event=column(scores.ignoring_event, dtype=pl.Int64),
        unjudged=column(scores.unjudged, dtype=pl.Int64),
        **{name: column(values, dtype=pl.Float64) for name, values in scores.others.items()},
    )


def columns_of(prepared: Prepared, units: NDArray[np.int64]) -> pl.DataFrame:
    """What is known of held-out and test units before any model; models of one split share it.

    Args:
        units: see `scored_frame`.
    """
    sessions, split = prepared.sessions, prepared.split
    decide = (sessions.keys, sessions.labels, sessions.weights, split.train, split.held_out, split.test)
    return prepared.known.columns(decide, lambda: _unit_columns(prepared, units))


def _unit_columns(prepared: Prepared, units: NDArray[np.int64]) -> pl.DataFrame:
    sessions, split = prepared.sessions, prepared.split
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
        }
    )


def rows_of(units: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Place of each of `size` units among `units`, int64 [size]; any number for the others."""
    rows = np.empty(size, dtype=np.int64)
    rows[units] = np.arange(len(units))
    return rows
