"""What a windower gives back is checked line by line: lost, moved, doubled and invented ones are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbench import DataError, Lines, PluginError
from logbench.base.progress import silent
from logbench.pipeline.assigned_units import AssignedUnits
from logbench.pipeline.coding import read_lines
from logbench.pipeline.encoded_lines import EncodedLines
from logbench.pipeline.windower_input import WindowerInput
from logbench_parsers.none import Verbatim
from logbench_windowers.session import Session

Row = tuple[int, str | None]
Answer = Callable[[pl.LazyFrame], pl.LazyFrame]
LINES = 40


def log(count: int = LINES) -> Lines:
    """Lines of units a, b, c; every fifth has none."""
    frame = pl.DataFrame(
        {
            "line": pl.Series(range(count), dtype=pl.UInt32),
            "message": [f"message {n}" for n in range(count)],
            "id": [None if n % 5 == 4 else "abc"[n % 3] for n in range(count)],
        },
        schema_overrides={"message": pl.String, "id": pl.String},
    )
    return Lines(frame.lazy())


class By:
    """A windower that answers what a function makes of the right answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return self.answer(Session("", "id").assign(lines))


def read(answer: Answer, lines: Lines | None = None) -> EncodedLines:
    return read_lines(lines or log(), By(answer), Verbatim(), silent, False)


UNIT = pl.col("unit")
LINE = pl.col("line")
WRONG: dict[str, tuple[Answer, str]] = {
    "the end": (lambda right: right.head(30), "lost the end of the log, lines 31 to 40 of 40"),
    "the last line": (lambda right: right.filter(LINE < 39), "lost the end of the log, line 40 of 40"),
    "the beginning": (
        lambda right: right.filter(LINE >= 3),
        "dropped lines 1 to 3; a line without a unit must keep",
    ),
    "lines without unit": (
        lambda right: right.filter(UNIT.is_not_null()),
        r"dropped line 5; .*empty_as_null=True",
    ),
    "all": (lambda right: right.filter(pl.lit(False)), r"lost every line \(40\)"),
    "order": (lambda right: right.sort(LINE, descending=True), "reordered lines: line 40 comes first"),
    "by unit": (
        lambda right: right.sort("unit", maintain_order=True, nulls_last=True),
        "reordered lines: line 4 comes after line 1",
    ),
    "once more": (lambda right: pl.concat([right, right.head(1)]), "reordered lines: line 1 comes after line 40"),
    "twice": (
        lambda right: pl.concat([right, right]).sort(LINE),
        "duplicated line 1: it occurs twice in one unit",
    ),
    "null twice": (
        lambda right: pl.concat([right, right.filter(UNIT.is_null())]).sort(LINE, maintain_order=True),
        "duplicated line 5",
    ),
    "unit and none": (
        lambda right: pl.concat([right, right.with_columns(unit=pl.lit("z"))]).sort(LINE, maintain_order=True),
        "line 5 both a unit and none",
    ),
    "invented": (
        lambda right: pl.concat([right, right.tail(1).with_columns(LINE + 1)]),
        "invented line 41: the log ends with line 40",
    ),
    "far away": (
        lambda right: pl.concat([right, right.tail(1).with_columns(LINE + 1000)]),
        "invented line 1,040: the log ends with line 40",
    ),
    "no numbers": (lambda right: right.with_columns(line=pl.lit(None, pl.UInt32)), "a row without a line number"),
    "no line": (lambda right: right.drop("line"), "there is no 'line' any more"),
    "no shape": (lambda right: right.drop("shape"), "there is no 'shape' any more"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_a_windower_is_told_what_it_did(name: str) -> None:
    answer, said = WRONG[name]
    with pytest.raises(PluginError, match=said):
        read(answer)


RIGHT: dict[str, Answer] = {
    "as it is": lambda right: right,
    "all in memory": lambda right: right.collect().lazy(),
    "with itself": lambda right: right.join(
        right.group_by("unit").len(), on="unit", how="left", maintain_order="left", nulls_equal=True
    ),
    "sorted": lambda right: right.sort(LINE, maintain_order=True),
    "in two halves": lambda right: pl.concat([right.filter(LINE < 20), right.filter(LINE >= 20)]),
    "with room": lambda right: right.head(1_000_000),
}


@pytest.mark.parametrize("name", list(RIGHT))
def test_it_may_pass_over_the_lines_as_it_likes(name: str) -> None:
    found = read(RIGHT[name])
    assert (found.lines, found.without) == (LINES, LINES // 5)
    assert found.units.to_list() == ["a", "b", "c"]


def test_a_log_without_lines_is_the_log_s_fault() -> None:
    with pytest.raises(DataError, match="the data set: no line to read; is the file empty"):
        read(lambda right: right, log(0))


def test_lines_that_are_not_numbered_are_the_data_set_s_fault() -> None:
    lines = Lines(log().frame.with_columns(line=(LINE + 1).cast(pl.UInt32)))
    with pytest.raises(PluginError, match="the data set must number its lines from 0"):
        read(lambda right: right, lines)


ROWS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([None, "a", "b"])), max_size=9)
MOSTLY_RIGHT = st.lists(st.sets(st.sampled_from(["a", "b", "c"]), max_size=3), min_size=1, max_size=6).map(
    lambda units: [(line, unit) for line, of in enumerate(units) for unit in sorted(of) or [None]]
)


def is_right(rows: list[Row], total: int) -> bool:
    numbers = [line for line, _ in rows]
    alone = all(unit is not None or numbers.count(line) == 1 for line, unit in rows)
    return (
        numbers == sorted(numbers) and set(numbers) == set(range(total)) and alone and len(set(rows)) == len(rows)
    )


@given(st.one_of(ROWS, MOSTLY_RIGHT), st.integers(0, 6), st.integers(1, 4))
def test_any_answer_is_judged_as_by_hand(rows: list[Row], total: int, size: int) -> None:
    """However the rows are cut into batches."""
    assigned = AssignedUnits(WindowerInput(log(total), pl.col("message")))
    frame = pl.DataFrame(rows, schema={"line": pl.UInt32, "unit": pl.String}, orient="row")
    frame = frame.with_columns(pl.col("unit").cast(pl.Categorical))
    right, said = True, ""
    try:
        assert sum(map(len, assigned.follow(frame.iter_slices(size)))) == len(rows)
    except PluginError as error:
        right, said = False, str(error)
    assert right == is_right(rows, total), said
    assert (
        right or len({"lost", "dropped", "reordered", "duplicated", "invented", "both"} & set(said.split())) == 1
    )


@given(MOSTLY_RIGHT)
def test_lines_in_are_lines_in_units_and_lines_without(rows: list[Row]) -> None:
    named: Any = Counter(line for line, unit in rows if unit is not None)
    total = rows[-1][0] + 1
    lists = [[unit for line, unit in rows if line == n and unit is not None] for n in range(total)]
    frame = log(total).frame.with_columns(id=pl.Series(lists, dtype=pl.List(pl.String)))
    if not named:
        with pytest.raises(DataError, match=f"no line of {total} belongs"):
            read(lambda right: right, Lines(frame))
        return
    found = read(lambda right: right, Lines(frame))
    assert (found.lines, found.without) == (total, total - len(named))
