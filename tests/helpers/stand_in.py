"""What commands on data that must be fetched run on instead: a small simulated log where the real one would be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

MADE = "import logbench; logbench.run('length', dataset='hdfs-sim', settings={'dataset': {'blocks': 6000}})"


def stand_in(folder: Path) -> Path:
    """Fill `folder`, for `LOGBENCH_DATA`: `hdfs` in the layout of the real log, and a cache of generated data."""
    folder.mkdir(parents=True, exist_ok=True)
    cache = folder / "cache"
    env = {**os.environ, "LOGBENCH_CACHE": str(cache)}
    subprocess.run([sys.executable, "-c", MADE], check=True, cwd=folder, env=env)
    (generated,) = (cache / "generated").iterdir()
    shutil.copytree(generated / "data", folder / "hdfs")
    return folder
