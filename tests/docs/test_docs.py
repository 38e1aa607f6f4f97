"""README and docs: what they tell the reader to type runs, and nothing public lacks its place in them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from snippets import PAGES, ROOT, is_deep, run_page
from with_torch import TORCH

FIRST = ("README.md", "docs/index.md", "docs/tutorial.md", "docs/hooks/index.md")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated HDFS log where `--dataset hdfs` looks for the real one."""
    folder = tmp_path_factory.mktemp("data")
    made = "import logbench; logbench.run('length', dataset='hdfs-sim', settings={'dataset': {'blocks': 6000}})"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        subprocess.run([sys.executable, "-c", made], check=True, cwd=folder)
    (generated,) = (folder / "cache" / "generated").iterdir()
    shutil.copytree(generated / "data", folder / "hdfs")
    return folder


def _case(page: Path) -> Any:
    """What a newcomer reads first runs at each commit; the others take minutes together: `tox -e slow`."""
    name = str(page.relative_to(ROOT))
    return pytest.param(page, id=name, marks=[] if name in FIRST else [pytest.mark.slow])


@pytest.mark.parametrize("page", [_case(page) for page in PAGES])
def test_what_a_page_tells_to_type_runs(
    page: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not TORCH and is_deep(page):
        pytest.skip("torch is not installed")
    monkeypatch.setenv("LOGBENCH_CACHE", str(data / "cache"))  # one for all pages, as a reader has one
    (tmp_path / "data").symlink_to(data)
    folder = tmp_path / "page"
    folder.mkdir()
    run_page(page, folder, data)
