"""Test then train: units in slices of time, each tested by what was learned from those before.

Prequential evaluation: Dawid, Journal of the Royal Statistical Society A 147, 1984; Gama, Sebastião & Rodrigues,
Machine Learning 90, 2013. A model with `update` learns from the units of a slice after it was tested; any other
one is kept as it was fitted on the training units, or refitted, by `protocol.without_update`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from ...api.record_sections import UnitsDecided
from ...base.errors import IncompatibleError
from ...data.neutral import neutral
from ...evaluation.unit_counts import counts_of
from ...evaluation.verdicts import Decision, decide
from ...pipeline.drift import drift_of
from ..fitting import Scored, Streamed, context_for, label_facts, learning_parts, scored_frame
from ..scored_alone import score_alone
from . import batch
from .feedback import Feedback, Told
from .inputs import Fitting
from .slice_facts import facts_of_slice
from .stream_state import StreamState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...api.contracts import RunningModel
    from ...api.record_stream import FeedbackFacts, Learning, SliceFacts, StreamFacts
    from ..prepared import Prepared
    from ..resolve import ResolvedPlan
    from ..scored_alone import Alone


def learning_of(resolved: ResolvedPlan, model: RunningModel) -> Learning:
    """What the model does after each slice."""
    if model.can("update"):
        return "updated"
    return "refitted" if resolved.protocol.without_update == "refit" else "kept"


def fit_and_score(fitting: Fitting) -> Scored:
    """See `Procedure.fit_and_score`. Labels of test units stay here, but for those that `Feedback` tells.

    Raises:
        LeakError: something was learned from a unit before it was tested.
    """
    resolved, prepared, stages, model = fitting.resolved, fitting.prepared, fitting.stages, fitting.model
    _check_windows(resolved)
    train, held = learning_parts(resolved, prepared)
    labels = label_facts(resolved, prepared, train, held)
    walk = _Walk(replace(fitting, context=replace(fitting.context, events=False)))
    with stages("fit") as stage:
        training = batch.fitted(resolved, train, walk.context, model, stage.progress)
        stage.items = len(train.sessions)
        stage.facts |= model.measured
    with stages("score") as stage:
        for number in range(len(walk.state.slices)):
            walk.step(number)
            stage.progress(number + 1, len(walk.state.slices), f"slice {number + 1}")
        stage.items = sum(map(len, walk.state.slices))
        stage.facts["learned_s"] = round(walk.learned_s, 4)
    decision, undecided = walk.whole()
    return Scored(undecided, None, training, walk.told, labels, walk.alone, walk.streamed(decision))


def decided(resolved: ResolvedPlan, scored: Scored) -> Decision:
    """See `Procedure.decided`: each slice was decided before anything was learned from it."""
    assert scored.stream is not None
    return scored.stream.decision


class _Walk:
    """A walk through the slices.

    Attributes:
        state: the data as they are known.
        context: of the model.
        told: which labels the model was given to fit, in words.
        alone: see `Scored`; of the first slice.
        learned_s: seconds spent on learning between slices.
    """

    def __init__(self, fitting: Fitting) -> None:
        resolved, prepared, context = fitting.resolved, fitting.prepared, fitting.context
        assert fitting.renewed is not None
        self._resolved, self._prepared, self._renewed = resolved, prepared, fitting.renewed
        self.context, self._models, self.learned_s = context, [fitting.model], 0.0
        self._learning = learning_of(resolved, fitting.model)
        protocol = resolved.protocol
        if self._learning == "refitted" and protocol.content != "mixed":
            context.note(f"refitted under content={protocol.content}: by the labels of all past units")
        self.state = StreamState(resolved, prepared, self._learning)
        budget = 0 if resolved.supervision == "unsupervised" else protocol.feedback_budget
        if protocol.feedback_budget > budget and self._learning == "updated":
            context.note("it is unsupervised, so it is told no label")
        self._feedback = Feedback(prepared.labels, budget, protocol.feedback_delay)
        self._drift = drift_of(prepared.sessions, prepared.split.train, self.state.slices)
        self._decisions: list[Decision] = []
        self._facts: list[SliceFacts] = []
        self.told: str = ""
        self.alone: Alone | None = None

    def step(self, number: int) -> None:
        """Test a slice, decide, and learn from it."""
        now = self.state.before(number)
        if number and self._learning != "kept":
            with self._timed():
                self._renew(now)
        decision = self._tested(number, now)
        facts = facts_of_slice(now, decision, self._drift[number], self.state.audit.facts()["learned"])
        self._decisions.append(decision)
        self._facts.append(facts)
        with self._timed():
            self.state.learn(number)
            if self._learning == "updated":
                told, facts["feedback"] = _told_after(decision, self.state.slices[number], self._feedback)
                self._update(told)

    def _tested(self, number: int, now: Prepared) -> Decision:
        """Score and decide a slice, before anything is learned from it."""
        resolved, model = self._resolved, self._models[-1]
        train, _ = learning_parts(resolved, now)
        asked = batch.asked_units(resolved, now, train, self.context)
        self.state.audit.test(self.state.slices[number])
        scores = batch.scores_of(resolved, asked, self.context, model, self.context.progress)
        if not number:
            self.told = asked.told
            if not resolved.joint_scores:
                handed, digest = asked.handed.sessions, self._prepared.split.digest
                self.alone = score_alone(model, handed, scores, self.context, digest, resolved.needs)
        sequence = self._prepared.sessions.distinct.inverse  # under later keys equal ones have other numbers
        frame = scored_frame(now, asked.units, asked.handed.units, scores).with_columns(
            sequence=sequence[asked.units].astype(np.uint32), slice=pl.lit(number + 1, pl.Int32)
        )
        self._columns = frame.columns
        return decide(frame, resolved.protocol, resolved.model.own, short_limit=resolved.short_limit)

    def _renew(self, now: Prepared) -> None:
        """Show the model what is known now; fit a new one, if that is what is asked for."""
        self.context = replace(context_for(self._resolved, now, self.context.note), events=False)
        if self._learning == "refitted":
            train, _ = learning_parts(self._resolved, now)
            self._models.append(self._renewed())
            batch.fitted(self._resolved, train, self.context, self._models[-1], self.context.progress)

    def _update(self, told: Told) -> None:
        """Let the model learn, unit by unit."""
        if len(told.units):
            self.state.audit.learn(told.units)
            self.state.audit.tell(told.labelled)
            units = neutral(self.state.grown.sessions, self._resolved.needs, units=told.units)
            self._models[-1].update(units, told.verdicts, told.labels, self.context)

    def whole(self) -> tuple[Decision, pl.DataFrame]:
        """One decision: held-out units and threshold of the first slice, test units of all; its frame before."""
        first = self._decisions[0]
        held = first.frame.filter(pl.col("part") == "held_out").with_columns(slice=pl.lit(None, pl.Int32))
        test = pl.concat([one.units for one in self._decisions]).sort("index")  # as the split has them
        frame = pl.concat([held, test])
        counts = {**counts_of(test), "short_limit": self._resolved.short_limit}
        return Decision(frame, first.threshold, cast(UnitsDecided, counts)), frame.select(self._columns)

    def streamed(self, decision: Decision) -> Streamed:
        """What the record says of the stream."""
        facts: StreamFacts = {
            "learning": self._learning,
            "waiting": self._feedback.waiting,
            "slices": self._facts,
        }
        opened = [file for model in self._models for file in model.opened]
        return Streamed(decision, facts, self.state.audit.facts(), opened, self._learning == "kept")

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.learned_s += time.perf_counter() - began


def _check_windows(resolved: ResolvedPlan) -> None:
    traits = resolved.windower.entry.item.traits
    overlaps = traits.overlaps(resolved.windower.config) if callable(traits.overlaps) else traits.overlaps
    if overlaps:
        raise IncompatibleError(
            "overlapping windows of two slices share lines, so protocol.procedure=prequential would train on "
            "lines that it tests next; use windows without overlap"
        )


def _told_after(decision: Decision, units: NDArray[np.int64], feedback: Feedback) -> tuple[Told, FeedbackFacts]:
    """What is told after a slice, and its facts.

    Args:
        units: of the slice, in order of time.
    """
    order = pl.DataFrame({"index": units})
    ordered = order.join(decision.units, "index", "left", maintain_order="left")
    scored = ordered["raw"].is_not_null().to_numpy()
    verdicts = ordered["verdict"].fill_null(False).to_numpy()
    told, asked = feedback.after(units, scored, verdicts, ordered["score"].fill_null(np.nan).to_numpy())
    facts: FeedbackFacts = {
        "alarms": int((scored & verdicts).sum()),
        "asked": asked,
        "normal": int((told.labels == 0).sum()),
        "anomalous": int((told.labels == 1).sum()),
    }
    return told, facts
