"""Every example runs as its README or its cells say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from snippets import ROOT, run_page

EXAMPLES = ROOT / "examples"
FOLDERS = sorted(page.parent for page in EXAMPLES.glob("*/README.md"))
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
CELLS = """
import json, sys
scope = {"__name__": "__main__"}
for number, text in enumerate(json.load(sys.stdin)):
    exec(compile(text, f"cell {number}", "exec"), scope)
"""
KERNEL = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
nbformat.validate(notebook)
NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
"""


def python(code: str, *words: str, folder: Path, given: str = "") -> None:
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        input=given, cwd=folder, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def sources(notebook: Path) -> list[str]:
    """Text of each code cell."""
    cells: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_every_example_is_named_in_the_readme() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"]({folder.name}/README.md)" in text for folder in FOLDERS)
    assert all(f"]({notebook.name})" in text for notebook in NOTEBOOKS)
    entries = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    assert entries == {folder.name for folder in FOLDERS}, "an example without a README is not run"


@pytest.mark.parametrize("example", FOLDERS, ids=lambda folder: folder.name)
def test_an_example_runs_as_its_readme_says(example: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(example, folder)
    ran = run_page(folder / "README.md", folder, tmp_path / "no-data")
    assert any(one.command.startswith("logbench run") for one in ran)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_the_cells_of_a_notebook_run_in_order(notebook: Path, tmp_path: Path) -> None:
    python(CELLS, folder=tmp_path, given=json.dumps(sources(notebook)))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_stored_without_outputs(notebook: Path) -> None:
    made = json.loads(notebook.read_text(encoding="utf-8"))
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    code = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    assert code and all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_in_a_kernel(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nbclient", reason="tox -e notebooks installs it")
    pytest.importorskip("ipykernel")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    python(KERNEL, str(notebook), folder=tmp_path)
