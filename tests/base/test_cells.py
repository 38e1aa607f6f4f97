"""Columns of a terminal, against Unicode's own widths."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from logbench import folded, text_table
from logbench.base.cells import _ONE_COLUMN, clipped, columns_of, padded, wrapped
from logbench.base.jsonable import shorten

# Letters of one and of two columns, with marks of none.
LETTERS = st.sampled_from(["a", "b", "é", "e\u0301", "日", "志", "ん", "한", "Ａ"])
WORDS = st.lists(LETTERS, min_size=1, max_size=7).map("".join)
SENTENCES = st.lists(WORDS, max_size=9).map(" ".join)


def width(text: str) -> int:
    """Unicode's East Asian width (UAX 11); marks that stand on a letter take none."""
    return sum(
        0 if unicodedata.combining(sign) else 1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text
    )


@given(SENTENCES, st.integers(15, 60))
def test_texts_wrap_fill_and_end_at_columns(text: str, most: int) -> None:
    assert columns_of(text) == width(text)
    lines = wrapped(text, most)
    assert all(width(line) <= most for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert width(padded(text, most)) == max(most, width(text)) == width(padded(text, most, right=True))
    cut = clipped(text, most)
    assert text.startswith(cut) and width(cut) <= most and (cut == text or width(cut) >= most - 1)
    assert width(shorten(text, most)) <= most
    assert max(map(width, folded(text, most).split("\n"))) <= most


def test_signs_that_need_no_table_take_one_column() -> None:
    signs = [chr(code) for code in range(0xA0, 0x3000) if _ONE_COLUMN.fullmatch(chr(code))]
    assert len(signs) > 1000 and set("–−±∞≤≥…→×�·“”‘’•✓") - {"�", "✓"} <= set(signs)
    assert [sign for sign in signs if cell_len(sign) != 1] == []


def test_a_line_ends_at_spaces_or_between_letters_that_have_none() -> None:
    lines = wrapped("disk 故障 on node e\u0301te\u0301 now", 8)
    assert lines == ["disk 故", "障 on", "node e\u0301te\u0301", "now"]


@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=4), st.integers(24, 80))
def test_columns_of_a_table_stay_aligned(rows: list[tuple[str, str]], most: int) -> None:
    columns = {"日志": [first for first, _ in rows], "message": [second for _, second in rows]}
    table = text_table(columns, most, fold=["日志", "message"])
    lines = table.text.split("\n")
    assert max(map(width, lines)) <= most
    if "  " not in lines[1]:  # each row is a block, or one column is empty
        return
    edge = lines[1].index("  ")  # of the rule below the headings: where the second column begins
    for line in lines:
        ends = [at for at in range(len(line) + 1) if width(line[:at]) == edge]
        assert not ends or not line[ends[-1] :][:2].strip()
        assert ends or width(line) < edge
