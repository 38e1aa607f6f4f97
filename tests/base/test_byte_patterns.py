"""Tables of patterns: those that have one mean what polars means, all others have none."""

from __future__ import annotations

import random
import re

import pytest

from logbench.base.byte_patterns import DEAD, Table, table

WITH = (
    "[0-9]+",
    "[0-9]+(?:[.:][0-9]+)*",
    "blk_-?[0-9]+",
    "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "a{2,3}b",
    "x(?:yz?)?",
    r"\[[a-c]\]{1,2}",
    "(?:ab)+",
    "é-?[0-9]",
    "[x-]y",
    "a(?:bc){0,2}",
    "q(?:w(?:e(?:r)?)?)?[0-9]{2,}",
)
WITHOUT = (
    "", "a*", "a?", "(?:a)*", "a|b", "(a)", "a+?", "a??", "a{2,3}?", "a++", r"\d+", r"\w", r"\bx", ".", "^a", "a$",
    "[^a]", "[a&&b]", "[[:alpha:]]", r"[\d]", "[é]", "(?i)a", "a?a", "a?ab", "a*a", "(?:ab?)?b", "[a-z]+[0-9]",
    "(?:xy*)*z", "[z-a]", "[-x]y", "[a-c-e]", "a{3,2}", "a{", "(?:a", "a)", "*", "[]", "a{999}", r"\n", "x{0}",
)  # fmt: skip


def longest(found: Table, text: bytes, begin: int) -> int:
    """Where a match that begins there ends, by the table read byte by byte; −1: none does."""
    state, end = 0, -1
    for at in range(begin, len(text)):
        state = found.next[256 * state + text[at]]
        if state == DEAD:
            break
        end = at + 1 if found.accepts[state] else end
    return end


def matches(found: Table, text: bytes) -> list[bytes]:
    spans, at = [], 0
    while at < len(text):
        end = longest(found, text, at)
        spans += [text[at:end]] if end > 0 else []
        at = max(end, at + 1)
    return spans


@pytest.mark.parametrize("pattern", WITH)
def test_a_table_finds_what_the_regular_expression_finds(pattern: str) -> None:
    found, random_ = table(pattern), random.Random(pattern)
    assert found is not None
    signs = sorted(set(re.sub(r"[?*+{}()\\|]", "", pattern)) | set("019afz-é blk_[]"))
    for _ in range(500):
        text = "".join(random_.choices(signs, k=random_.randrange(30)))
        assert matches(found, text.encode()) == [one.encode() for one in re.findall(pattern, text)], text


@pytest.mark.parametrize("pattern", WITHOUT)
def test_any_other_pattern_has_none(pattern: str) -> None:
    assert table(pattern) is None


def test_random_patterns_mean_the_same_or_have_no_table() -> None:
    random_, tables = random.Random(5), 0
    parts = ("a", "b", "[ab]", "[b-d]", "(?:ab)", "(?:c?d)", "-", "[0-9]")
    for _ in range(3000):
        pattern = "".join(
            random_.choice(parts) + random_.choice(("", "", "?", "+", "*", "{2}", "{1,2}"))
            for _ in range(random_.randrange(1, 5))
        )
        if (found := table(pattern)) is None:
            continue
        tables += 1
        for _ in range(20):
            text = "".join(random_.choices("abcd-0", k=12))
            assert matches(found, text.encode()) == [one.encode() for one in re.findall(pattern, text)], (
                pattern,
                text,
            )
    assert tables > 300


def test_a_scan_is_linear_where_a_table_is_given() -> None:
    for pattern in WITH:
        found = table(pattern)
        assert found is not None
        open_ = {state for state in range(len(found.accepts)) if not found.accepts[state]}
        steps, frontier = 0, {0}
        while frontier:  # every path through states that do not accept ends
            frontier = {
                state for one in frontier for state in found.next[256 * one : 256 * (one + 1)] if state in open_
            }
            steps += 1
            assert steps <= len(found.accepts), pattern
