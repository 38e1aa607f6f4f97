"""The docs in a real browser: search finds, the first screen has a result, versions and repository are linked."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from typing import Any

import docs_release
import pytest

pytestmark = pytest.mark.slow
REPOSITORY = "https://example.invalid/owner/logbench"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the docs with two versions."""
    if shutil.which("zensical") is None:
        pytest.skip("zensical is not installed: tox -e browser has it")
    folder = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_REPOSITORY", REPOSITORY)
        docs_release.main(folder)
    (version,) = [path.name for path in folder.iterdir() if path.is_dir()]
    (folder / "0.0.1").mkdir()
    (folder / "0.0.1" / "objects.inv").touch()
    docs_release.listed(folder)
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{version}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The first page; no request leaves the site, and the console stays empty."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page, strayed, said = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: strayed.append(request.url) if "127.0.0.1" not in request.url else None)
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(address)
    yield page
    context.close()
    assert not [url for url in strayed if not url.startswith("data:")] and not said


def test_a_word_is_found(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("contamination")
    hit = page.locator("a[href*='contamination']:visible").first
    hit.wait_for()
    hit.click()
    page.wait_for_url("**/contamination/**")


def test_the_first_screen_has_a_table_and_a_picture(page: Any) -> None:
    table, picture = page.locator(".home pre", has_text="precision").first, page.locator(".home img")
    for box in (table.bounding_box(), picture.bounding_box()):
        assert box["y"] >= 0 and box["y"] + box["height"] / 2 < 800
    assert page.evaluate("document.querySelector('.home img').naturalWidth") > 300
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_versions_and_repository_are_linked(page: Any, address: str) -> None:
    page.goto(f"{address}tutorial/")
    assert page.locator(f"a[href^='{REPOSITORY}/edit/main/docs/tutorial.md']").count()
    assert page.locator(".md-version").inner_text().startswith(address.rsplit("/", 2)[1])
    assert page.locator(".md-version a[href*='0.0.1']").count()


def test_the_icon_is_there(page: Any) -> None:
    icon = page.locator("link[rel=icon]").evaluate("one => one.href")
    assert page.request.get(icon).ok and icon.endswith("favicon.svg")
