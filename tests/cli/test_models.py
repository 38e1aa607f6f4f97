"""`logbench models`: the card of a model in 80 columns and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from logbench.testing import Done

Run = Callable[..., Done]


def test_info_has_everything_on_the_card_in_80_columns(run_logbench: Run) -> None:
    text, said = run_logbench("models", "info", "deeplog"), run_logbench("models", "info", "deeplog", "--json")
    assert text.code == said.code == 0, text.err
    assert max(map(len, text.out.splitlines())) <= 80
    (facts,) = map(json.loads, said.out.splitlines())
    card, words = facts["card"], " ".join(text.out.split())
    assert facts["supervision"] == "semi-supervised" and card["parameters"][0] == {
        "count": 59164, "keys": 28, "width": 0, "settings": {},
    }  # fmt: skip
    for one in (card["source"], card["url"], card["licence"], *card["differs"], "59,164 with 28 keys"):
        assert one in words, one
    squeezed = words.replace(" ", "")
    assert all(test.partition("::")[2] in squeezed for tests in card["faithful"].values() for test in tests)


def test_a_model_without_a_card_says_so_and_all_are_listed(run_logbench: Run) -> None:
    assert "card         none" in run_logbench("models", "info", "new-event+length").out
    listed = [json.loads(line) for line in run_logbench("models", "list", "--json").out.splitlines()]
    names = [row["name"] for row in listed]
    assert names == sorted(names) and {"deeplog", "knn", "timing"} <= {*names}
    table = run_logbench("models", "list").out
    assert max(map(len, table.splitlines())) <= 80
    assert {row["name"] for row in listed if row["heavy"]} == set(re.findall(r"^(\S+) \*", table, re.M)) != set()
    (line,) = (line for line in table.splitlines() if line.startswith("knn "))
    assert "supervised" in line
    assert run_logbench("models", "info", "deeplogg").code == 2
