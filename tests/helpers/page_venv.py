"""A virtual environment as a reader has it: logbench is installed there, and pip installs beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

SCRIPT = """#!{python}
import sys

from logbench.cli import main

sys.exit(main())
"""


def fresh(folder: Path) -> Path:
    """Make a virtual environment in `folder`; the folder of its programs.

    It borrows the packages of the running Python, so that nothing large is installed again; pip is its own.
    """
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    (site,) = [path for path in folder.rglob("site-packages") if path.is_dir()]
    (site / "borrowed.pth").write_text("".join(f"{path}\n" for path in _packages()), encoding="utf-8")
    script = programs / "logbench"
    script.write_text(SCRIPT.format(python=programs / "python"), encoding="utf-8")
    script.chmod(0o755)
    return programs


def _packages() -> list[str]:
    """Folders that the running Python imports from, but for those of the standard library."""
    code = "import sys; print(*sys.path, sep='\\n')"
    said = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True).stdout
    standard = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    found = [Path(path) for path in said.splitlines() if path]
    return [str(path) for path in found if path.is_dir() and path not in standard and path.name != "lib-dynload"]
