"""Run the command `logbench` as a user does, in another process and its own folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """Result of a command.

    Attributes:
        code: exit code: 0 success, 1 a bug or a worse figure, 2 a user's error.
        out, err: standard output and standard error.
        folder: its working directory.
    """

    code: int
    out: str
    err: str
    folder: Path


def runner(folder: Path, cache: Path) -> Callable[..., Done]:
    """Return a function that runs `logbench` in `folder` with that cache and returns `Done`.

    The function takes the words of the command, environment variables as keywords, and `timeout` (s).
    """

    def run(*words: str, timeout: float = 600, **environment: str) -> Done:
        known = {
            name: value for name, value in os.environ.items() if name not in ("LOGBENCH_BLOCK", "LOGBENCH_DATA")
        }
        done = subprocess.run(
            [sys.executable, "-m", "logbench", *words],
            cwd=folder,
            env={**known, "LOGBENCH_CACHE": str(cache), **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr, folder)

    return run
