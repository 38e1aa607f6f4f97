"""Tables of text at any width: nothing is lost, no word is broken, the order in which columns go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from logbench import folded, text_table
from logbench.base.cells import columns_of
from logbench.base.jsonable import shorten
from logbench.base.screen import screen_width

WORDS = st.lists(st.text("abc_.", min_size=1, max_size=9), max_size=8).map(" ".join)
COLUMNS = {"name": ["a", "bb"], "long heading": ["1", "22"], "meaning": ["of the first letter", "of another one"]}


def words(text: str) -> list[str]:
    return sorted(word for word in text.split() if set(word) != {"-"})


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5), st.integers(22, 200))
def test_a_folded_table_fits_and_keeps_every_word(rows: list[tuple[str, str]], width: int) -> None:
    columns = {"a": [one for one, _ in rows], "b": [other for _, other in rows]}
    table = text_table(columns, width, fold=["a", "b"])
    lines = table.text.split("\n")
    assert max(map(len, lines)) <= width and not table.left_out
    assert words(table.text.split("\n", 1)[1]) == sorted(" ".join(map(" ".join, rows)).split())


def test_headings_fold_first_then_text_then_columns_go_in_their_order() -> None:
    def at(width: int | None) -> tuple[str, tuple[str, ...]]:
        table = text_table(COLUMNS, width, fold=["meaning"], drop=["long heading", "name"])
        return table.text, table.left_out

    wide, _ = at(None)
    assert wide.split("\n")[0] == "name  long heading  meaning"
    assert at(text_table(COLUMNS).needs) == (wide, ())
    assert at(38)[0].split("\n")[:2] == ["name  long     meaning", "      heading"]
    assert at(33)[1] == ("long heading",) and at(22)[1] == ("long heading", "name")
    assert at(12)[0].split("\n")[2:] == ["of the first", "letter", "of another", "one"]


def test_a_column_named_twice_is_left_out_once() -> None:
    table = text_table(COLUMNS, 22, drop=["long heading", "long heading", "name"])
    assert table.left_out == ("long heading", "name")


def test_what_fits_in_no_way_is_a_block_a_row() -> None:
    table = text_table(COLUMNS, 21, fold=["meaning"])
    assert table.text.split("\n")[:4] == [
        "name          a",
        "long heading  1",
        "meaning       of the",
        "              first",
    ]
    assert "\n\nname          bb\n" in table.text


def test_the_line_below_says_what_was_left_out_and_how_to_see_it() -> None:
    table = text_table({"run": ["r"], "95%\ninterval": ["0.1 … 0.2"]}, 8, drop=["95%\ninterval"])
    assert table.said("--json") == "left out: 95% interval (to see all: 14 columns, or --json)"
    assert text_table({"run": ["r"]}, 8).said("--json") == ""


def test_rows_are_parted_and_numbers_stand_on_their_right() -> None:
    text = text_table({"a": ["x", "y"], "n": ["1", "22"]}, right=["n"], rules=[1, 2]).text
    assert text.split("\n") == ["a   n", "-  --", "x   1", "-  --", "y  22"]


@given(WORDS, st.integers(11, 60))
def test_a_note_hangs_and_keeps_its_words(text: str, width: int) -> None:
    lines = folded(text, width).split("\n")
    assert " ".join(lines).split() == text.split() and max(map(len, lines)) <= width
    assert all(line.startswith("  ") for line in lines[1:])
    assert folded(text, None) == text


def test_a_command_to_copy_stays_one_command() -> None:
    said = "records in runs/records.jsonl; next: logbench show 20261129-155155-n-gram-60aa7c --out somewhere/else"
    assert folded(said, 72).split("\n") == [
        "records in runs/records.jsonl; next:",
        "  logbench show 20261129-155155-n-gram-60aa7c --out somewhere/else",
    ]
    *_, first, second = folded(said, 50).split("\n")
    assert (first, second) == ("  logbench show 20261129-155155-n-gram-60aa7c \\", "    --out somewhere/else")


@given(WORDS, st.integers(4, 60))
def test_a_shortened_text_fits_and_breaks_no_word_that_began_in_its_first_half(text: str, width: int) -> None:
    short, line = shorten(text, width), " ".join(text.split())
    assert len(short) <= width and (short == line) == (len(line) <= width)
    if short.endswith(" …"):
        assert line.startswith(short[:-1])


def test_columns_stand_above_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: object) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    assert screen_width() == 72
    for none in ("", "0", "wide"):
        monkeypatch.setenv("COLUMNS", none)
        assert screen_width() is None  # what pytest captures is no terminal


def test_letters_of_one_column_are_those_that_the_tables_of_rich_say() -> None:
    for number in range(0x20, 0x3000):
        if chr(number).isprintable():
            assert columns_of(chr(number)) == cell_len(chr(number)), hex(number)
