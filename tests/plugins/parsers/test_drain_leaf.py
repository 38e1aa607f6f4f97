"""The table and the index of a leaf of Drain against comparing with all of its templates."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from logbench.pipeline.kept_parser import KeptParser
from logbench_parsers import DrainConfig, leaf
from logbench_parsers.drain import DrainParser
from logbench_parsers.none import Verbatim


def test_the_index_of_a_leaf_finds_what_comparing_with_all_finds(wide: None) -> None:
    """Templates of few tokens that grow wildcards, asked for by messages near to one of them."""
    rng = np.random.default_rng(3)
    full, words = leaf.Leaf(5_000), [f"w{n}" for n in range(40)]
    rows = [rng.choice(words, 12).tolist() for _ in range(120)]
    for key, row in enumerate(rows):
        full.add(leaf.Template(key, row, 0, []))
    for place in rng.integers(0, 120, 60).tolist():
        full.join(full.templates[place], [word if rng.random() < 0.9 else "other" for word in rows[place]])
    assert full.fixed == min(12 - template.tokens.count(None) for template in full.templates) < 11
    for least in (0, 1, 4, 6, 9, 12):
        for row in rows[::6]:
            asked = [word if rng.random() < 0.7 else str(rng.choice(words)) for word in row]
            same = [sum(a == b for a, b in zip(one.tokens, asked, strict=True)) for one in full.templates]
            expected = [(key, equal) for key, equal in enumerate(same) if equal >= least]
            assert [(template.key, equal) for template, equal in full.similar(asked, least)] == expected
            fits = [(key, equal) for key, equal in enumerate(same)
                    if equal >= least or equal + full.templates[key].wildcards == 12]  # fmt: skip
            assert [(template.key, equal) for template, equal in full.similar(asked, least, True)] == fits


@pytest.mark.parametrize(("tokens", "scanned"), [(40, 100), (40, 5_000), (600, 5_000)])
def test_new_messages_are_compared_with_few_templates_of_a_leaf(
    tokens: int, scanned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of messages of words that hardly repeat none is compared, token by token, with more than a handful."""
    monkeypatch.setattr(leaf, "SCANNED", scanned)
    rng = np.random.default_rng(4)
    full = leaf.Leaf(5_000)
    looked = []
    for key, row in enumerate(rng.integers(0, 20_000, (60_000 // tokens, tokens)).astype(str).tolist()):
        if key >= leaf.WIDE:
            looked.append(len(full._likely(row, tokens // 2, fitting=True)))
        full.add(leaf.Template(key, tuple(row), 0, ()))
    assert max(looked) < 10


@pytest.mark.parametrize("tokens", [254, 255, 256, 1_000])
def test_long_messages_have_their_equal_tokens_counted(tokens: int) -> None:
    """Bytes count up to 255 equal tokens: all, all but one, and half of a long message are told apart."""
    full, row = leaf.Leaf(5_000), [f"w{n}" for n in range(tokens)]
    for key in range(leaf.WIDE + 4):
        full.add(leaf.Template(key, tuple(row[: key * 50] + [f"own{key}"] * (tokens - key * 50))[:tokens], 0, ()))
    same = [min(key * 50, tokens) for key in range(leaf.WIDE + 4)]
    for least in (0, 50, 254, 255, 256, tokens):
        expected = [(key, equal) for key, equal in enumerate(same) if equal >= least]
        assert [(one.key, equal) for one, equal in full.similar(row, least)] == expected


def test_a_leaf_with_too_many_templates_is_searched_in_part_and_says_so() -> None:
    """Words repeat much, so lists are long: as an exact parser until a leaf is too large, then near to it."""
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 40, (1_500, 6)).astype(str).tolist()
    messages = pl.Series([" ".join(["go", *row]) for row in rows]).unique(maintain_order=True)
    exact, bounded = DrainParser(DrainConfig()), DrainParser(DrainConfig(max_leaf=512))
    expected, keys = exact.fit(messages), bounded.fit(messages)
    assert exact.caution is None and "drain.max_leaf" in str(bounded.caution)
    grown = int(np.flatnonzero(expected >= 512)[0])
    assert (keys[:grown] == expected[:grown]).all()
    assert len(exact.templates) <= len(bounded.templates) < 1.5 * len(exact.templates)
    found = bounded.match(messages)
    assert (found >= 0).mean() > 0.95
    restored = DrainParser(DrainConfig(max_leaf=512))
    restored.restore(bounded.state())
    assert (restored.match(messages) == found).all()


def test_the_caution_of_a_parser_is_passed_on_where_parts_of_keys_stay() -> None:
    parser = KeptParser(DrainParser(DrainConfig()))
    assert parser.caution is None and KeptParser(Verbatim()).caution is None
