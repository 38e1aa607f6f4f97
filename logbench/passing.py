"""Folders that go with the process that made them, whether it ends or is killed."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from .storage import root, written

_BEGINS = f".fresh-{socket.gethostname()}-"
_TEMPORARY = f"logbench-{socket.gethostname()}-"


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


def temporary() -> Path:
    """A new folder beside the system's temporary files, named after this process; the caller removes it."""
    return Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{os.getpid()}-"))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """One that is gone afterwards."""
    folder = temporary()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def temporary_of_this_process() -> list[Path]:
    """Those that are still there."""
    return [*Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}{os.getpid()}-*")]


def remove_left() -> None:
    """Remove what processes of this machine left that were killed."""
    for parent, begins in ((root(), f"*/{_BEGINS}"), (Path(tempfile.gettempdir()), _TEMPORARY)):
        for folder in parent.glob(f"{begins}*"):
            process = folder.name.removeprefix(begins.removeprefix("*/")).partition("-")[0]
            if process.isdecimal() and not psutil.pid_exists(int(process)):
                shutil.rmtree(folder, ignore_errors=True)
