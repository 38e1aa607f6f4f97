"""The report in a real browser: what moves, what is read aloud, and that nothing is asked for: tox -e browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import logbench

pytest.importorskip("playwright.sync_api")
pytest.importorskip("vl_convert")
pytestmark = pytest.mark.slow
SMALL = {"dataset": {"blocks": 900}, "protocol": {"train_units": 250}}
SIZES = {"wide": (1280, "light"), "narrow": (400, "light"), "dark": (1280, "dark")}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from logbench_reporters.report.page import page
    from logbench_reporters.report.study import studies

    out = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(out / "cache"))
        for data in ({}, {"data_seed": 2}):
            settings = {**SMALL, "dataset": {**SMALL["dataset"], **data}}
            logbench.run(["ecvc", "pca", "isolation-forest"], dataset="hdfs-sim", settings=settings, out=out)
    runs = logbench.StoredRuns(out)
    path = out / "report.html"
    path.write_text(page(studies(runs.records(), runs)[-1]), encoding="utf-8")
    return path


@dataclass
class Heard:
    """What a page says and asks for while it is open."""

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(params=SIZES)
def page(browser: Any, file: Path, heard: Heard, request: pytest.FixtureRequest) -> Iterator[Any]:
    width, scheme = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = context.new_page()
    opened.on("console", lambda message: heard.console.append(f"{message.type}: {message.text}"))
    opened.on("pageerror", lambda error: heard.console.append(str(error)))
    opened.on("request", lambda asked: heard.requests.append(asked.url))
    opened.goto(file.as_uri())
    opened.locator(".plot svg").nth(6).wait_for(state="attached")
    opened.wait_for_timeout(300)
    yield opened
    assert heard.console == []
    assert [url for url in heard.requests if not url.startswith(("data:", file.as_uri()))] == []
    context.close()


def rows(page: Any) -> list[list[str]]:
    found: list[list[str]] = page.eval_on_selector_all(
        ".sortable tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )
    return found


def line_at(page: Any) -> float:
    """Where the line of the threshold stands in the histogram."""
    marks = page.locator("#figure-threshold svg .mark-rule.role-mark line")
    boxes = [box for at in range(marks.count()) if (box := marks.nth(at).bounding_box()) and box["height"] > 100]
    return float(boxes[0]["x"])


def test_the_slider_moves_line_confusion_and_false_alarms(page: Any) -> None:
    slider, verdict = page.locator("#level"), page.locator("#verdict")
    page.select_option("#model", index=1)
    seen = []
    for level in (0, int(slider.get_attribute("max"))):
        slider.evaluate("(one, level) => { one.value = level; one.dispatchEvent(new Event('input')); }", level)
        page.wait_for_timeout(200)
        cells = [int(text.replace(",", "")) for text in verdict.locator("td.n").all_inner_texts() if text != ""]
        cells = [int(text) for text in re.findall(r"[\d]+", " ".join(map(str, cells)))][-4:]
        seen.append((line_at(page), cells, verdict.inner_text()))
    (left, low, said), (right, high, other) = seen
    assert right > left + 50
    tp, fn, fp, tn = low
    assert (tp + fn, fp + tn) == (high[0] + high[1], high[2] + high[3])
    assert tp >= high[0] and fp > high[2]
    f1 = 2 * tp / (2 * tp + fp + fn)
    assert f"F1 {f1:.3f}".replace("0.", ".", 1) in said and "false alarms a day" in said and said != other


def test_levels_stand_in_their_order_whatever_the_model(page: Any) -> None:
    slider = page.locator("#level")
    for model in (1, 0):
        page.select_option("#model", index=model)
        places = []
        for level in range(int(slider.get_attribute("max")) + 1):
            slider.evaluate("(one, level) => { one.value = level; one.dispatchEvent(new Event('input')); }", level)
            page.wait_for_timeout(60)
            places.append(line_at(page))
        assert places == sorted(set(places))


def test_the_keyboard_moves_the_slider_and_buttons_jump_to_marks(page: Any) -> None:
    slider = page.locator("#level")
    before = slider.input_value()
    slider.focus()
    page.keyboard.press("ArrowRight" if before == "0" else "ArrowLeft")
    assert slider.input_value() != before
    assert slider.get_attribute("aria-valuetext") == page.locator("#level-text").inner_text()
    page.locator("#marks button").first.click()
    assert slider.input_value() == before


def test_headings_sort_both_ways_and_by_keyboard(page: Any) -> None:
    heading = page.locator(".sortable thead th", has_text="precision")
    column = int(heading.evaluate("cell => cell.cellIndex"))
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    falling = [row[column] for row in rows(page)]
    assert heading.get_attribute("aria-sort") == "descending"
    assert falling == sorted(falling, key=lambda text: -float(text))
    heading.locator("button").click()
    assert [row[column] for row in rows(page)] == sorted(falling, key=float)
    assert page.locator(".sortable [aria-sort=none]").count() == page.locator(".sortable thead th").count() - 1


def test_the_legend_singles_out_a_model(page: Any) -> None:
    svg = "#figure-precision-recall svg"
    lines = page.locator(f"{svg} .mark-line.role-mark path")
    assert lines.count() == 3
    page.locator(f"{svg} .role-legend-label text", has_text="pca").click(force=True)
    page.wait_for_timeout(300)
    faint = [float(lines.nth(at).get_attribute("opacity") or 1) for at in range(3)]
    assert sorted(faint)[1] < 0.5 and max(faint) == 1


def test_folds_open_and_hold_what_they_promise(page: Any) -> None:
    page.locator("details.fold summary").first.click()
    page.locator("#figure-roc svg").wait_for()
    numbers = page.locator("#figure-ranking details.numbers")
    numbers.locator("summary").click()
    assert numbers.locator("tbody tr").count() == len(rows(page))
    page.locator(".chips button", has_text="short").first.click()
    assert page.locator("[popover]:popover-open").inner_text().startswith("protocol.short")


def test_the_page_is_as_wide_as_the_window(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    overflow = page.eval_on_selector_all(
        ".plot svg", "all => all.filter(one => one.getBoundingClientRect().right > window.innerWidth).length"
    )
    assert overflow == 0


def test_axe_finds_nothing(page: Any) -> None:
    axe = pytest.importorskip("axe_core_python.sync_playwright")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.wait_for_timeout(800)
    found = axe.Axe().run(page)["violations"]
    assert not [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]


def test_axe_finds_nothing_on_a_page_without_script(browser: Any, file: Path) -> None:
    from logbench_reporters.report.page import page
    from logbench_reporters.report.study import studies

    axe = pytest.importorskip("axe_core_python.sync_playwright")
    runs = logbench.StoredRuns(file.parent)
    still = file.with_name("still.html")
    still.write_text(page(studies(runs.records(), runs)[-1], static=True), encoding="utf-8")
    opened = browser.new_page()
    opened.goto(still.as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    found = axe.Axe().run(opened)["violations"]
    assert not [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
    opened.close()


def test_a_stretch_of_time_is_seen_closely_and_left_again(page: Any) -> None:
    bars = "#figure-timeline svg .mark-rect.role-mark path"
    section = page.locator("#figure-timeline svg")
    section.scroll_into_view_if_needed()
    widths = "all => Math.max(...all.map(one => one.getBoundingClientRect().width))"
    alarms = f"#figure-timeline svg .concat_0_group {bars.split('svg ')[1]}"
    box, before = section.bounding_box(), page.eval_on_selector_all(alarms, widths)
    y = box["y"] + box["height"] - 60
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, y, steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert page.eval_on_selector_all(alarms, widths) > 2 * before
    page.mouse.click(box["x"] + box["width"] * 0.9, y)
    page.wait_for_timeout(300)
    assert page.eval_on_selector_all(alarms, widths) == pytest.approx(before, abs=0.5)


def test_it_prints_on_a4(browser: Any, file: Path, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(file.as_uri())
    page.locator(".plot svg").nth(6).wait_for(state="attached")
    page.emulate_media(media="print")
    assert not page.locator(".controls").is_visible() and page.locator("#verdict").is_visible()
    printed = page.pdf(prefer_css_page_size=True)
    assert b"/MediaBox [0 0 594" in printed or b"/MediaBox [0 0 595" in printed
    page.close()
