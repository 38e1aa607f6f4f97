"""Files about the project say what pyproject.toml says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]


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


def tasks() -> list[list[str]]:
    """Rows of the table of CONTRIBUTING: task, where to change first, where then."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where would I change …")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def test_contributing_says_where_ten_tasks_or_more_are_done() -> None:
    assert len(tasks()) >= 10


@pytest.mark.parametrize("row", tasks(), ids=lambda row: row[0].replace(" ", "-"))
def test_what_contributing_names_exists(row: list[str]) -> None:
    task, *cells = row
    paths = [word for cell in cells for word in re.findall(r"`([\w./-]+/[\w./-]*)`", cell)]
    assert paths, f"no file is named for {task}"
    assert not [path for path in paths if not (ROOT / path).exists()]
    for name, path in re.findall(r"`(\w+)` in `([\w./-]+)`", " ".join(cells)):
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text(encoding="utf-8")), f"{path} has no {name}"


def test_fragments_of_the_changelog_have_a_type_that_is_known() -> None:
    types = {one["directory"] for one in PYPROJECT["tool"]["towncrier"]["type"]}
    fragments = [path for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]
    wrong = [
        path.name for path in fragments if not re.fullmatch(rf"[^.]+\.({'|'.join(types)})(\.\d+)?\.md", path.name)
    ]
    assert not wrong, f"changelog.d/README.md says how fragments are named: {wrong}"
    described = re.findall(r"^\| `(\w+)` ", (ROOT / "changelog.d" / "README.md").read_text(encoding="utf-8"), re.M)
    assert set(described) == types


def test_the_lowest_releases_that_are_tested_are_those_that_are_allowed() -> None:
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    allowed = dict(one.partition(";")[0].split(">=") for one in PROJECT["dependencies"])
    assert pinned.keys() == allowed.keys()
    wrong = [name for name in allowed if not f"{pinned[name]}.".startswith(f"{allowed[name]}.")]
    assert not wrong, f"constraints-lowest.txt is not what pyproject.toml allows: {wrong}"
