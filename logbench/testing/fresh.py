"""Run a component in a fresh process, which shares no state with this one and hashes texts differently.

`python -m logbench.testing.fresh FOLDER` is that process. It reads `request.json` in the folder, calls the named
task with the component, and writes `answer.npz`.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..components.registry import Registry
from .common_rules import is_installed
from .outcome import InapplicableError, ViolationError
from .rule import Subject
from .rules import subject

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS = 300


def in_fresh_process(one: Subject, task: str, given: Mapping[str, Any] | None = None) -> dict[str, NDArray[Any]]:
    """Call `task` in a fresh process with another PYTHONHASHSEED.

    Args:
        task: `module:function` of this package, called with a `Subject` and `given`; it returns arrays by name.
        given: JSON values.

    Raises:
        InapplicableError: another process cannot find the component.
        ViolationError: the process failed.
    """
    if not is_installed(one):
        raise InapplicableError("its plugin is not installed, so no other process finds it")
    folder = one.fresh("fresh")
    request = {"kind": one.kind, "name": one.part.entry.address, "settings": one.part.as_dict(), "task": task}
    (folder / "request.json").write_text(json.dumps({**request, "given": given or {}}), encoding="utf-8")
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-m", "logbench.testing.fresh", str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    answer = folder / "answer.npz"
    if done.returncode or not answer.exists():
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}, no answer"]
        raise ViolationError("the same in a process of its own", said[-1])
    with np.load(answer, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def main(folder: Path) -> None:
    """Do the task of `request.json`."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    module, function = request["task"].split(":")
    task = getattr(importlib.import_module(f".{module}", __package__), function)
    with subject(request["kind"], request["name"], Registry(), request["settings"]) as one:
        np.savez(folder / "answer.npz", **task(one, request["given"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
