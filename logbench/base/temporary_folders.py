"""Folders that go with the process that made them, whether it ends or is killed."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_TEMPORARY = f"logbench-{socket.gethostname()}-"


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
    for folder in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        process = folder.name.removeprefix(_TEMPORARY).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(folder, ignore_errors=True)
