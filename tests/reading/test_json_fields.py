"""JSON lines decoded together are what each of them gives when its fields are looked up one by one."""

from __future__ import annotations

import random

import polars as pl
import pytest
from built_kernel import built_kernel

from logbench.base import kernel
from logbench.reading.json_fields import JsonFields, by_path


@pytest.fixture(params=["kernel", "polars"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What finds the fields."""
    monkeypatch.setenv(kernel.VARIABLE, str(built_kernel()) if request.param == "kernel" else "off")
    return str(request.param)


VALUES = [
    "1",
    "1.0",
    "-0",
    "-0.0",
    "0",
    "1e5",
    "1E5",
    "1e300",
    "12345678901234567890",
    "18446744073709551616",
    "0.1",
    "1e-7",
    "true",
    "null",
    '"x"',
    r'"a\u0041\n"',
    '{"b":1, "c" : 2.0}',
    "[1, 2.50]",
    "[104,105]",
    "[]",
    "{}",
    r'"\ud83d\ude00"',
    r'"\ud800"',
    '"é"',
    "5e-324",
    "9007199254740993",
    '{"b":{"c":1}}',
    "0.00001",
    "0.000001",
    '"1.0"',
    r'"{\"b\":1}"',
    '"[1]"',
    '{"b.c":5}',
    r'"\u001b[0m"',
    r'"say \"a\": 1"',
    '"},{"',
    '[{"b":1},{"b":2}]',
    "1700000000.25",
    "0.1234567890123456789",
    "4503599627370496.5",
    "4503599627370.495",
    "1772352000.123456",
    "1772352000.0080001",
    "999999999999999999",
    "1000000000000000000",
    "0.0001",
    "5.10",
    "-0.5",
    "1e-400",
    "9" * 201,
    r'"\u00e9\u4e2d\u0000\/"',
    r'"\u12"',
    r'"\ud83d\u0041"',
    '"[main] up"',
    r'"\u005bmain]"',
    '" {"',
    '"' + "long " * 9 + r'\t"',
    "nul",
    "1.",
    '"\x1f"',
]
KEYS = ["a", "b", "msg", "a.b", "a.b.c", "c", r"\u0061", "ts", "b.c"]
ODD = [
    "",
    "x",
    "[1]",
    '"s"',
    r'"{\"a\":1}"',
    "3",
    "null",
    '{"a":1} x',
    '  {"a":1}',
    '{"a":1}\r',
    '{"a":1,"a":2}',
    '{"a":NaN}',
    '{"a":01}',
    '{"a":"\x01"}',
    '{"a":1,}',
    '{"a":1},{"b":2}',
    '{"x":{"a":1}',
    '{"a":"}',
    '{",":1,"q":1}',
    "{",
    "}",
    '{"a":1',
    '"b":2}',
    "\ufeff{}",
    '{"a":' * 130 + "1" + "}" * 130,
    '{"a":' + "[" * 127 + "]" * 127 + "}",
    '{"a":1e400}',
    '{"a":1},null',
    "{}",
    '\0{"a":1}',
    '{"a" :\t1}',
    '{"a":tru}',
]
NAMES = [
    ["a"],
    ["msg"],
    ["a.b"],
    ["msg|b", "ts"],
    ["a.b.c", "msg"],
    ["a|msg", "b"],
    ["a.b|msg", "c"],
    ["a", "a.b"],
    ["x|a.b.c|a.b"],
    ["é", "a'b", "c"],
    [],
]


def line(rng: random.Random, odd: float, strange: float) -> str:
    if rng.random() < odd:
        return rng.choice(ODD)
    pairs = (
        f'"{rng.choice(KEYS)}": {rng.choice(VALUES) if rng.random() < strange else rng.randint(0, 99)}'
        for _ in range(rng.randrange(5))
    )
    text = "{" + ", ".join(pairs) + "}"
    if rng.random() < odd:
        at = rng.randrange(len(text))
        text = (
            text[:at]
            + rng.choice(['"', "{", "}", ",", "\\", "", " ", ":", "e", "."])
            + text[at + rng.randrange(2) :]
        )
    return text


@pytest.mark.parametrize("seed", range(4))
def test_decoded_lines_have_the_fields_that_paths_find(seed: int, way: str) -> None:
    rng = random.Random(seed)
    for names in NAMES:
        for odd, strange in ((0, 0), (0, 0.02), (0.01, 0.2), (0.2, 1)):
            lines = pl.Series(
                "raw", [line(rng, odd, strange) for _ in range(rng.choice([0, 1, 150]))], dtype=pl.String
            )
            found, objects = JsonFields(names)(lines)
            expected, are = by_path(lines, names)
            assert found.equals(expected)
            assert objects.equals(are)


def test_a_frame_is_decoded_though_some_lines_are_odd(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    looked_up: list[int] = []

    def counting(lines: pl.Series, names: list[str]) -> tuple[pl.DataFrame, pl.Series]:
        looked_up.append(len(lines))
        return by_path(lines, names)

    monkeypatch.setattr("logbench.reading.json_fields.by_path", counting)
    lines = pl.Series([f'{{"msg": "up {i}", "t": {i}.25, "x": [{i}, {{"y": "\\n"}}]}}' for i in range(9000)])
    lines[100], lines[8000], lines[8001] = "not at all", '{"msg": {"deep": 1}}', '{"msg": 1, "msg": "up"}'
    found, objects = JsonFields(["msg", "t"])(lines)
    assert found["msg"][8999] == "up 8999"
    assert objects.sum() == 8999
    assert sum(looked_up) < 100
