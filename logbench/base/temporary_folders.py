"""Temporary folders that are removed even if their process is killed."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TEMPORARY = f"logbench-{socket.gethostname()}-"


def temporary() -> Path:
    """Make a folder in the system's temporary folder, named after this process; the caller removes it."""
    return Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{os.getpid()}-"))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a temporary folder and remove it at the end."""
    folder = temporary()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def temporary_of_this_process() -> list[Path]:
    """Temporary folders that this process has not removed yet."""
    return [*Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}{os.getpid()}-*")]


def remove_left() -> None:
    """Remove temporary folders of killed processes of this machine."""
    from .system import psutil

    for folder in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        process = folder.name.removeprefix(_TEMPORARY).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(folder, ignore_errors=True)
