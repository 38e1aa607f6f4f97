"""Prepare sessions for a plan: locate, read, group, split, parse, sessions. Models of a comparison share them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.traits import OF_VECTORS
from ..base.errors import IncompatibleError
from ..base.files import aside
from ..base.progress import Progress
from ..base.state_guard import guarded
from ..components.configured import ConfiguredComponent
from ..data.derived import derived, hand_on
from ..data.message_needs import NEEDS
from ..pipeline import leak_audit
from ..pipeline.embedding import embed, fit_embedding, training_texts
from ..pipeline.grouping import GroupedLines
from ..pipeline.label_budget import hide_lines, without_hidden
from ..pipeline.label_noise import noisy
from ..pipeline.log_messages import LogMessages
from ..pipeline.misparsed import misparse
from ..pipeline.near_templates import near_keys
from ..pipeline.parsing import Vocabulary, learn, sessions_of
from ..pipeline.split import Split, split_units
from ..pipeline.unstable import make_unstable
from ..running import identity
from .grouped_log import grouped_log
from .needs import vectors_of
from .prepared import Prepared
from .resolve import ResolvedPlan
from .runtime import Runtime
from .stages import Stages
from .trained_log import TrainedLog, tested_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray


def prepare(resolved: ResolvedPlan, runtime: Runtime, stages: Stages, note: Callable[[str], None]) -> Prepared:
    """Run the stages `locate` to `sessions`, and `embed` for a model that takes vectors.

    Raises:
        DataError, IncompatibleError: see each stage.
        LeakError: test data would reach training.
    """
    with aside(not resolved.plan.cache), guarded(note):  # data set, windower, parser and embedding
        prepared = _prepare(resolved, runtime, stages, note)
        if resolved.embedding is not None and resolved.needs & OF_VECTORS:
            prepared = _with_vectors(resolved, resolved.embedding, prepared, stages)
        return prepared


def _prepare(resolved: ResolvedPlan, runtime: Runtime, stages: Stages, note: Callable[[str], None]) -> Prepared:
    path, files, source, grouped = grouped_log(tested_whole(resolved), runtime, stages, note)
    trained = TrainedLog.of(resolved, runtime, stages, note)
    key = (source if trained is None else f"{source} {trained.key}", _prepared_by(resolved))
    if (before := runtime.cache.prepared.get(key)) is not None:
        for stage_name in ("split", "parse", "sessions"):
            with stages(stage_name) as stage:
                stage.facts["shared"] = True
                _read_messages(resolved, before.grouped, stage.progress)
        return before
    with stages("split") as stage:
        if trained is None:
            split = split_units(grouped.units, resolved.protocol, grouped.sequences)
        else:
            grouped, split = trained.split(grouped, files, resolved, note)
        weights, weighted = _weights(grouped, split, resolved)
        grouped, unstable = make_unstable(
            grouped, split, resolved.protocol, partial(learn, grouped, split.train, resolved.parser.build())
        )
        stage.items = len(grouped)
    with stages("parse") as stage:
        vocabulary = learn(grouped, split.train, resolved.parser.build())
        stage.items = len(grouped.messages)
    with stages("sessions") as stage:
        keys = _keys(resolved, grouped, vocabulary)
        passed = None if trained is None else trained.facts(grouped, split, vocabulary, keys)
        made = sessions_of(grouped, vocabulary, weights)
        if resolved.protocol.template_match is not None:
            made = replace(made, keys=keys[grouped.codes])
        made, vocabulary, misparsed = misparse(made, split, resolved.protocol, vocabulary, grouped.messages)
        labels = noisy(grouped.units["label"].to_numpy(), np.concatenate([split.flipped, split.flipped_test]))
        sessions = hide_lines(replace(made, labels=without_hidden(labels, split.hidden)), split.hidden)
        _ = sessions.distinct
        _read_messages(resolved, grouped, stage.progress)
        chronological = trained is None and resolved.protocol.train == "ratio" and resolved.protocol.cut == "all"
        apart = all(part.entry.item.traits.line_windows for part in resolved.windowers)
        checked = leak_audit.audit(grouped, split, vocabulary, chronological, apart)
        stage.items = len(sessions.keys)
    changed = unstable or misparsed
    digest = None if trained is None else trained.digest
    result = Prepared(
        path, files, grouped, split, vocabulary, sessions, weighted, checked, changed, passed, digest
    )
    runtime.cache.prepared.clear()  # one split in memory
    runtime.cache.prepared[key] = result
    return result


def _keys(resolved: ResolvedPlan, grouped: GroupedLines, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """Key of each distinct message, int32 [messages]: the parser's, or by `protocol.template_match`."""
    least = resolved.protocol.template_match
    if least is None or resolved.embedding is None:
        return vocabulary.lookup(grouped.messages)
    return near_keys(grouped, vocabulary, resolved.embedding.build(), least)


def _with_vectors(
    resolved: ResolvedPlan, part: ConfiguredComponent[Any], prepared: Prepared, stages: Stages
) -> Prepared:
    """The same with a vector for each distinct text, by an embedding that saw texts of training alone.

    Unchanged where the data have no text, and the model can do without.
    """
    need = vectors_of(resolved.needs)
    known = training_texts(prepared.vocabulary, need)
    if not known and need not in resolved.model.entry.item.traits.needs:
        return prepared
    key = identity.of({"embedding": part}, need=need).text
    with stages("embed") as stage:
        if (before := prepared.with_vectors.get(key)) is not None:
            stage.facts["shared"] = True
            return before
        embedding = part.build()
        fit_embedding(embedding, part.name, known)
        made = embed(prepared.sessions, prepared.grouped, prepared.vocabulary, need, embedding, known)
        stage.items = made.facts["texts"] + made.facts["unseen"]
    hand_on(derived(prepared.sessions), made.sessions)
    result = replace(prepared, sessions=made.sessions, parts={}, embedded=made, with_vectors={})
    prepared.with_vectors.clear()
    prepared.with_vectors[key] = result
    return result


def _read_messages(resolved: ResolvedPlan, grouped: GroupedLines, progress: Progress) -> None:
    """Read the messages now if the model may ask for them: they are one more pass over the log."""
    if resolved.needs & NEEDS and isinstance(grouped.raw, LogMessages):
        grouped.raw.read(progress)


def _prepared_by(resolved: ResolvedPlan) -> str:
    """Key of the preparation that follows grouping."""
    parts: dict[str, ConfiguredComponent[Any]] = {"parser": resolved.parser}
    if resolved.protocol.template_match is not None and resolved.embedding is not None:
        parts["embedding"] = resolved.embedding
    return identity.of(parts, protocol=resolved.protocol.as_dict(), totals=asdict(resolved.totals)).text


def _weights(grouped: GroupedLines, split: Split, resolved: ResolvedPlan) -> tuple[NDArray[np.float64], bool]:
    """Weight a subsampled class of the test units to its true size."""
    weights = np.ones(len(grouped))
    labels = grouped.units["label"].to_numpy()
    weighted = False
    for label, total in ((0, resolved.totals.normal_total), (1, resolved.totals.anomaly_total)):
        if total is not None:
            units = split.test[labels[split.test] == label]
            if not len(units):
                kind = "normal" if label == 0 else "anomalous"
                raise IncompatibleError(f"there is no {kind} test unit to weight to {total:,.0f}")
            weights[units] = total / len(units)
            weighted = True
    if weighted and resolved.protocol.duplicates == "unique":
        raise IncompatibleError("duplicates = unique: distinct units are unknown because a class is subsampled")
    return weights, weighted
