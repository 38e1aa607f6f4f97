"""Read small files of users whole; refuse pipes, devices and files that are too large."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO

# Bytes of a configuration, definition or bundle's text; the longest known have some MB.
LARGEST = 256 << 20


class NoRegularFileError(OSError):
    """A pipe, a device, or a file that is too large; `strerror` says so in a few words."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(errno.EINVAL, reason, str(path))


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file to read it; a pipe that nobody writes to does not block.

    Raises:
        OSError: it is missing or may not be read, or a `NoRegularFileError`.
    """
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(number, "rb")
    os.close(number)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise NoRegularFileError(path, "a pipe or a device, not a regular file; save it to a file first")


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """All bytes of a regular file.

    Raises:
        OSError: as `open_regular`, or it has more than `most` bytes.
    """
    with open_regular(path) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise NoRegularFileError(path, f"more than {most:,} bytes")
    return found


def read_text(path: Path, encoding: str = "utf-8", errors: str = "strict", most: int = LARGEST) -> str:
    """The same as text; line ends become `\\n`.

    Raises:
        OSError: as `read_bytes`. UnicodeDecodeError: it is not in this encoding.
    """
    text = read_bytes(path, most).decode(encoding, errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")
