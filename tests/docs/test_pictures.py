"""Pictures of the docs: small, said in words, shown somewhere, and asking for nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs_pictures import PAGES as PHOTOGRAPHED
from docs_pictures import PICTURES, TERMINALS, drawn
from snippets import PAGES, ROOT

MOST = 150_000
SHOWN = [
    (page, *found.groups())
    for page in PAGES
    for found in re.finditer(r"!\[([^]]*)\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.[ps][nv]g")), ids=lambda path: path.name)
def test_a_picture_is_small_and_loads_nothing(path: Path) -> None:
    assert path.stat().st_size <= MOST
    if path.suffix == ".svg":
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text and not re.search(r"url\(['\"]?http|href=\"http|@import", text)


@pytest.mark.parametrize(("page", "words", "path"), SHOWN, ids=lambda one: getattr(one, "name", str(one)[:30]))
def test_a_picture_is_there_and_said_in_words(page: Path, words: str, path: str) -> None:
    assert (page.parent / path).is_file()
    assert len(words.split()) >= 4, f"{page.name}: {path} needs words for those who cannot see it"


def test_every_picture_that_is_drawn_is_shown() -> None:
    shown = {(page.parent / path).resolve() for page, _, path in SHOWN}
    made = {PICTURES / f"{name}.png" for name in PHOTOGRAPHED} | {PICTURES / f"{name}.svg" for name in TERMINALS}
    assert made <= shown


def test_markup_in_a_terminal_is_text_and_colours_stay() -> None:
    svg = drawn("\x1b[31mred <script>alert(1)</script>\x1b[0m", "logbench show last")
    assert "&lt;script&gt;" in svg and "<script" not in svg
    assert re.search(r"fill: #[0-9a-f]{6}", svg) and "http" not in re.sub(r'xmlns="[^"]*"', "", svg)
