"""Take network and some folders from this process for good, before code of others runs in it.

Linux: in namespaces of its own (user_namespaces(7)), which native code cannot leave either. Elsewhere, and where
they are not allowed, Python's audit events refuse: that stops Python alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

Walls = Literal["namespaces", "python"]
# JSON list of the folders and files to hide; a process of models that finds it goes to jail.
VARIABLE = "LOGBENCH_JAIL"
_NEW_USER, _NEW_MOUNTS, _NEW_NETWORK = 0x10000000, 0x00020000, 0x40000000
_PRIVATE_BELOW, _BIND = 0x44000, 0x1000
_READING = (
    "open",
    "os.listdir",
    "os.scandir",
    "os.rename",
    "os.link",
    "os.symlink",
    "os.chdir",
    "sqlite3.connect",
)
_NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo")


def enter(hidden: Sequence[str] | None = None) -> Walls | None:
    """Hide folders and files and take the network away; None where nothing asks for it.

    Args:
        hidden: real paths; by default those of `VARIABLE`. No other thread may run yet.
    """
    if hidden is None:
        if VARIABLE not in os.environ:
            return None
        hidden = json.loads(os.environ.pop(VARIABLE))
    walls: Walls = "python"
    with suppress(OSError, AttributeError):
        _namespaces(hidden)
        walls = "namespaces"
    _refuse(hidden)
    return walls


def _namespaces(hidden: Sequence[str]) -> None:
    """Raises OSError where the system has none."""
    if sys.platform != "linux":
        raise OSError("no namespaces")
    system = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    _new_user(system, _NEW_USER | _NEW_MOUNTS | _NEW_NETWORK, user, group)
    _asked(system.mount(None, b"/", None, _PRIVATE_BELOW, None))
    for path in hidden:
        if Path(path).is_dir():
            _asked(system.mount(b"none", os.fsencode(path), b"tmpfs", 0, b"size=4k,mode=0"))
        elif Path(path).exists():
            _asked(system.mount(b"/dev/null", os.fsencode(path), None, _BIND, None))
    # Once more, so that what is mounted belongs to somebody else and cannot be taken away.
    _new_user(system, _NEW_USER | _NEW_MOUNTS, user, group)


def _new_user(system: Any, flags: int, user: int, group: int) -> None:
    _asked(system.unshare(flags))
    with suppress(OSError):  # denied already
        Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _asked(answer: int) -> None:
    if answer:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _refuse(hidden: Sequence[str]) -> None:
    """Let Python refuse what the walls keep out, so that whoever tries is told."""
    inside = tuple(f"{path.rstrip(os.sep)}{os.sep}" for path in hidden)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK:
            raise PermissionError("a model that is judged has no network")
        if event in _READING and arguments and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if f"{path}{os.sep}".startswith(inside):
                raise PermissionError(f"a model that is judged may not touch {path}")

    sys.addaudithook(audit)
