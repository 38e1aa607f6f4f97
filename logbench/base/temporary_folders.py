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
    """Remove temporary folders of ended processes of this machine, whether or not their parents know yet."""
    from .system import psutil

    def runs(process: int) -> bool:
        try:
            return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False
        except psutil.Error:  # it may not be looked at
            return True

    for folder in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        process = folder.name.removeprefix(_TEMPORARY).partition("-")[0]
        if process.isdecimal() and not runs(int(process)):
            shutil.rmtree(folder, ignore_errors=True)
