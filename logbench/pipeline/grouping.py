"""Group the encoded lines of one pass to units (stage *group*); nothing is parsed yet.

Only distinct shapes of messages (some 70 for 11 million HDFS lines) are masked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.contracts import Parser, Windower
from ..base.errors import DataError
from ..base.jsonable import several
from ..data.categories import FirstSeenCodes
from ..data.distinct import BLOCK, blocks
from ..data.event_buffer import parts
from ..data.lines import KeySequences
from ..data.message_file import MessageFile
from ..data.name_buckets import bucketed
from .encoded_lines import EncodedLines
from .label_ids import label_ids
from .line_clock import LineClock
from .message_codes import message_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class GroupedLines:
    """Units of coded lines.

    Attributes:
        units: one row a unit in order of first line: `unit` (String), `label` (Int8, −1 unknown),
            `first_line`, `last_line` (Int64), `part` (String) where the data set gives it, `group` (String, see
            `groups`) where it or the windower does, and `side` (Int8, see `split`) where the lines were split
            before the units were made.
        offsets: int64 [units + 1], where each unit's events begin.
        codes: int32 [events], row of `messages` for each event.
        lines: uint32 [events], line number of each event; int64 for key sequences, the event's position.
        messages: String, distinct masked messages in first-seen order.
        times: int64 [events], microseconds since 1970, or None.
        line_labels: int8 [events], or None.
        facts: counts for the record: `lines`, `events`, `lines_without_unit`, `labels_without_unit`, …
        sequences: the data set came as key sequences, without raw lines.
        raw: gives the message of each line number, as it was before masking; None where there is none to give.
        types: see `Lines.types`.
    """

    units: pl.DataFrame
    offsets: NDArray[np.int64]
    codes: NDArray[np.int32]
    lines: NDArray[np.uint32] | NDArray[np.int64]
    messages: pl.Series
    times: NDArray[np.int64] | None = None
    line_labels: NDArray[np.int8] | None = None
    facts: Mapping[str, int] = field(default_factory=dict)
    sequences: bool = False
    raw: Callable[[], MessageFile] | None = field(default=None, repr=False, compare=False)
    types: Callable[[], pl.DataFrame] | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.units)


def group_lines(
    read: EncodedLines,
    parser: Parser,
    labels: Callable[[], pl.DataFrame] | None = None,
    windower: Windower | None = None,
) -> GroupedLines:
    """Sort what `read_lines` gave into units, ordered by first line; mask the distinct shapes.

    The labels are read and the messages masked beside the sorting, in a thread each.

    Args:
        labels: gives the labels by id, see `Lines.labels`.
        windower: says which id a unit is a piece of, see `NamesLabels`.

    Raises:
        DataError: a unit has two labels, or no unit has one though labels are there.
    """
    with ThreadPoolExecutor(2) as beside:
        labelled = beside.submit(labels) if labels else None
        masked = beside.submit(message_codes, read.shapes, parser)
        columns = read.buffer.sorted(read.sizes)
        number, messages = masked.result()
    codes, lines = columns["shape"], columns["line"]
    times = columns.get("time") if read.first_time is not None else None
    for part in parts(len(codes)):  # in place: there may be more of them than memory
        np.take(number, codes[part], out=codes[part], mode="clip")
        if times is not None and read.first_time is not None:
            np.maximum(times[part], read.first_time, out=times[part], where=times[part] == LineClock.UNKNOWN)
    offsets = np.concatenate([[0], np.cumsum(read.sizes)]).astype(np.int64)
    first, last = np.empty(len(read.units), dtype=np.int64), np.empty(len(read.units), dtype=np.int64)
    for some, _ in blocks(offsets, BLOCK):
        first[some], last[some] = lines[offsets[:-1][some]], lines[offsets[1:][some] - 1]
    units = pl.DataFrame({"unit": read.units}).with_columns(first_line=first, last_line=last)
    if read.groups is not None:
        units = units.with_columns(group=read.groups)
    line_labels = columns.get("label")
    by_id = labelled.result() if labelled else None
    ids = label_ids(windower, units["unit"]) if by_id is not None else units["unit"]
    units, label_facts = _with_labels(units, ids, by_id, line_labels, offsets)
    facts = {"lines": read.lines, "events": read.buffer.events, "lines_without_unit": read.without, **label_facts}
    if read.mixed:
        facts["units_of_several_groups"] = read.mixed
    return GroupedLines(units, offsets, codes, lines, messages, times, line_labels, facts)


def _with_labels(
    units: pl.DataFrame,
    ids: pl.Series,
    labels: pl.DataFrame | None,
    line_labels: NDArray[np.int8] | None,
    offsets: NDArray[np.int64],
) -> tuple[pl.DataFrame, dict[str, int]]:
    if labels is not None:
        found, extra = _labels_of(ids, labels)
        units = units.with_columns(label=pl.Series(found))
        if len(labels) and extra == len(labels):
            raise DataError(
                f"none of the {several(extra, 'label')} names a unit of this log ({labels['unit'][0]} against "
                f"{ids[0]}, say): are they those of another log?"
            )
    else:
        worst = np.maximum.reduceat(line_labels, offsets[:-1]) if line_labels is not None else None
        units = units.with_columns(
            label=pl.Series(worst, dtype=pl.Int8) if worst is not None else pl.lit(-1, pl.Int8)
        )
        extra = 0
    facts = {"labels_without_unit": extra, "units_without_label": int((units["label"] < 0).sum())}
    if labels is None and line_labels is not None:
        unknown = np.minimum.reduceat(line_labels, offsets[:-1]) < 0
        if partly := int(np.count_nonzero(unknown & (units["label"] == 0).to_numpy())):
            facts["units_partly_labelled"] = partly
    return units, facts


def _labels_of(ids: pl.Series, labels: pl.DataFrame) -> tuple[NDArray[np.int8], int]:
    """The label of each id, int8 [ids], −1 where there is none; and how many labels name no id.

    Raises:
        DataError: two labels name one unit.
    """
    found, extra, twice = np.full(len(ids), -1, dtype=np.int8), 0, list[int]()
    for ours, theirs in bucketed(ids, labels["unit"]):
        given, by_id = labels.select("unit", "label")[theirs], pl.DataFrame({"unit": ids.gather(ours)})
        twice += theirs[given["unit"].is_duplicated().to_numpy()][:1].tolist()
        if not twice:
            label = by_id.join(given, on="unit", how="left", maintain_order="left")["label"]
            found[ours] = label.fill_null(-1).cast(pl.Int8).to_numpy()
            extra += given.join(by_id, on="unit", how="anti").height
    if twice:
        raise DataError(f"the labels name unit {labels['unit'][min(twice)]} twice; keep one label for each unit")
    return found, extra


def group_sequences(data: KeySequences) -> GroupedLines:
    """A data set that came as key sequences, in the same form: its keys are the messages."""
    frame = data.frame
    lengths = frame["keys"].list.len().cast(pl.Int64).to_numpy()
    flat = frame["keys"].explode(empty_as_null=False).cast(pl.String)
    if not len(flat):
        raise DataError(f"{', '.join(map(str, data.files)) or 'the data set'}: no key to read; is the file empty?")
    numbers = FirstSeenCodes()
    codes, messages = numbers.of(flat.cast(pl.Categorical(pl.Categories.random()))), numbers.names()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    label = pl.col("label").fill_null(-1).cast(pl.Int8) if "label" in frame.columns else pl.lit(-1, pl.Int8)
    given = [name for name in ("part", "group") if name in frame.columns]
    units = frame.select("unit", label.alias("label"), *given)
    units = units.with_columns(first_line=pl.Series(offsets[:-1]), last_line=pl.Series(offsets[1:] - 1))
    facts = {"lines": 0, "events": len(codes), "units_without_label": int((units["label"] < 0).sum())}
    lines = np.arange(len(codes), dtype=np.int64)
    return GroupedLines(units, offsets, codes, lines, messages, facts=facts, sequences=True)
