"""Folders that go with the process that made them, whether it ends or is killed."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
from pathlib import Path

import psutil

from .storage import root, written

_BEGINS = f".fresh-{socket.gethostname()}-"


def passing(parent: Path) -> Path:
    """A new folder in `parent`, in the cache, that is removed at the end of this process.

    Raises:
        DataError: it cannot be made.
    """
    remove_left()
    with written(parent):
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{_BEGINS}{os.getpid()}-", dir=parent))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def remove_left() -> None:
    """Remove what processes of this machine left that were killed."""
    for folder in root().glob(f"*/{_BEGINS}*"):
        process = folder.name.removeprefix(_BEGINS).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(folder, ignore_errors=True)
