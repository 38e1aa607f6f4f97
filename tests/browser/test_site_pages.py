"""The leaderboard in a real browser: filter, order, links that keep both, and that nothing is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import logbench

pytest.importorskip("playwright.sync_api")
pytest.importorskip("vl_convert")
pytestmark = pytest.mark.slow
MODELS = ["length", "pca", "new-event"]
# Those of alarms, too, for their figures.
ASKED = ("classification", "costs", "budget", "first-alarm", "types", "calibration")
SIZES = {"wide": (1280, "light"), "narrow": (400, "light"), "dark": (1280, "dark")}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from logbench_reporters.site.board import board
    from logbench_reporters.site.write import write

    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        for protocol in ({}, {"short": "drop"}):
            settings = {"dataset": {"blocks": 500}, "protocol": {"train_units": 150, **protocol}}
            logbench.run(MODELS, dataset="hdfs-sim", settings=settings, out=folder / "runs", evaluators=ASKED)
    write(board([folder / "runs"]), folder / "public", "a board")
    return folder / "public"


@pytest.fixture(params=SIZES)
def page(browser: Any, public: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    width, scheme = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened, heard, asked = context.new_page(), list[str](), list[str]()
    opened.on("console", lambda message: heard.append(message.text))
    opened.on("pageerror", lambda error: heard.append(str(error)))
    opened.on("request", lambda one: asked.append(one.url))
    yield opened
    assert heard == [] and all(url.startswith((public.as_uri(), "data:")) for url in asked)
    context.close()


def at(public: Path, name: str) -> str:
    return next(public.glob(name)).as_uri()


def shown(page: Any) -> list[str]:
    """Models of the rows that can be seen, in their order."""
    names: list[str] = page.eval_on_selector_all(
        "tr[data-model]", "rows => rows.filter(row => row.offsetParent !== null).map(row => row.dataset.model)"
    )
    return names


def test_ranks_under_two_protocols_are_seen_whole(page: Any, public: Path) -> None:
    page.goto(at(public, "data/*.html"))
    widths = "one => [one.scrollWidth - one.clientWidth, one.querySelector('svg').getBoundingClientRect().width]"
    beyond, width = page.locator(".wide:has(.ranks)").first.evaluate(widths)
    assert beyond == 0 and 300 < width <= 410


def test_a_filter_leaves_what_it_says_and_the_address_keeps_it(page: Any, public: Path) -> None:
    page.goto(at(public, "data/*.html"))
    every = shown(page)
    assert sorted(every) == sorted(MODELS * 2)
    page.get_by_label("model", exact=True).fill("PC")
    assert shown(page) == ["pca", "pca"] and "2 rows" in page.locator("output").text_content()
    protocol = page.locator("select[name=protocol]")
    protocol.select_option(index=1)
    assert shown(page) == ["pca"]
    other = page.context.new_page()
    other.goto(page.url)
    assert shown(other) == ["pca"] and other.get_by_label("model", exact=True).input_value() == "PC"
    assert other.locator("select[name=protocol]").input_value() == protocol.input_value()
    page.get_by_role("button", name="Show all").click()
    page.get_by_text("6 rows").wait_for()  # not wait_for_function, whose evaluation the pages forbid
    assert sorted(shown(page)) == sorted(every)


def test_headings_sort_by_keyboard_and_a_link_keeps_the_order(page: Any, public: Path) -> None:
    page.goto(at(public, "data/*.html"))
    table = page.locator("table.results").first
    heading = table.locator("thead th", has_text="recall")
    heading.locator("button").press("Enter")
    values = "rows => rows.map(row => row.cells[%d].dataset.value).filter(text => text !== '').map(Number)"
    column = heading.evaluate("head => head.cellIndex")
    falling = table.locator("tbody tr").evaluate_all(values % column)
    assert falling == sorted(falling, reverse=True) and heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").press("Enter")
    rising = table.locator("tbody tr").evaluate_all(values % column)
    assert rising == sorted(rising) and len(rising) == len(falling)
    other = page.context.new_page()
    other.goto(page.url)
    again = other.locator("table.results").first
    assert again.locator("tbody tr").evaluate_all(values % column) == rising
    assert again.locator("thead th").nth(column).get_attribute("aria-sort") == "ascending"


def test_a_figure_of_the_index_leads_to_its_row_and_its_record(page: Any, public: Path) -> None:
    page.goto((public / "index.html").as_uri())
    page.locator("table.matrix td a").first.click()
    row = page.locator("tr.target")
    assert row.count() == 1 and row.is_visible() and row.bounding_box()["y"] < 900
    row.get_by_role("button", name="Command, record and scores").press("Enter")
    details = row.locator(".details")
    assert details.is_visible() and details.get_by_role("link", name="record").first.is_visible()
    page.keyboard.press("Escape")
    assert not details.is_visible()


def test_no_page_is_wider_than_the_screen(page: Any, public: Path) -> None:
    for path in sorted(public.rglob("*.html")):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path.name


def test_pages_pass_axe(page: Any, public: Path) -> None:
    axe = pytest.importorskip("axe_core_python.sync_playwright").Axe()
    for name in ("index.html", "data/*.html", "model/pca.html", "protocol/*.html"):
        page.goto(at(public, name))
        found = axe.run(page)["violations"]
        assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == []


def test_tables_are_whole_without_a_script(browser: Any, public: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(at(public, "data/*.html"))
    assert opened.locator("tr[data-model]:visible").count() == 2 * len(MODELS)
    assert not opened.locator(".filters").is_visible()
    context.close()
