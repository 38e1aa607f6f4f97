"""The compiled kernel codes texts as an independent computation does; without it, why is said."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from built_kernel import ROOT, built_kernel, hook

from logbench.base import kernel as module
from logbench.base.byte_patterns import table
from logbench.base.errors import ConfigError
from logbench.base.kernel import Coded, Kernel, Rules

NUMBERS, BLOCK = "[0-9]+(?:[.:][0-9]+)*", "blk_-?[0-9]+"
PIECES = (
    "blk_", "blk_-", "blk_1", "blk_-23", "b", "bl", "_", ": ", ":", " ", "0", "7", "10.0.0.1:80", "1.", ".2",
    "é", "日本", "\x00", "\r", "\n", "\r\n", "\x1e\x1f", "\ufffd", "081109 203530", "word", "a" * 13,
    "9" * 40, "x" * 200,
)  # fmt: skip


@pytest.fixture(scope="module")
def built() -> Kernel:
    return Kernel(built_kernel())


def expected(
    text: str | None, after: str, shape: str, put: str, id_: str, stamp: int
) -> list[tuple[str | None, ...]]:
    """Rows of id, shape and stamp of a text."""
    whole = text or ""
    message = whole.partition(after)[2] if after and after in whole else whole
    reduced = re.sub(shape, put, message) if shape else message
    ids = list(dict.fromkeys(re.findall(id_, whole))) if id_ else []
    return [(one, reduced, whole[:stamp]) for one in ids or [None]]


def rows(coded: Coded, stamp: int) -> list[tuple[int, str | None, str, str]]:
    ids, shapes, stamps = (names.to_list() for names in (coded.ids, coded.shapes, coded.stamps))
    for names, numbers in ((ids, coded.id), (shapes, coded.shape), *([(stamps, coded.stamp)] if stamp else [])):
        first_seen = list(dict.fromkeys(number for number in numbers.tolist() if number >= 0))
        assert first_seen == list(range(len(names))) and len(set(names)) == len(names)
    columns = (coded.text, coded.id, coded.shape, coded.stamp)
    return [
        (text, ids[one] if one >= 0 else None, shapes[shape], stamps[at] if stamp else "")
        for text, one, shape, at in zip(*(column.tolist() for column in columns), strict=True)
    ]


def held(built: Kernel, texts: Sequence[str | None], rules: tuple[str, str, str, str, int]) -> None:
    after, shape, put, id_, stamp = rules
    coded = built.code(
        pl.Series(texts, dtype=pl.String),
        Rules(after, table(shape) if shape else None, put, table(id_) if id_ else None, stamp),
    )
    wanted = [(at, *row) for at, text in enumerate(texts) for row in expected(text, after, shape, put, id_, stamp)]
    assert rows(coded, stamp) == wanted
    assert coded.texts == len(texts) and coded.without == sum(row[1] is None for row in wanted)


@pytest.mark.parametrize(
    "rules",
    [
        (": ", NUMBERS, "0", BLOCK, 13),
        ("", "[0-9]+", "<num>", "", 0),
        (":", "blk_", "", "[0-9]{2}", 3),
        ("日", "b", "é", "(?:ab?)+|".rstrip("|"), 1),
        ("", "", "", "é", 0),
    ],
)
def test_it_codes_any_text_as_python_does(built: Kernel, rules: tuple[str, str, str, str, int]) -> None:
    random_ = random.Random(str(rules))
    for _ in range(120):
        texts = [
            None if random_.random() < 0.05 else "".join(random_.choices(PIECES, k=random_.randrange(9)))
            for _ in range(random_.randrange(60))
        ]
        held(built, texts, rules)


def test_many_names_slices_and_chunks(built: Kernel) -> None:
    texts = [
        f"{number % 977} blk_{number % 701} blk_{number % 13}: {'ab' * (number % 17)}{number}"
        for number in range(9000)
    ]
    held(built, texts, (": ", "", "", BLOCK, 5))
    whole = pl.Series(texts)
    chunks = pl.concat([whole[10:5000], whole[7000:7001], whole[:0], whole[8000:]], rechunk=False)
    rules = Rules(": ", None, "", table(BLOCK), 5)
    coded, again = built.code(chunks, rules), built.code(chunks.rechunk(), rules)
    assert chunks.n_chunks() > 1 and rows(coded, 5) == rows(again, 5) and coded.texts == len(chunks)


def test_a_text_of_megabytes(built: Kernel) -> None:
    held(
        built,
        ["7" * (3 << 20), "a7" * (1 << 20), "blk_" * (1 << 19) + "1", "b" * (1 << 20)],
        ("", "[0-9]+", "0", BLOCK, 9),
    )


def test_why_there_is_none_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "none.library"
    monkeypatch.setattr(module, "LIBRARY", missing)
    monkeypatch.delenv(module.VARIABLE, raising=False)
    assert module.kernel() is None
    assert module.in_use() == "polars (no none.library: no C compiler when logbench was installed)"
    monkeypatch.setenv(module.VARIABLE, "on")
    with pytest.raises(ConfigError, match=r"LOGBENCH_KERNEL=on: no none\.library"):
        module.kernel()
    monkeypatch.setenv(module.VARIABLE, "off")
    assert module.kernel() is None and module.in_use() == "polars (LOGBENCH_KERNEL=off)"
    monkeypatch.setenv(module.VARIABLE, str(ROOT / "README.md"))
    with pytest.raises(ConfigError, match="README"):
        module.kernel()
    library = built_kernel()
    monkeypatch.setenv(module.VARIABLE, str(library))
    assert module.kernel() is not None and module.in_use() == f"compiled kernel ({library})"


def test_a_library_of_another_source_is_not_taken(built: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "digest", lambda: "another")
    with pytest.raises(OSError, match=r"built from another kernel\.c; build it again"):
        Kernel(built.library)


def test_a_build_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built_kernel()  # a compiler is there
    assert "failed: " in hook().build(tmp_path / "one", "-Dlogbench_code=1+")
    monkeypatch.setenv("CC", "/nonexistent/cc")
    assert hook().build(tmp_path / "two").startswith("/nonexistent/cc does not run")
    assert not list(tmp_path.iterdir())
