"""What the compiled kernel cuts out of texts, held against the captures of polars."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import polars as pl
import pytest
from built_kernel import built_kernel

import logbench_ownlogs
from logbench.base.kernel import PERHAPS, YES, Kernel
from logbench.base.kernel_cut import cut
from logbench.base.line_programs import program
from logbench.reading.line_patterns import group_names

FORMATS = Path(logbench_ownlogs.__file__).parent / "formats"
ATOMS = (
    "a", "b", " ", ":", r"\[", r"\]", '"', ".", r"\s", r"\S", r"\d", r"\w", r"\D", r"\W", "[a-c]", "[^b:]",
    r"[\w.-]", r"[^\s]", r"[^\]]", "é", r"\.", "0", "[0-9]", "(?i:ab)", r"\x{e9}", "(?i:k|s)",
)  # fmt: skip
TIMES = ("", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,3}", "{2,}", "{1,3}?", "{2,}?")
SIGNS = 'kKſaAabBcd  ::[]"".012\\éä\u212a\u2003\u0085\u00a0日\t\n'


@pytest.fixture(scope="module")
def built() -> Kernel:
    return Kernel(built_kernel())


def random_regex(rng: random.Random) -> str:
    names = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    def part(deep: int) -> str:
        if deep and rng.random() < 0.35:
            inside = sequence(deep - 1)
            if rng.random() < 0.35:
                inside += "|" + sequence(deep - 1)
            kind = rng.choice(["(?:", "(", "(?P<", "(?P<"])
            kind += f"{next(names)}>" if kind.endswith("<") else ""
            return f"{kind}{inside}){rng.choice(TIMES) if rng.random() < 0.4 else ''}"
        return rng.choice(ATOMS) + rng.choice(TIMES)

    def sequence(deep: int) -> str:
        return "".join(part(deep) for _ in range(rng.randint(1, 3)))

    end = rng.choice(["$", "", r"(?P<Z>.*)$", r"(?:\s+(?P<Z>.*))?$"])
    return f"^(?P<Y>{sequence(2)}){sequence(2)}{end}"


def same(built: Kernel, regex: str, texts: list[str | None]) -> float | None:
    """Check that both find the same; the share of texts that are left to polars, None without a program."""
    raw = pl.Series(texts, dtype=pl.String)
    names = tuple(name for name in group_names(regex) if not name.isdigit())
    if (found := program(regex, names)) is None:
        return None
    columns, told = cut(built, raw, found)
    expected = raw.str.extract_groups(f"(?P<whole_match>(?s)(?:{regex}))").struct.unnest()
    sure = pl.Series(told != PERHAPS)
    fits = pl.Series(told == YES)
    wrong = sure & (fits != expected["whole_match"].is_not_null())
    for column in columns:
        wrong |= sure & column.ne_missing(expected[column.name])
    assert not wrong.any(), f"{regex}: {raw.filter(wrong).to_list()[:3]}"
    return float((~sure).mean())  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_random_expressions_find_what_captures_find(built: Kernel, seed: int) -> None:
    rng = random.Random(seed)
    done = 0
    while done < 60:
        regex = random_regex(rng)
        try:
            group_names(regex)
        except pl.exceptions.PolarsError:
            continue
        texts: list[str | None] = ["".join(rng.choices(SIGNS, k=rng.randint(0, 24))) for _ in range(60)]
        done += same(built, regex, [*texts, None, ""]) is not None


def formats() -> dict[str, list[str]]:
    found = {}
    for file in sorted(FORMATS.glob("*.toml")):
        form = tomllib.loads(file.read_text())
        if form.get("format") == "regex":
            found[file.stem] = [form["pattern"], *form.get("more", ()), form["example"]]
    return found


@pytest.mark.parametrize("name", formats())
def test_all_named_formats_have_programs(built: Kernel, name: str) -> None:
    *regexes, example = formats()[name]
    rng = random.Random(name)
    texts: list[str | None] = [example]
    for _ in range(300):
        signs = list(example)
        for _ in range(rng.randint(1, 6)):
            at = rng.randint(0, len(signs))
            signs[at : at + rng.randint(0, 2)] = rng.choice([rng.choice(SIGNS), rng.choice(example), ""])
        texts.append("".join(signs))
    for regex in regexes:
        share = same(built, regex, texts)
        assert share is not None and share < 0.5, regex


@pytest.mark.parametrize(
    "regex",
    [r"\bword", "^a|b", r"^\ba", "^(?i)a", "^(?:a*)*b", "^[[:alpha:]]", r"^\p{L}", r"^a$b", r"^(?P<A>a)+",
     r"^[a-z&&b]", r"^\x41", "^a{5}{2}", "^[--a]", r"^\d{1,1000}", "^[é]", r"^\<a", "^(?i:[a])"],
)  # fmt: skip
def test_others_are_left_to_polars(regex: str) -> None:
    assert program(regex, ("A",)) is None


def test_sets_say_of_each_sign_what_polars_says(built: Kernel) -> None:
    codes = [*range(1, 0x3100), *range(0x3100, 0xD800, 97), *range(0xE000, 0x110000, 97)]
    signs = [chr(code) for code in codes]
    for regex in (r"^\s$", r"^\S$", r"^\d$", r"^\w$", r"^\D$", r"^\W$", "^.$", "^[^a]$", r"^[\s\d]$", r"^[^\s:]$"):
        share = same(built, regex, list(signs))
        assert share is not None and (share < 0.4 or "w" in regex.lower() or "d" in regex.lower()), regex


def test_an_expression_that_tries_without_end_is_given_up(built: Kernel) -> None:
    found = program(r"^(?:a|a ?)*?(?:.*:.*:.*:)(?P<C>b)$", ("C",))
    assert found is not None
    _, told = cut(built, pl.Series(["a " * 3_000 + ":" * 3000, "a::: :b"]), found)
    assert told.tolist() == [PERHAPS, YES]


def test_texts_with_escaped_signs_in_quotes(built: Kernel) -> None:
    rng = random.Random(1)
    texts: list[str | None] = ["".join(rng.choices('ab "\\"é', k=rng.randint(2, 30))) for _ in range(2000)]
    for end in ("$", "(?P<Rest>.*)$", r'(?: HTTP/\S+)?"$'):
        for lazy in ("", "?"):
            assert same(built, rf'^(?P<Q>(?:[^"\\]|\\.)*{lazy}){end}', texts) == 0
            assert same(built, rf'^(?P<Q>(?:\\.|[^"\\])*{lazy}) (?P<R>\S*){end}', texts) is not None


def test_columns_outlive_their_texts(built: Kernel) -> None:
    found = program(r"^(?P<A>\S+) (?P<B>.*)$", ("A", "B"))
    assert found is not None
    texts = pl.Series([f"{'word' * 5}{i} {'rest' * 6}{i}" for i in range(1000)])
    (one, two), told = cut(built, texts[10:].append(texts[:10]), found)
    expected = [f"{'word' * 5}{i}" for i in [*range(10, 1000), *range(10)]]
    del texts
    assert one.to_list() == expected and two[0] == "restrestrestrestrestrest10" and told.all()
    assert one.filter(two.str.ends_with("500")).to_list() == [f"{'word' * 5}500"]
