"""The report page as HTML: nothing that leaves or runs, and what others say is text."""

from __future__ import annotations

import html.parser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reported_runs import MODELS

import logbench
from logbench_reporters.report.study import Study
from logbench_reporters.report.theme import for_page


def test_a_page_takes_every_colour_from_its_style() -> None:
    assert for_page({"a": ["#0f766e", 1]}) == {"a": ["var(--teal)", 1]}


class Seen(html.parser.HTMLParser):
    """Elements and attributes of a page as a browser reads it, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


@pytest.fixture(scope="module")
def page_of(study: Study) -> str:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    return page(study)


def test_the_page_asks_for_nothing_and_forbids_it(page_of: str) -> None:
    seen = Seen(page_of)
    (policy,) = (one["content"] or "" for one in seen.of("meta") if one.get("http-equiv"))
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy
    assert not re.search(r"script-src[^;]*unsafe", policy) and len(re.findall("sha256-", policy)) == 2
    for tag, attributes in seen.elements:
        assert tag not in {"iframe", "object", "embed", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "srcset", "poster", "action"}:
                assert value is not None and value.startswith(("#", "data:")), (tag, name, value)
    style = page_of[page_of.index("<style>") : page_of.index("</style>")]
    assert "url(" not in style and "@import" not in style


def test_the_page_is_small_and_names_what_it_shows(page_of: str, study: Study) -> None:
    assert len(page_of) < 1_200_000
    seen = Seen(page_of)
    for text in (
        *MODELS,
        study.records[0]["protocol"]["hash"],
        study.records[0]["dataset"]["digest"],
        "Simulated data",
    ):
        assert text in seen.text
    for one in study.records:
        assert one["run_id"] in seen.text


def test_a_page_of_many_models_is_small(study: Study) -> None:
    """Thirty, each with the scores of one of ours."""
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    many = [{**one, "model": f"{one['model']}-{copy}"} for copy in range(8) for one in study.firsts][:30]
    assert len(page(Study(many, "f1", study.runs))) < 1_200_000


def _scripts(page: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def test_static_pages_have_pictures_and_no_script(study: Study) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    text = page(study, static=True)
    seen = Seen(text)
    assert not list(seen.of("script")) and len(list(seen.of("svg"))) >= 5
    (policy,) = (one["content"] or "" for one in seen.of("meta") if one.get("http-equiv"))
    assert "script-src 'none'" in policy and "var(--teal)" in text


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31mred\u202edab {{7*7}} \u2028 ]]>"


def test_what_others_say_is_text(study: Study) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    first = study.records[0]
    spoiled = {
        **first,
        "model": HOSTILE,
        "command": HOSTILE,
        "notes": [HOSTILE],
        "dataset": {**first["dataset"], "name": HOSTILE},
        "config": {**first["config"], "model": {HOSTILE: HOSTILE}},
    }
    failed = {
        **spoiled,
        "run_id": "x",
        "seed": 9,
        "status": "error",
        "metrics": {},
        "trivial": {},
        "split": {},
        "error": {"message": HOSTILE, "stage": "fit"},
    }
    hostile = Study([spoiled, failed], "f1", study.runs)
    for static in (False, True):
        text = page(hostile, static)
        seen = Seen(text)
        assert len(list(seen.of("script"))) == (0 if static else 3)
        assert not list(seen.of("img")) and "alert(1)" in seen.text
        assert "\x1b" not in text and "\u202e" not in text and "7*7" in text and "49 " not in seen.text
        for data in re.findall(r'id="data">(.*?)</script>', text, re.DOTALL):
            assert HOSTILE.partition("\x1b")[0] in json.dumps(json.loads(data))


class Hostile(logbench.StoredRuns):
    """Runs whose log lines, templates and units are written by someone who wants to be run."""

    def examples(self, record: Any, which: Any, count: int) -> list[dict[str, Any]]:
        every = {
            "raw": HOSTILE,
            "template": HOSTILE,
            "unit": HOSTILE,
            "why": HOSTILE,
            "expected": [HOSTILE],
            "file": HOSTILE,
        }
        return [{**one, **every} for one in super().examples(record, which, count)]


def test_log_lines_are_text(study: Study, out: Path) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    text = page(Study(study.records, "f1", Hostile(out)))
    seen = Seen(text)
    assert len(list(seen.of("script"))) == 3 and not list(seen.of("img"))
    assert (
        seen.text.count("alert(2)") >= 4 and "\x1b" not in text and "\u202e" not in text and "49 " not in seen.text
    )
