"""README and docs: what they tell the reader to type runs, and nothing public lacks its place in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docs_outputs import AGAIN, updated
from snippets import PAGES, ROOT, is_deep, run_page
from stand_in import stand_in
from with_torch import TORCH

FIRST = ("README.md", "docs/index.md", "docs/tutorial.md", "docs/hooks/index.md")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stand_in(tmp_path_factory.mktemp("data"))


def _case(page: Path) -> Any:
    """What a newcomer reads first runs at each commit; the others take minutes together: `tox -e slow`."""
    name = str(page.relative_to(ROOT))
    return pytest.param(page, id=name, marks=[] if name in FIRST else [pytest.mark.slow])


@pytest.mark.parametrize("page", [_case(page) for page in PAGES])
def test_what_a_page_tells_to_type_runs_and_prints_what_it_shows(
    page: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not TORCH and is_deep(page):
        pytest.skip("torch is not installed")
    monkeypatch.setenv("LOGBENCH_CACHE", str(data / "cache"))  # one for all pages, as a reader has one
    folder = tmp_path / "page"
    folder.mkdir()
    text = page.read_text(encoding="utf-8")
    ran = run_page(page, folder, data)
    name = str(page.relative_to(ROOT))
    assert updated(text, ran, folder) == text, f"{AGAIN} {name}"
