"""Every line of README is typed in a fresh clone, after the installation that it tells; no tox, no download."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from snippets import ROOT, blocks, run_page

pytestmark = pytest.mark.slow


def test_readme_runs_as_it_stands_in_a_fresh_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    clone = tmp_path / "logbench"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), str(clone)], check=True)
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "cache"))
    page = clone / "README.md"
    (install,) = [block.text for block in blocks(page) if (block.mark, block.value) == ("command", "main")]
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run(["bash", "-ec", install], cwd=clone, env=env, check=True)
    assert run_page(page, clone, tmp_path / "no-data", [clone / ".venv" / "bin"])
