"""Open the file that a download grows in: created exclusively, or one of one's own, never through a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def open_part(path: Path) -> IO[bytes]:
    """Open a file for reading and writing; what stands there is gone on with if it is a plain file of this user.

    A link, a pipe, a file with two names or one of another user is removed first.

    Raises:
        OSError: it cannot be opened, or what stands there cannot be removed.
    """
    try:
        return os.fdopen(os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666), "r+b")
    except FileExistsError:
        pass
    if _own(path.lstat()):
        number = os.open(path, _FLAGS)
        if _own(os.fstat(number)):
            return os.fdopen(number, "r+b")
        os.close(number)
    path.unlink()
    return os.fdopen(os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666), "r+b")


def _own(found: os.stat_result) -> bool:
    user = os.geteuid() if hasattr(os, "geteuid") else found.st_uid
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == user
