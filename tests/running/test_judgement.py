"""Keys of fields, and what is said of keys that can show little."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import logbench
from logbench import prepare_sessions
from logbench.base.progress import silent
from logbench.base.progress_bars import Bars
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.running.bundle import Bundle
from logbench.running.judgement import telling_values
from logbench.studies.dataset_facts import describe

TIMED = """files = ["a.log"]
pattern = '<Time> <Level> <Status> <Content>'
time = "Time"
time_format = "epoch"
windower = "count"
window = "10"
"""


def write(folder: Path, messages: list[str], more: str = "", level: str = "INFO") -> Path:
    lines = [f"{1_700_000_000 + i} {level} {200 + 302 * (i % 50 == 7)} {text}" for i, text in enumerate(messages)]
    (folder / "a.log").write_text("\n".join(lines) + "\n")
    (folder / "my.toml").write_text(TIMED + more)
    return folder / "my.toml"


def said(path: Path) -> list[str]:
    with Bars() as bars:
        found: list[str] = describe(str(path), Registry(), bars, cache=False)["judgement"]
    return found


WORDS = ["start", "read block", "write block", "sync", "close", "open file"]
MIXED = [f"{WORDS[i % 6]} {i}" for i in range(1000)]


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ('key = ["Status", "message"]', lambda status, text: f"{status} {text.rstrip('0123456789')}<*>"),
        ('key = ["Status"]', lambda status, text: f"{status}"),
        ('message = "{Level}/{Status}"', lambda status, text: f"INFO/{status}"),
        ('message = "{Level} {Content}"', lambda status, text: f"INFO … {text.rstrip('0123456789')}<*>"),
    ],
)
def test_a_key_of_fields_is_their_values_as_they_stand(more: str, kept: object, tmp_path: Path) -> None:
    path = write(tmp_path, MIXED, more)
    train = prepare_sessions("new-event", str(path), cache=False, settings={"protocol": {"held_out": 0}}).train
    expected = Counter(kept(200 + 302 * (i % 50 == 7), text) for i, text in enumerate(MIXED[:800]))  # type: ignore[operator]
    names = [train.templates[key] for key in train.keys.tolist()]
    assert Counter(names) == expected


def test_a_bundle_keeps_the_keys_of_fields(tmp_path: Path) -> None:
    path = write(tmp_path, MIXED, 'key = ["Status", "message"]')
    logbench.run("new-event", dataset=str(path), save=tmp_path / "bundle", out=tmp_path / "runs", cache=False)
    bundle = Bundle(tmp_path / "bundle", Registry())
    lines = (tmp_path / "a.log").read_text().splitlines()[:20]
    lines[15] = lines[15].replace(" 200 ", " 404 ")
    (tmp_path / "new.log").write_text("\n".join(lines) + "\n")
    frame = score_bundle(bundle, tmp_path / "new.log", "cpu", silent)
    assert frame.sort("line")["verdict"].to_list() == [False, True]
    assert frame.filter("verdict")["template"].to_list() == ["404 sync <*>"]


def of_keys(path: Path) -> list[str]:
    """What is said of keys, not of windows, which are too few here."""
    return [text for text in said(path) if "windows train" not in text]


def test_what_keys_cannot_show_is_said_with_the_option_that_helps(tmp_path: Path) -> None:
    assert of_keys(write(tmp_path, MIXED * 3)) == []
    (few,) = of_keys(write(tmp_path, ["tick 1", "tock 2"] * 200))
    assert few.startswith("only 2 keys in 400 events")
    assert "key = " in few
    (one,) = of_keys(write(tmp_path, [*(["tick 1"] * 900), *(WORDS[:5] * 4)]))
    assert one.startswith("one key is 98% of the events")
    rng = random.Random(2)
    unlike = [
        "".join(rng.choices("abcdefghij", k=12)) + " " + "".join(rng.choices("klmnop", k=9)) for _ in range(3000)
    ]
    (own,) = of_keys(write(tmp_path, unlike))
    assert "nearly every line makes a template of its own" in own
    assert "drain.masks" in own
    web = [f'"GET /{word} HTTP" {status} {i}' for i, (word, status) in enumerate([("a", 200), ("b", 404)] * 200)]
    assert any("number that is 200 or 404" in text for text in of_keys(write(tmp_path, web)))


def test_too_few_windows_are_told_with_a_size_that_makes_enough(tmp_path: Path) -> None:
    path = write(tmp_path, MIXED * 3)
    assert said(path) == []
    path.write_text(path.read_text().replace('window = "10"', 'window = "100"'))
    (few,) = said(path)
    assert few.startswith("25 windows train, fewer than 200")
    size = int(few.partition('window = "')[2].partition('"')[0])
    assert 0.8 * 3000 / size >= 200
    path.write_text(path.read_text().replace('window = "100"', 'window = "10m"').replace('"count"', '"time"'))
    (few,) = said(path)
    assert 'window = "10s"' in few
    path.write_text(path.read_text().replace('window = "10m"', 'window = "10s"'))
    assert said(path) == [], "the size that was proposed is enough"


def test_a_log_that_is_too_short_for_any_window_is_told_so(tmp_path: Path) -> None:
    path = write(tmp_path, MIXED[:600])
    path.write_text(path.read_text().replace('window = "10"', 'window = "50"'))
    (few,) = said(path)
    assert few.startswith("10 windows train, fewer than 200, and no size makes enough: 600 lines make no ")
    path.write_text(path.read_text().replace('window = "50"', 'window = "1h"').replace('"count"', '"time"'))
    dense = "".join(f"{at // 10} INFO 200 {text}\n" for at, text in enumerate(MIXED[:600]))
    (path.parent / "a.log").write_text(dense)
    few = next(text for text in said(path) if "train" in text)
    assert "even windows of 1s make only 60 units; give a longer log" in few


def test_a_number_tells_where_it_has_few_values_and_stands_in_nearly_all_texts() -> None:
    assert telling_values(pl.Series([f"status: {200 + i % 3} len: {i}" for i in range(100)])) == [
        "200",
        "201",
        "202",
    ]
    assert telling_values(pl.Series([f"took {100 + i} ms" for i in range(100)])) == []
    assert telling_values(pl.Series(["status 200", *["none"] * 20])) == []


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("<Time> <Level> <Status> <Content>", 'such as key = ["Level", "message"]'),
        ("<Time> <Level> <Status>", "no field but the message is left"),
    ],
)
def test_advice_names_a_field_that_the_log_has(pattern: str, advice: str, tmp_path: Path) -> None:
    path = write(tmp_path, ["tick"] * 400)
    text = path.read_text().replace("<Time> <Level> <Status> <Content>", pattern)
    more = 'level = "Level"\n' if "Content" in pattern else 'message = "Status"\nkey = ["Level", "message"]\n'
    path.write_text(text + more)
    assert advice in " ".join(of_keys(path))
