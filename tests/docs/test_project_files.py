"""Files about the project say what pyproject.toml says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_names_this_version_and_licence() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    found = dict(re.findall(r"^(version|license): (\S+)$", text, re.M))
    assert found == {"version": PROJECT["version"], "license": PROJECT["license"]}


def test_every_link_between_project_files_leads_to_one() -> None:
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")]
    links = [
        (page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    ]
    assert not [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()]


def test_every_page_of_docs_is_in_the_menu() -> None:
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert pages == set(re.findall(r"\S+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))


PARTS = ["## Context", "## Decision", "## What follows"]


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "decisions").glob("[!i]*.md")), ids=lambda page: page.stem
)
def test_a_decision_has_three_parts_and_names_files_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## .*$", text, re.M) == PARTS
    assert f"]({page.name})" in (page.parent / "index.md").read_text(encoding="utf-8")
    assert not [name for name in re.findall(r"`(\w+/\w+\.py)`", text) if not (ROOT / "logbench" / name).exists()]


def test_the_style_has_ten_pairs() -> None:
    text = (ROOT / "docs" / "style.md").read_text(encoding="utf-8")
    table = text.partition("## Ten pairs")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\| .* \|$", table, re.M)) == 1 + 10
