"""Ids of sessions are found where applications write them: in nested objects, heads of lines, and documents."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from logbench_ownlogs.guess import guess
from logbench_parsers import DrainConfig
from logbench_parsers.drain import DrainParser

TEXTS = ("accepted order", "charged card", "stored order", "done")


def lines_of(render: Callable[[str, str, str], str]) -> list[str]:
    """40 sessions of four lines that overlap in pairs."""
    rng = random.Random(3)
    ids = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(40)]
    order = [(pair + k, text) for pair in range(0, 40, 2) for text in TEXTS for k in (0, 1)]
    clock = [f"2026-03-01T08:{second // 60:02}:{second % 60:02}" for second in range(len(order))]
    return [render(time, ids[at], text) for time, (at, text) in zip(clock, order, strict=True)]


def nested(time: str, one: str, text: str) -> str:
    inside = json.dumps({"msg": text, "level": "info", "ctx": {"trace_id": one}})
    return json.dumps({"log": inside + "\n", "stream": "stdout", "time": f"{time}.5Z"})


def headed(time: str, one: str, text: str) -> str:
    return f"{time}.000000001Z stdout F {time.replace('T', ' ')}.500  INFO [{one}] --- [main] org.Shop : {text}"


def lambda_line(time: str, one: str, text: str) -> str:
    return (
        f"{time}.500Z\t{one}\tINFO\t{text}"
        if text not in ("done", "accepted order")
        else f"START RequestId: {one}"
    )


@pytest.mark.parametrize(("render", "field"), [(nested, "ctx.trace_id"), (headed, "Thread")])
def test_an_id_is_found_within_the_line_of_an_application(
    render: Callable[[str, str, str], str], field: str, tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_text("\n".join(lines_of(render)) + "\n")
    found = guess([tmp_path / "a.log"])
    assert found.keys["id"] == field or found.keys["id"] == f"log.{field}"
    assert "40 in the first lines, 100%" in " ".join(found.said)


def test_a_document_of_many_lines_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    rows = [
        {"timestamp": 1772352004667 + at, "message": text + "\n"} for at, text in enumerate(lines_of(lambda_line))
    ]
    (tmp_path / "a.log").write_text(json.dumps({"events": rows}, indent=4))
    found = guess([tmp_path / "a.log"])
    assert (found.keys["format"], found.keys["id"]) == ("cloudwatch", "RequestId")


def test_a_uuid_is_masked_whole_also_where_its_first_group_has_no_digit() -> None:
    parser = DrainParser(DrainConfig())
    texts = pl.Series(
        [f"took {first}-30c4-4b69-aabb-2b095962e8d9 from queue" for first in ("efdbecab", "4d7b478e")]
    )
    for pattern, value in parser.masks:
        texts = texts.str.replace_all(pattern, value)
    assert texts.to_list() == ["took <*> from queue"] * 2
