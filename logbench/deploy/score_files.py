"""Score files of new logs with a saved model; labels are not needed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..api.contracts import Context
from ..base.progress import Progress
from ..data.lines import KeySequences, Lines
from ..data.neutral import neutral
from ..data.scores import spread
from ..data.sessions import Sessions
from ..evaluation.protocol_rules import alarm, apply_protocol_rules
from ..evaluation.threshold_traits import ThresholdTraits
from ..pipeline.coding import read_lines
from ..pipeline.grouping import GroupedLines, group_lines, group_sequences
from ..pipeline.log_messages import LogMessages
from ..running.bundle import Bundle
from ..running.bundle_checks import fitting, shortened
from ..running.data_warnings import left_over
from ..running.explain import TOP, Asked, Counts, among_top, names_of, templates_frame, with_said
from ..running.log_digest import digest_of
from ..running.looks import KEPT, Look, Source
from ..running.needs import check_needs
from ..running.unit_scores import score_units
from .labelled import labelled

# Said of metrics on the log that trained.
TRAINED = "this is the log of the run that saved the model: units that trained are in these metrics"


def score_bundle(
    bundle: Bundle,
    data: Path,
    device: str,
    progress: Progress,
    note: Callable[[str], None] = lambda _: None,
    threshold: float | None = None,
    measured: Callable[[pl.DataFrame], None] | None = None,
) -> pl.DataFrame:
    """Score every unit of `data`, most anomalous first.

    Args:
        threshold: units that score above it alarm; None: the bundle's own.
        measured: gets the units with labels, see `labelled.labelled`, where any has one.

    Returns:
        Columns `unit`, `score` (Float64, null if the protocol drops the unit), `verdict` (Boolean), `events`,
        `unseen`, `short`, `event` (index of the deciding event, −1 without one), of the deciding event `line`
        (from 0), `key`, `template`, `raw` (of alarms alone), `text`, `file` and `at` (see `Lines.located`), `time`
        and `node` of it, or else of the alarm's first line; that line as `first` (of alarms alone), and of alarms
        and the first `explain.TOP` units what `explain.with_said` adds.

    Raises:
        DataError: the data cannot be read.
        IncompatibleError: the data lack what the model needs.
    """
    opened = bundle.read(data)
    check_needs(bundle.parts["model"], bundle.parts["dataset"].name, opened, scoring=True)
    with shortened():
        grouped = _grouped(bundle, opened, progress)
    if warning := left_over(
        {**grouped.facts, **(opened.counted() if isinstance(opened, Lines) and opened.counted else {})}
    ):
        note(warning)
    scored = score_grouped(bundle, grouped, Context(device=device, progress=progress), threshold)
    if measured is not None:
        units = labelled(bundle, opened, grouped, scored)
        if (units["label"] >= 0).any():
            measured(units)
            if bundle.facts.get("log") == (opened.digest or digest_of(opened.files, data, progress)):
                note(TRAINED)
    frame = _with_places(scored, opened)
    return frame.sort("score", descending=True, nulls_last=True, maintain_order=True)


def sessions_of(bundle: Bundle, data: Path, progress: Progress) -> Sessions:
    """Every unit of `data` as the bundle's model takes them.

    Raises:
        DataError: the data cannot be read.
        IncompatibleError: the data lack what the model needs.
    """
    opened = bundle.read(data)
    check_needs(bundle.parts["model"], bundle.parts["dataset"].name, opened, scoring=True)
    with shortened():
        return bundle.sessions_of(_grouped(bundle, opened, progress))


def look_of(bundle: Bundle, data: Path, frame: pl.DataFrame) -> Look:
    """What `logbench show` prints whole units from, of what `score_bundle` gave."""
    dataset = bundle.parts["dataset"]
    source = Source.of(dataset, bundle.parts["windower"], data, bundle.read(data).files)
    told = frame.filter(pl.col("why").is_not_null()).select(*KEPT)
    return Look("score", source, {row.pop("unit"): row for row in told.iter_rows(named=True)})


def score_grouped(
    bundle: Bundle, grouped: GroupedLines, context: Context, threshold: float | None = None, update: bool = False
) -> pl.DataFrame:
    """Score grouped lines: the columns of `score_bundle` up to `template`, units in order of first line.

    And `begin`, the number of each unit's first line.

    Args:
        threshold: see `score_bundle`.
        update: let the model learn from the units afterwards, see `Updates`.

    Raises:
        IncompatibleError: the data lack what the model needs.
    """
    check_needs(bundle.parts["model"], bundle.parts["dataset"].name, grouped, scoring=True)
    sessions = bundle.sessions_of(grouped)
    names = templates_frame(grouped, bundle.vocabulary).select("key", "template")
    limit = (float(bundle.facts["threshold"]["exact"]) if threshold is None else threshold) + bundle.slack
    frame = _said(bundle, sessions, _verdicts(bundle, sessions, context, limit), context, names)
    begin = None if sessions.lines is None else sessions.lines[sessions.offsets[:-1]]
    frame = frame.with_columns(begin=pl.lit(None, pl.Int64) if begin is None else pl.Series(begin, dtype=pl.Int64))
    if update:
        _update(bundle, sessions, grouped.units["label"], frame["verdict"])
    return frame.join(names, on="key", how="left", maintain_order="left")


def _grouped(bundle: Bundle, opened: Lines | KeySequences, progress: Progress) -> GroupedLines:
    if isinstance(opened, KeySequences):
        return group_sequences(opened)
    parser = bundle.vocabulary.parser
    needs = bundle.parts["model"].entry.item.traits.shown
    read = read_lines(opened, bundle.parts["windower"].build(), parser, progress, "times" in needs)
    return replace(group_lines(read, parser), raw=LogMessages(opened, read.lines))


def _verdicts(bundle: Bundle, sessions: Sessions, context: Context, threshold: float) -> pl.DataFrame:
    long_enough = sessions.lengths >= bundle.short_limit
    part = bundle.parts["model"]
    share = all(member.keys_only for member in part.parts)
    asked = neutral(sessions, part.entry.item.traits.shown, units=long_enough)
    failed = f"model {part.name!r} cannot score these units"
    with contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."), fitting(failed):
        scores = score_units(bundle.model, asked, context, part.name, share)
    column = partial(spread, where=np.flatnonzero(long_enough), size=len(sessions))
    frame = pl.DataFrame(
        {
            "unit": sessions.ids,
            "events": sessions.lengths,
            "unseen": sessions.unseen,
            "raw": column(scores.primary, dtype=pl.Float64),
            "event": column(scores.event, dtype=pl.Int64),
            "ignoring": column(scores.ignoring, dtype=pl.Float64),
            "ignoring_event": column(scores.ignoring_event, dtype=pl.Int64),
        }
    )
    frame = apply_protocol_rules(
        frame, bundle.protocol, bundle.short_limit, ThresholdTraits.of(bundle.facts["threshold"])
    ).with_columns(event=pl.col("decided_by").fill_null(-1))
    return frame.select("unit", "score", alarm(threshold).alias("verdict"), "events", "unseen", "short", "event")


def _said(
    bundle: Bundle, sessions: Sessions, frame: pl.DataFrame, context: Context, names: pl.DataFrame
) -> pl.DataFrame:
    """Add what is said of alarms and of the first units, see `with_said`."""
    interesting = frame.select(pl.col("verdict").fill_null(False) | among_top(TOP)).to_series().to_numpy()
    asked = Asked(sessions, np.arange(len(sessions)), frame["event"].to_numpy(), interesting)
    needs, counts = bundle.parts["model"].entry.item.traits.shown, Counts(bundle.usual, names_of(names))
    failed = f"model {bundle.parts['model'].name!r} cannot explain these units"
    with contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."), fitting(failed):
        return with_said(frame, asked, bundle.model, context, needs, counts)


def _update(bundle: Bundle, sessions: Sessions, labels: pl.Series, verdicts: pl.Series) -> None:
    """Let the model learn from each unit that it scored, in order.

    Args:
        labels: Int8 [units], −1 unknown. A model that is not supervised gets none.
    """
    traits = bundle.parts["model"].entry.item.traits
    failed = f"model {bundle.parts['model'].name!r} cannot learn from these units"
    with contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."), fitting(failed):
        for at in np.flatnonzero(sessions.lengths >= bundle.short_limit):
            label = labels[int(at)] if traits.supervision == "supervised" else -1
            unit = neutral(sessions.take(np.array([at])), traits.shown)
            bundle.model.update(unit, bool(verdicts[int(at)]), None if label < 0 else label)


def _with_places(frame: pl.DataFrame, opened: Lines | KeySequences) -> pl.DataFrame:
    if isinstance(opened, KeySequences):
        texts: dict[str, Any] = dict.fromkeys(("raw", "text", "file", "node", "first"), pl.lit(None, pl.String))
        place = {"at": pl.lit(None, pl.Int64), "time": pl.lit(None, pl.Datetime("us"))}
        return frame.drop("begin").with_columns(**texts, **place)
    begins = frame.filter("verdict")["begin"]
    wanted = {*frame["line"].drop_nulls(), *begins}
    places = opened.located().filter(pl.col("number").is_in(list(wanted)))
    return with_places(frame, places.collect(engine="streaming").rename({"line": "at", "number": "line"}))


def with_places(frame: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Add what stands at the deciding line of each unit, and of alarms the text of their first line.

    Args:
        frame: see `score_grouped`.
        places: `line`, `raw`, `text`, `at`, `time`, `node`, and where there are files `file`, of lines.
    """
    begins = places.select(begin="line", first="raw", began="time", on="node")
    joined = frame.join(places, on="line", how="left", maintain_order="left")
    joined = joined.join(begins, on="begin", how="left", maintain_order="left")
    decided = pl.col("line").is_not_null()
    return joined.with_columns(
        raw=pl.when("verdict").then("raw"),
        first=pl.when("verdict").then("first"),
        time=pl.when(decided).then("time").when("verdict").then("began"),
        node=pl.when(decided).then("node").when("verdict").then("on"),
    ).drop("begin", "began", "on")
