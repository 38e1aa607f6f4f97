"""Prepare sessions for a plan: locate, read, group, split, parse, sessions. Models of a comparison share them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.optional.windowers import HasCounts
from ..api.traits import OF_VECTORS
from ..base.errors import IncompatibleError
from ..base.files import aside, digests_file
from ..base.progress import Progress
from ..base.state_guard import guarded
from ..components.configured import ConfiguredComponent
from ..data.derived import derived, hand_on
from ..data.lines import KeySequences, Lines
from ..data.message_needs import NEEDS
from ..pipeline import grouped_cache, leak_audit
from ..pipeline.coding import read_lines
from ..pipeline.embedding import embed, fit_embedding, training_texts
from ..pipeline.encoded_lines import EncodedLines
from ..pipeline.group_split import GroupCuts, Grouping, check_column
from ..pipeline.grouping import GroupedLines, group_lines, group_sequences
from ..pipeline.label_budget import hide_lines, without_hidden
from ..pipeline.label_noise import noisy
from ..pipeline.line_split import Cuts, cuts_lines
from ..pipeline.log_messages import LogMessages
from ..pipeline.misparsed import misparse
from ..pipeline.near_templates import near_keys
from ..pipeline.parsing import Vocabulary, learn, sessions_of
from ..pipeline.split import Split, split_units
from ..pipeline.unstable import make_unstable
from ..reading.data_parts import open_data
from ..reading.layout import digest
from ..running import identity
from .identity import Key
from .locate import locate
from .needs import check_needs, vectors_of
from .prepared import Prepared
from .resolve import ResolvedPlan
from .runtime import Runtime
from .stages import Stages
from .trained_log import TrainedLog, tested_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Windower
    from ..api.protocol import EvaluationProtocol

# Gives lines that were read elsewhere, and the counts of their reader.
Read = Callable[[], tuple[EncodedLines, dict[str, int]]]


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
    path, files, source, grouped = _grouped(tested_whole(resolved), runtime, stages, note)
    trained = TrainedLog.of(resolved, runtime, stages, note, _grouped)
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


def group_and_keep(resolved: ResolvedPlan, runtime: Runtime, read: Read) -> tuple[str, GroupedLines]:
    """Group what was read elsewhere and keep it in the cache; its key there, and the grouped lines.

    Args:
        read: gives the lines, as one pass would have, and the counts of the reader.
    """
    _, _, key, grouped = _grouped(resolved, runtime, Stages(runtime), runtime.bars.note, read)
    return key, grouped


def _grouped(
    resolved: ResolvedPlan,
    runtime: Runtime,
    stages: Stages,
    note: Callable[[str], None],
    elsewhere: Read | None = None,
) -> tuple[Path, str, str, GroupedLines]:
    """Path of the data, digest of its files, key of the grouped lines, and the grouped lines."""
    cut = cuts_lines(resolved.windower.entry.item.traits, resolved.windower.config, resolved.protocol)
    dataset = resolved.dataset.build()
    with stages("locate") as stage:
        found = locate(
            resolved.dataset,
            resolved.plan.data,
            runtime.registry,
            stage.progress,
            cached=resolved.plan.cache,
            note=note,
        )
        assert found is not None
        stage.facts |= found.facts
        opened = open_data(dataset, resolved.dataset.name, found.path)
        check_needs(resolved.model, resolved.dataset.name, opened)
        stamps = _stamps(opened.files)
        files = opened.digest or digest_of(opened.files, found.path, stage.progress)
    made_by = {"dataset": resolved.dataset, "windower": resolved.windower}
    within = [] if resolved.protocol.cut == "all" else [resolved.protocol.cut]
    key = identity.of(
        made_by,
        masks=None if isinstance(opened, KeySequences) else _masks(resolved),
        files=files,
        cuts=[resolved.protocol.train_ratio, resolved.protocol.held_out, resolved.protocol.test_reserve, *within]
        if cut
        else within or None,
    )
    known = {"digest": key.text if key.known else None}
    if key.text in runtime.cache.grouped:
        grouped, cached = runtime.cache.grouped[key.text]
        stages.beforehand |= {name: {"shared": True, "cached": cached, **known} for name in ("read", "group")}
        for name in ("read", "group"):
            with stages(name):
                pass
        check_needs(resolved.model, resolved.dataset.name, grouped)
        return found.path, files, key.text, grouped
    made = _kept(key, stages, note) if resolved.plan.cache and key.known else None
    cached = made is not None
    if made is None:
        stages.beforehand |= {name: {"cached": False, **known} for name in ("read", "group")}
        made = _read_and_group(resolved, opened, stages, cut, elsewhere)
        if made.facts.get("grown_files") or stamps != _stamps(opened.files):
            note("the log changed during reading, so nothing of it is cached")
        elif resolved.plan.cache and key.known and not identity.edited(made_by.values()):
            made = grouped_cache.store(key.text, made, note)
    if undecodable := made.facts.get("undecodable_lines"):
        note(f"lines that are not UTF-8: {undecodable:,}; their invalid bytes were replaced")
    if isinstance(opened, Lines):
        made = replace(made, raw=LogMessages(opened, made.facts["lines"]), units=_in_parts(made.units, opened))
    made = replace(made, types=opened.types)
    runtime.cache.grouped[key.text] = made, cached
    check_needs(resolved.model, resolved.dataset.name, made)
    return found.path, files, key.text, made


def _in_parts(units: pl.DataFrame, opened: Lines) -> pl.DataFrame:
    """Units with the part that the data give each, where they do."""
    if opened.parts is None:
        return units
    return units.join(opened.parts().select("unit", "part"), on="unit", how="left", maintain_order="left")


def _read_messages(resolved: ResolvedPlan, grouped: GroupedLines, progress: Progress) -> None:
    """Read the messages now if the model may ask for them: they are one more pass over the log."""
    if resolved.needs & NEEDS and isinstance(grouped.raw, LogMessages):
        grouped.raw.read(progress)


def _kept(key: Key, stages: Stages, note: Callable[[str], None]) -> GroupedLines | None:
    """Grouped lines from the cache; None if they are missing or damaged."""
    if not grouped_cache.has(key.text):
        return None
    with stages("read") as stage:
        made = grouped_cache.load(key.text, note)
        stage.facts |= {"cached": made is not None, "digest": key.text}
    if made is not None:
        with stages("group") as stage:
            stage.facts |= {"cached": True, "digest": key.text}
    return made


def _prepared_by(resolved: ResolvedPlan) -> str:
    """Key of the preparation that follows grouping."""
    parts: dict[str, ConfiguredComponent[Any]] = {"parser": resolved.parser}
    if resolved.protocol.template_match is not None and resolved.embedding is not None:
        parts["embedding"] = resolved.embedding
    return identity.of(parts, protocol=resolved.protocol.as_dict(), totals=asdict(resolved.totals)).text


def _stamps(files: Sequence[Path]) -> list[tuple[int, int, int] | None]:
    """Size, mtime and ctime of each file; None for a missing file."""
    return [
        (found.st_size, found.st_mtime_ns, found.st_ctime_ns) if file.exists() and (found := file.stat()) else None
        for file in files
    ]


def digest_of(files: Sequence[Path], path: Path, progress: Progress | None = None) -> str:
    """SHA-256 over the raw files' names below `path` and their digests.

    Args:
        path: file or folder that the data set read; units may be named after files and folders in it.
    """
    total = hashlib.sha256()
    base = path if path.is_dir() else path.parent
    for file in files:
        name = Path(os.path.relpath(file, base)).as_posix()
        line = f"{name} {digest(file, digests_file(), progress=progress)}\n"
        total.update(line.encode("utf-8", "surrogateescape"))  # names may be no UTF-8
    return total.hexdigest()


def _masks(resolved: ResolvedPlan) -> list[Any]:
    parser = resolved.parser.build()
    return [[list(pair) for pair in pairs] for pairs in (parser.masks, parser.shape)]


def _read_and_group(
    resolved: ResolvedPlan, opened: Lines | KeySequences, stages: Stages, cut: bool, elsewhere: Read | None = None
) -> GroupedLines:
    if isinstance(opened, KeySequences):
        return _sequences(resolved, opened, stages)
    parser, windower = resolved.parser.build(), resolved.windower.build()
    with stages("read") as stage:
        if elsewhere is None:
            cuts, cutting = _cut(opened, windower, resolved.protocol, cut)
            read = read_lines(opened, cutting, parser, stage.progress, times=True)
        else:
            cuts, (read, facts) = None, elsewhere()
        stage.items = read.lines
    with stages("group") as stage:
        grouped = group_lines(read, parser, opened.labels, windower)
        stage.items = len(grouped)
    if elsewhere is None:
        counting = [part for part in (opened, windower) if isinstance(part, HasCounts)]
        facts = {name: number for part in counting for name, number in part.counted().items()}
    if cuts:
        facts |= cuts.counted()
        grouped = replace(grouped, units=grouped.units.with_columns(side=cuts.unit_sides(grouped.units)))
    return replace(grouped, facts={**grouped.facts, **facts})


def _cut(
    opened: Lines, windower: Windower, protocol: EvaluationProtocol, cut: bool
) -> tuple[Cuts | GroupCuts | None, Windower]:
    """Where lines are split before units are made, if they are; and the windower that does it."""
    if cut:
        cuts = Cuts.of(opened, protocol) if protocol.cut == "all" else GroupCuts.of(opened, protocol)
        return cuts, cuts.splitting(windower)
    if protocol.cut == "all":
        return None, windower
    check_column(opened, protocol)
    return None, Grouping(windower, protocol.cut)


def _sequences(resolved: ResolvedPlan, opened: KeySequences, stages: Stages) -> GroupedLines:
    if resolved.windower.entry.item.traits.line_windows:
        raise IncompatibleError(
            f"windower {resolved.windower.name} needs lines, but {resolved.dataset.name} has only key sequences"
        )
    with stages("read") as stage:
        stage.items = len(opened.frame)
    with stages("group"):
        return group_sequences(opened)


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
