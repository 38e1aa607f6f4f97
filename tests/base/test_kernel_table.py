"""Rows of tables that the compiled kernel takes apart are those that polars' expressions find."""

from __future__ import annotations

import random

import polars as pl
import pytest
from built_kernel import built_kernel

from logbench.base.kernel import VARIABLE
from logbench.data.line_format import LineFormat
from logbench.reading.line_patterns import WHOLE
from logbench.reading.quotes import open_at
from logbench.reading.splitters import Splitter, splitter

PARTS = ("a", "b c", '"', '"', ",", ",", ",", '""', "\n", "é", "日本", "x" * 20, "", "\t", ";", '",', ',"')
FORMS = (
    LineFormat(format="csv", message="B", level="A", node="C"),
    LineFormat(format="csv", message="B", level="A", node="C", multiline=True),
    LineFormat(format="csv", message="B", level="A|C", quote="none"),
    LineFormat(format="csv", message="B", node="column4", multiline=True),
    LineFormat(format="tsv", message="B", level="A"),
    LineFormat(format="csv", message="B", level="A", separator="é"),
)


def random_lines(rng: random.Random) -> pl.Series:
    texts = ["".join(rng.choices(PARTS, k=rng.randrange(12))) for _ in range(rng.randrange(60))]
    texts += [",".join(rng.choice(('"a,""b"" c, long enough"', "b", "", '"q"t', "x" * 14)) for _ in "abc")]
    return pl.Series([None if rng.random() < 0.03 else text for text in texts], dtype=pl.String)


def cells(split: Splitter, lines: pl.Series) -> pl.DataFrame:
    """Whether each line is a row, and its cells."""
    return split(lines).with_columns(pl.col(WHOLE).is_not_null())


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_cells_are_those_of_the_expressions(form: LineFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(str(form))
    library, rows = str(built_kernel()), 0
    split = splitter(form, form.between.join("ABC"))
    for _ in range(80):
        lines = random_lines(rng)
        monkeypatch.setenv(VARIABLE, library)
        by_kernel, opened = cells(split, lines), open_at(lines, form.between)
        monkeypatch.setenv(VARIABLE, "off")
        assert by_kernel.rows() == cells(split, lines).rows()
        assert opened.to_list() == open_at(lines, form.between).to_list()
        rows += by_kernel[WHOLE].sum()
    assert rows > 30
