"""One trial: fit on a part of the training units and judge the scores of units held out from them.

The units of the test set are taken away before anything is fitted: no trial scores them, and nothing of a trial
knows their labels, keys or number.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from ...api.plan import Plan
from ...base.errors import IncompatibleError
from ...evaluation.protocol_rules import apply_protocol_rules
from ...pipeline.split import ANOMALY, NORMAL, digest_of
from ...running.fit_checks import check_fit
from ...running.fitting import Scored, context_for
from ...running.models import running_model
from ...running.prepare import prepare
from ...running.prepared import Prepared
from ...running.procedures.batch import fit_and_score
from ...running.procedures.inputs import Fitting
from ...running.resolve import ResolvedPlan, resolve
from ...running.run_notes import Notes
from ...running.runtime import current
from ...running.stages import Stages
from .copies import with_copies

if TYPE_CHECKING:
    from numpy.typing import NDArray

Objective = Literal["edited", "labelled", "loss"]
# What each objective is, in words, and whether more is better.
OBJECTIVES: dict[Objective, tuple[str, bool]] = {
    "edited": ("AUPRC of held-out units against edited copies of them", True),
    "labelled": ("AUPRC by the labels of held-out units", True),
    "loss": ("validation loss of the model", False),
}


@dataclass(frozen=True)
class TrialAnswer:
    """What one draw of a trial gave.

    Attributes:
        value: of the objective. judged: number of units that it is over.
    """

    value: float
    judged: int


def run_draw(plan: Plan, objective: Objective, draw: int) -> TrialAnswer:
    """Fit and judge the model of a plan once.

    The held-out units of the protocol are judged. Of the other training units a share as large (`held_out`) is set
    apart anew, by `draw`, for what a model does with held-out units: stopping, and thresholds of members.

    Args:
        plan: its seed is the model's. draw: seeds which units are set apart, and the edits.

    Raises:
        IncompatibleError: too few held-out units, or nothing that the objective needs.
    """
    runtime = current()
    resolved = resolve(plan, runtime.registry)
    stages, notes = Stages(runtime), Notes(runtime.bars)
    note = notes.of(resolved.model.name)
    with contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."):
        check_fit(resolved)
        model = running_model(resolved, runtime.models, note)
        try:
            prepared = prepare(resolved, runtime, stages, lambda _: None)
            inner = within_training(prepared, resolved, objective, draw)
            context = replace(context_for(resolved, inner, note), events=False)
            scored = fit_and_score(Fitting(resolved, inner, context, stages, model))
        finally:
            runtime.models.finish(keep=False)
    return _judged(resolved, scored, objective)


def within_training(prepared: Prepared, resolved: ResolvedPlan, objective: Objective, draw: int) -> Prepared:
    """The training units alone, as if they were all data: those held out are tested, fewer train.

    Raises:
        IncompatibleError: too few held-out units, or of one class where their labels judge.
    """
    split, protocol = prepared.split, resolved.protocol
    rng = np.random.default_rng([draw, protocol.split_seed])
    kept = np.sort(np.concatenate([split.train, split.held_out]))
    sessions = prepared.sessions.take(kept)
    train, judged = np.searchsorted(kept, split.train), np.searchsorted(kept, split.held_out)
    apart = _apart(len(train), protocol.held_out, protocol.train == "ratio", rng)
    if not len(judged) or not apart.any() or apart.all():
        raise IncompatibleError(
            f"tuning judges on held-out units, but {len(judged)} of {len(kept)} training units are held out; "
            "raise protocol.held_out or train more units"
        )
    assert sessions.labels is not None
    if objective == "edited":
        normal = judged[sessions.labels[judged] != ANOMALY]
        labels = sessions.labels.copy()
        labels[normal] = NORMAL  # one without a label is presumed normal, as in training
        sessions, copies = with_copies(replace(sessions, labels=labels), normal, rng)
        judged = np.concatenate([normal, copies])
    fitted, stopped = train[~apart], train[apart]
    sides = digest_of(pl.DataFrame({"unit": sessions.ids, "label": sessions.labels}), fitted, stopped, judged)
    inner = replace(
        split,
        train=fitted,
        held_out=stopped,
        test=judged,
        flipped=np.empty(0, np.int64),
        hidden=np.searchsorted(kept, split.hidden),
        digest=sides,
    )
    return replace(prepared, split=inner, sessions=sessions, parts={})


def _apart(units: int, share: float, last: bool, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Training units to set apart, bool [units]: at random, or the last ones where time orders the split."""
    apart = np.zeros(units, dtype=bool)
    some = max(1, round(share * units))
    apart[slice(units - some, None) if last else rng.choice(units, min(some, units), replace=False)] = True
    return apart


def _judged(resolved: ResolvedPlan, scored: Scored, objective: Objective) -> TrialAnswer:
    if objective == "loss":
        value = scored.training.get("validation_loss")
        if value is None:
            raise IncompatibleError(f"{resolved.model.name} reports no validation_loss; take another --objective")
        return TrialAnswer(float(value), 0)
    frame = apply_protocol_rules(scored.frame, resolved.protocol, resolved.short_limit, resolved.model.own)
    units = frame.filter((frame["part"] == "test") & frame["score"].is_not_null() & (frame["label"] >= 0))
    if units["label"].n_unique() < 2:
        raise IncompatibleError(
            "the held-out units that can be judged are of one class; raise protocol.held_out"
            + (", or judge by --objective edited" if objective == "labelled" else "")
        )
    return TrialAnswer(_average_precision(units), units.height)


def _average_precision(units: pl.DataFrame) -> float:
    """Of dense ranks, since scores may be infinite."""
    from sklearn.metrics import average_precision_score

    return float(
        average_precision_score(units["label"], units["score"].rank("dense"), sample_weight=units["weight"])
    )
