"""Texts at paths of JSON lines by the compiled kernel are those that Python's json finds; odd lines are few."""

from __future__ import annotations

import ctypes
import json
import random
from typing import Any

import numpy as np
import polars as pl
import pytest
from built_kernel import built_kernel

from logbench.base import arrow_columns
from logbench.base.kernel import Kernel
from logbench.base.kernel_json import NO_OBJECT, NOTHING, OBJECT, ODD, TEXT, VALUE, JsonPaths

COLUMNS = [[["a"]], [["none"], ["b"]], [["c", "d"]], [["c", "e", "f"], ["a"]]]
TEXTS = ["", "x", 'a "quote" in it', "back\\slash", "\n\t\r\b\f\x00", "é日本😀", "twelve bytes", "thirteen byte"]
TEXTS += ["y" * 40, "{", "a" * 15 + "\n"]
PLAIN: list[Any] = [*TEXTS, 0, -7, 10**17, 1.5, -0.25, 1772352000.123456, True, False, None]


@pytest.fixture(scope="module")
def built() -> Kernel:
    return Kernel(built_kernel())


def at(value: Any, way: list[str]) -> Any:
    for key in way:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def some(random_: random.Random, depth: int = 0) -> Any:
    if depth < 3 and random_.random() < 0.4:
        keys = random_.sample(["a", "b", "c", "d", "e", "f", "other", "é"], random_.randrange(7))
        return {key: some(random_, depth + 1) for key in keys}
    return random_.choice(PLAIN)


def may_be_odd(line: str, value: dict[str, Any]) -> bool:
    """Whether a key is written with an escape, or a path may go on in what stands there."""
    return '\\u00e9":' in line or isinstance(value.get("c"), dict | str) or '"a":"\\' in line


def test_texts_are_those_of_json(built: Kernel) -> None:
    random_ = random.Random(3)
    find = JsonPaths(built, COLUMNS)
    for number in range(60):
        values = [some(random_) if random_.random() < 0.9 else None for _ in range(random_.randrange(80))]
        values = [value if isinstance(value, dict) else {"a": value, "list": [1, [value], {}]} for value in values]
        separators = random_.choice([(",", ":"), (" , ", ":"), (",\r\n", ":")])
        lines = [json.dumps(value, ensure_ascii=number % 2 == 0, separators=separators) for value in values]
        found = find(pl.Series(lines, dtype=pl.String))
        for column, kinds, ways in zip(found.columns, found.kinds, COLUMNS, strict=True):
            assert column.dtype == pl.String and len(column) == len(lines)
            for line, value, is_, kind, text in zip(lines, values, found.lines, kinds, column, strict=True):
                if is_ == ODD:
                    assert may_be_odd(line, value), line
                    assert text is None and kind == NOTHING
                    continue
                wanted = next((one for way in ways if (one := at(value, way)) is not None), None)
                assert is_ == OBJECT and kind == (
                    NOTHING if wanted is None else VALUE if isinstance(wanted, dict) else TEXT
                )
                if isinstance(wanted, dict):
                    assert json.loads(text) == wanted and text in line
                else:
                    assert text == (None if wanted is None else shown(wanted))


NOT_PLAIN = [
        "{", "{}x", "{,}", '{"a"}', '{"a":}', '{"a":1,}', '{"a":1 "b":2}', '{"a":01}', '{"a":+1}', '{"a":.5}',
        '{"a":1.}', '{"a":1e}', '{"a":1e400}', '{"a":' + "9" * 400 + "}", '{"a":tru}', '{"a":nulll}', '{"a":"\n"}',
        '{"a":"\\x"}', '{"a":"\\u12"}', '{"a":"\\ud83d"}', '{"a":"\\ude00"}', '{"a":"x}', '{a:1}', "{'a':1}",
        '{"o":[1,]}', '{"o":[1}', '{"o":' + "[" * 200 + "]" * 200 + "}", '{"a":1,"a":2}', '{"\\u0061":1}',
        '{"a":[1]}', '{"c":[{"d":1}]}', '[{"a":1}]', '"{}"', '{"c":" {}"}', '{"c":{"e":{}}}', '{"a":1}\x0b',
]  # fmt: skip


@pytest.mark.parametrize("line", NOT_PLAIN)
def test_what_is_not_plain_is_odd(built: Kernel, line: str) -> None:
    found = JsonPaths(built, COLUMNS[:1] + COLUMNS[2:3] + [[["c", "e", "f"]]])(pl.Series([line, '{"a":1}']))
    assert found.lines.tolist() == [ODD, OBJECT]
    assert found.columns[0].to_list() == [None, "1"]


def test_other_lines_are_no_objects(built: Kernel) -> None:
    lines = pl.Series(["", None, "x", "3", "null", " ", "\ufeff{}", ' \t{"a":"1"}\r', "{ }"])
    found = JsonPaths(built, [[["a"]]])(lines)
    assert found.lines.tolist() == [NO_OBJECT] * 7 + [OBJECT] * 2
    assert found.columns[0].to_list() == [None] * 7 + ["1", None]


def test_slices_chunks_and_large_texts(built: Kernel) -> None:
    lines = pl.Series([f'{{"a":"{"ab" * (i % 40)}{i}","n":{i}}}' for i in range(3000)])
    lines = pl.concat([lines[10:900], lines[:0], pl.Series([json.dumps({"a": "é\n" * 700_000})]), lines[2500:]])
    find = JsonPaths(built, [[["a"]], [["n"]]])
    wanted = [json.loads(line) for line in lines]
    for some_ in (lines, lines.rechunk(), lines[880:900]):
        found = find(some_)
        begin = 880 if len(some_) == 20 else 0
        assert found.columns[0].to_list() == [one["a"] for one in wanted[begin:]][: len(some_)]
        assert (found.lines == OBJECT).all()


def test_what_polars_takes_over_is_released_once(built: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    taken = arrow_columns._taken

    def seen(type_: Any, array: Any) -> pl.Series:
        given.append(array)
        return taken(type_, array)

    monkeypatch.setattr(arrow_columns, "_taken", seen)
    found = JsonPaths(built, [[["a"]]])(pl.Series(['{"a":"a text of more than twelve bytes"}']))
    assert ctypes.cast(given[0].release, ctypes.c_void_p).value is None
    assert found.columns[0].item() == "a text of more than twelve bytes"
    assert np.array_equal(found.kinds, [[TEXT]])


def test_texts_outlive_their_lines(built: Kernel) -> None:
    lines = pl.Series(
        [json.dumps({"a": f"a plain text, number {i}", "b": f"two\nlines, number {i}"}) for i in range(2000)]
    )
    find = JsonPaths(built, [[["a"]], [["b"]]])
    found = [find(lines[10:]).columns, find(pl.concat([lines[:900], lines[900:]], rechunk=False)).columns]
    del lines
    pl.Series(["other bytes in their place " * 9] * 20_000)
    for first, (plain, escaped) in zip((10, 0), found, strict=True):
        assert plain.to_list() == [f"a plain text, number {i}" for i in range(first, 2000)]
        assert escaped.to_list() == [f"two\nlines, number {i}" for i in range(first, 2000)]
