"""Read and group the log of a plan, once for all that ask for it: stages `locate`, `read` and `group`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.optional_windowers import HasCounts
from ..base.errors import IncompatibleError
from ..base.file_digests import SMALL
from ..data.lines import KeySequences, Lines
from ..pipeline import grouped_cache
from ..pipeline.coding import read_lines
from ..pipeline.encoded_lines import EncodedLines
from ..pipeline.group_split import GroupCuts, Grouping, check_column
from ..pipeline.grouping import GroupedLines, group_lines, group_sequences
from ..pipeline.line_split import Cuts, cuts_lines
from ..pipeline.log_messages import LogMessages
from ..reading.data_parts import open_data
from . import identity
from .identity import Key
from .locate import locate
from .log_digest import Stamp, digest_of, digesting, size_of, stamps_of
from .needs import check_needs
from .resolve import ResolvedPlan
from .runtime import Runtime
from .stages import Stages

if TYPE_CHECKING:
    import polars as pl

    from ..api.contracts import Windower

# Gives lines that were read elsewhere, and the counts of their reader.
Read = Callable[[], tuple[EncodedLines, dict[str, int]]]


def group_and_keep(resolved: ResolvedPlan, runtime: Runtime, read: Read) -> tuple[str, GroupedLines]:
    """Group what was read elsewhere and keep it in the cache; its key there, and the grouped lines.

    Args:
        read: gives the lines, as one pass would have, and the counts of the reader.
    """
    _, _, key, grouped = grouped_log(resolved, runtime, Stages(runtime), runtime.bars.note, read)
    return key, grouped


def grouped_log(
    resolved: ResolvedPlan,
    runtime: Runtime,
    stages: Stages,
    note: Callable[[str], None],
    elsewhere: Read | None = None,
) -> tuple[Path, str, str, GroupedLines]:
    """Path of the data, digest of its files, key of the grouped lines, and the grouped lines."""
    with stages("locate") as stage:
        found = locate(
            resolved.dataset, resolved.plan.data, runtime.registry, stage.progress,
            cached=resolved.plan.cache, note=note,
        )  # fmt: skip
        assert found is not None
        stage.facts |= found.facts
        opened = open_data(resolved.dataset.build(), resolved.dataset.name, found.path)
        check_needs(resolved.model, resolved.dataset.name, opened)
        stamps, files = stamps_of(opened.files), opened.digest
        if not files and (elsewhere or not _is_new(opened, stamps, runtime, resolved.plan.cache)):
            files = digest_of(opened.files, found.path, stage.progress)
    made, cached, key_of = None, False, partial(_key, resolved, isinstance(opened, KeySequences))
    if files:
        key = key_of(files)
        if key.text in runtime.cache.grouped:
            grouped, cached = runtime.cache.grouped[key.text]
            for name in ("read", "group"):
                with stages(name) as stage:
                    stage.facts |= {"shared": True, "cached": cached, **key.facts}
            check_needs(resolved.model, resolved.dataset.name, grouped)
            return found.path, files, key.text, grouped
        made = _kept(key, stages, note) if resolved.plan.cache and key.known else None
        cached = made is not None
    if made is None:
        known = nullcontext(partial(str, files)) if files else digesting(opened.files, found.path)
        with known as digest:
            made = _read_and_group(resolved, opened, stages, lambda: key_of(digest()), elsewhere)
            files = digest()
        key = key_of(files)
        if made.facts.get("grown_files") or stamps != stamps_of(opened.files):
            note("the log changed during reading, so nothing of it is cached")
            key = key_of(f"{files}, changed during reading {secrets.token_hex(16)}")  # these lines are of no file
        elif resolved.plan.cache and key.known and not identity.edited((resolved.dataset, resolved.windower)):
            made = grouped_cache.store(key.text, made, note, size_of(stamps))
    if undecodable := made.facts.get("undecodable_lines"):
        note(f"lines that are not UTF-8: {undecodable:,}; their invalid bytes were replaced")
    if isinstance(opened, Lines):
        made = replace(made, raw=LogMessages(opened, made.facts["lines"]), units=_in_parts(made.units, opened))
    made = replace(made, types=opened.types)
    runtime.cache.grouped[key.text] = made, cached
    check_needs(resolved.model, resolved.dataset.name, made)
    return found.path, files, key.text, made


def _is_new(opened: Lines | KeySequences, stamps: Sequence[Stamp], runtime: Runtime, cached: bool) -> bool:
    """Whether a large log was not grouped before, so that it is read whatever its digest is.

    Args:
        cached: grouped lines are taken from the cache on disk.
    """
    if not isinstance(opened, Lines) or (size := size_of(stamps)) <= SMALL or runtime.cache.grouped:
        return False
    return not (cached and grouped_cache.has_size(size))


def _key(resolved: ResolvedPlan, sequences: bool, files: str) -> Key:
    """Key of the grouped lines of a log.

    Args:
        sequences: it comes as key sequences.
        files: digest of its raw files.
    """
    protocol = resolved.protocol
    within = [] if protocol.cut == "all" else [protocol.cut]
    cuts = [protocol.train_ratio, protocol.held_out, protocol.test_reserve, *within]
    return identity.of(
        {"dataset": resolved.dataset, "windower": resolved.windower},
        masks=None if sequences else _masks(resolved),
        files=files,
        cuts=cuts if _cuts_lines(resolved) else within or None,
    )


def _cuts_lines(resolved: ResolvedPlan) -> bool:
    return cuts_lines(resolved.windower.entry.item.traits, resolved.windower.config, resolved.protocol)


def _in_parts(units: pl.DataFrame, opened: Lines) -> pl.DataFrame:
    """Units with the part that the data give each, where they do."""
    if opened.parts is None:
        return units
    return units.join(opened.parts().select("unit", "part"), on="unit", how="left", maintain_order="left")


def _kept(key: Key, stages: Stages, note: Callable[[str], None]) -> GroupedLines | None:
    """Grouped lines from the cache; None if they are missing or damaged."""
    if not grouped_cache.has(key.text):
        return None
    with stages("read") as stage:
        made = grouped_cache.load(key.text, note)
        stage.facts |= {"cached": made is not None, **key.facts}
    if made is not None:
        with stages("group") as stage:
            stage.facts |= {"cached": True, **key.facts}
    return made


def _masks(resolved: ResolvedPlan) -> list[Any]:
    parser = resolved.parser.build()
    return [[list(pair) for pair in pairs] for pairs in (parser.masks, parser.shape)]


def _read_and_group(
    resolved: ResolvedPlan,
    opened: Lines | KeySequences,
    stages: Stages,
    key: Callable[[], Key],
    elsewhere: Read | None = None,
) -> GroupedLines:
    """Read and group what was opened.

    Args:
        key: waits for the key of the grouped lines.
    """
    if isinstance(opened, KeySequences):
        return _sequences(resolved, opened, stages, key)
    parser, windower = resolved.parser.build(), resolved.windower.build()
    with stages("read") as stage:
        if elsewhere is None:
            cuts, cutting = _cut(opened, windower, resolved)
            read = read_lines(opened, cutting, parser, stage.progress, times=True)
        else:
            cuts, (read, facts) = None, elsewhere()
        stage.items = read.lines
        stage.facts |= {"cached": False, **key().facts}
    with stages("group") as stage:
        grouped = group_lines(read, parser, opened.labels, windower)
        stage.items = len(grouped)
        stage.facts |= {"cached": False, **key().facts}
    if elsewhere is None:
        counting = [part for part in (opened, windower) if isinstance(part, HasCounts)]
        facts = {name: number for part in counting for name, number in part.counted().items()}
    if cuts:
        facts |= cuts.counted()
        grouped = replace(grouped, units=grouped.units.with_columns(side=cuts.unit_sides(grouped.units)))
    return replace(grouped, facts={**grouped.facts, **facts})


def _cut(opened: Lines, windower: Windower, resolved: ResolvedPlan) -> tuple[Cuts | GroupCuts | None, Windower]:
    """Where lines are split before units are made, if they are; and the windower that does it."""
    protocol = resolved.protocol
    if _cuts_lines(resolved):
        cuts = Cuts.of(opened, protocol) if protocol.cut == "all" else GroupCuts.of(opened, protocol)
        return cuts, cuts.splitting(windower)
    if protocol.cut == "all":
        return None, windower
    check_column(opened, protocol)
    return None, Grouping(windower, protocol.cut)


def _sequences(
    resolved: ResolvedPlan, opened: KeySequences, stages: Stages, key: Callable[[], Key]
) -> GroupedLines:
    if resolved.windower.entry.item.traits.line_windows:
        raise IncompatibleError(
            f"windower {resolved.windower.name} needs lines, but {resolved.dataset.name} has only key sequences"
        )
    with stages("read") as stage:
        stage.items = len(opened.frame)
        stage.facts |= {"cached": False, **key().facts}
    with stages("group") as stage:
        stage.facts |= {"cached": False, **key().facts}
        return group_sequences(opened)
