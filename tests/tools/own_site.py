"""Build the project's own leaderboard: `own_site.py PUBLIC WORK`, see `tox -e site`.

Simulated data always; the sample of HDFS and DeepLog's archive where `LOGBENCH_DATA` has them. Cheap models, so
that it takes a minute or two.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODELS = "ecvc,pca,markov,edit,2-gram"
SIMULATED = ["--set", "dataset.blocks=2000", "--set", "protocol.train_units=500"]
PROTOCOLS = [
    [],
    ["--set", "protocol.short=drop"],
    ["--set", "protocol.duplicates=unique"],
]
# Data set → where it may stand below LOGBENCH_DATA.
REAL = {"hdfs": ("hdfs_v1_sample/HDFS_v1.zip", "hdfs"), "deeplog-archive": ("deeplog_archive", "deeplog-archive")}


def main(public: Path, work: Path) -> None:
    """Run every model under every protocol, check the records, write the site."""
    found = {name: next((at for at in map(_here, places) if at), None) for name, places in REAL.items()}
    data = {"hdfs-sim": SIMULATED, **{name: ["--data", str(at)] for name, at in found.items() if at}}
    for name, options in data.items():
        for protocol in PROTOCOLS:
            _run("leaderboard", "--models", MODELS, "--dataset", name, *options, *protocol, "--out", str(work))
    places = [f"--data={name}={at}" for name, at in found.items() if at]
    _run("check-records", str(work), *places)
    _run("site", str(work), "--out", str(public))


def _here(name: str) -> Path | None:
    root = os.environ.get("LOGBENCH_DATA")
    path = Path(root) / name if root else None
    return path if path and path.exists() else None


def _run(*words: str) -> None:
    print("logbench", *words, flush=True)
    subprocess.run([sys.executable, "-m", "logbench", *words], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
