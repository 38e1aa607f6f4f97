"""How outputs come into pages: what is shown, what may differ, and that no line of a log acts in a page."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from docs_outputs import AGAIN, FETCHED, HOME, fenced, shown, steady, updated
from markdown_it import MarkdownIt
from snippets import PAGES, ROOT, Block, Typed, blocks, blocks_of

COST = "cost on cpu\n\nmodel  s\n-----  ---\n"
PAGE = "Type\n\n```sh\nsay a\n```\n\nand\n\n```sh\nsay b  # twice\nsay c\n```\n\n## End\n"


def typed(page: str, *outputs: str) -> list[Typed]:
    """What a page's commands would print."""
    commands = [(block, line) for block in blocks_of(page) if block.typed for line in block.text.splitlines()]
    return [Typed(block, line, output) for (block, line), output in zip(commands, outputs, strict=True)]


def written(page: str, *outputs: str) -> str:
    return updated(page, typed(page, *outputs), Path("/tmp/trial"))


def test_outputs_stand_below_their_commands_and_are_found_again() -> None:
    page = written(PAGE, "one\n", "two\n", "three\n")
    assert "```sh\nsay a\n```\n\n<!-- output -->\n```text\none\n```\n\nand" in page
    assert "$ say b\ntwo\n\n$ say c\nthree\n```\n\n## End" in page
    assert written(page, "one\n", "two\n", "three\n") == page
    assert "uno" in written(page, "uno\n", "two\n", "three\n") and "\none" not in written(page, "1", "2", "3")


def test_a_command_that_prints_nothing_has_no_output_and_loses_the_one_it_had() -> None:
    assert written(written(PAGE, "one\n", "two\n", "\n"), "", "", "") == PAGE


def test_an_output_below_no_command_is_taken_away() -> None:
    stray = "<!-- skip: why -->\n```sh\nsay\n```\n\n<!-- output -->\n```text\nold\n```\n\nEnd\n"
    assert written(stray) == "<!-- skip: why -->\n```sh\nsay\n```\n\nEnd\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("done in 3.1 s, 12 MB", "done in 12.75 s, 9 MB"),
        ("20260101-000000-m-aaaaaa  0.5", "20270203-112233-m-b1c2d3   0.5"),
        ("model  fit s\n-----  -----\na       0.12", "model  fit s\n-----  -----\na      10.00"),
        (
            "model  f1  s\n-----  --  --\na      1   12\n\nb",
            "model  f1\n-----  --\na      1\nleft out: s, MB\n  kB\n\nb",
        ),
        (f"{COST}a      0.1\n\nPareto front: a, b", f"{COST}a      2.1\n\nPareto front: b"),
    ],
)
def test_times_ids_and_memory_may_differ(one: str, other: str) -> None:
    assert steady(one) == steady(other) != steady("x" + one)


def test_a_figure_may_not_differ() -> None:
    table = "model  f1     fit s\n-----  -----  -----\na      {}  0.1\n\nb 0.5"
    assert steady(table.format("0.500")) != steady(table.format("0.501"))


def test_figures_of_networks_may_differ_and_no_others() -> None:
    for command, same in (("run deeplog", True), ("run pca", False), ("leaderboard --exclude torch", False)):
        page = f"```sh\nlogbench {command}\n```\n"
        assert (written(written(page, "f1 0.924\n"), "f1 0.919\n") == written(page, "f1 0.924\n")) is same


def test_what_differs_in_times_alone_stays_as_it_was() -> None:
    page = written(PAGE, "in 1.0 s\n", "two\n", "")
    assert written(page, "in 2.0 s\n", "two\n", "") == page


def test_long_outputs_are_cut_and_the_mark_says_how() -> None:
    (one, *_) = typed("```sh\nsay\n```\n", "".join(f"{n}\n" for n in range(60)))
    cut = shown([one], "", Path("/tmp/trial")).splitlines()
    assert (cut[-1], len(cut)) == ("… 36 more lines", 25)
    assert len(shown([one], "80", Path("/tmp/trial")).splitlines()) == 60
    assert "… 50 more lines" in shown([one, one], "", Path("/tmp/trial"))


def test_a_folded_output_stays_folded() -> None:
    page = written(PAGE, "one\n", "two\n", "three\n").replace("<!-- output -->", "<!-- output: 6 folded -->", 1)
    folded = written(page, "uno\n", "two\n", "three\n")
    assert "```\n\n<details markdown><summary>" in folded and "uno\n```\n\n</details>\n\nand" in folded
    assert written(folded, "uno\n", "two\n", "three\n") == folded


def test_folders_of_the_machine_and_stand_ins_are_not_shown() -> None:
    one, other = typed("```sh\nsay\nsay --dataset hdfs\n```\n", "in /tmp/trial/runs\n", "F1 0.9\n")
    assert shown([one, other], "", Path("/tmp/trial")) == f"$ say\nin {HOME}/runs\n"


def test_of_pip_the_last_line_is_shown() -> None:
    (one,) = typed("```sh\npip install .\n```\n", "Looking in …\nSuccessfully installed a-1\n")
    assert shown([one], "", Path("/tmp/trial")) == "Successfully installed a-1\n"


HOSTILE = (
    "x <script>alert(1)</script> \x1b[31mred\x1b[0m \x1b]0;t\x07 ``` `````\n"
    '```\n<!-- output -->\n<img src=x onerror="a">\n'
)


def test_no_line_of_a_log_acts_in_a_page() -> None:
    page = written("```sh\nsay\n```\n\nEnd.\n", HOSTILE)
    assert written(page, HOSTILE) == page
    shown_page = MarkdownIt().render(page)
    assert "&lt;script&gt;" in shown_page and "&lt;img" in shown_page
    assert "<script" not in shown_page and "<img" not in shown_page and "<p>End.</p>" in shown_page
    assert not [letter for letter in page if letter < " " and letter != "\n"]


def test_every_fence_holds_its_text() -> None:
    (block,) = blocks_of("<!-- output -->\n" + fenced("a\n```\n````\nb\n"))
    assert (block.mark, block.text) == ("output", "a\n```\n````\nb\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_what_its_commands_print(page: Path) -> None:
    said: list[Block] = list(blocks(page))
    for block, after in pairwise(said):
        assert after.mark != "output" or block.typed, f"{page.name}: an output below a block that nobody types"
    commands = [
        line for block in said if block.typed and block.language == "sh" for line in block.text.splitlines()
    ]
    name = str(page.relative_to(ROOT))
    if any(line.startswith("logbench ") and not FETCHED.search(line) for line in commands):
        assert any(block.mark == "output" for block in said), f"{AGAIN} {name}"
