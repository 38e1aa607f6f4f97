"""Start a process that inherits one end of a pipe: by its descriptor, on Windows by its handle."""

from __future__ import annotations

import multiprocessing.connection
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any, cast


def start(
    command: Sequence[str], inherited: int | None, env: Mapping[str, str], leads: bool, **streams: Any
) -> subprocess.Popen[bytes]:
    """Start a command; its process gets `inherited`, where there is one, under the same number.

    Args:
        leads: make it the leader of a process group, which Ctrl-C does not reach.
        streams: `stdin`, `stdout` as of `Popen`.
    """
    if sys.platform == "win32":
        handles = [] if inherited is None else [inherited]
        for handle in handles:
            os.set_handle_inheritable(handle, True)
        shared = subprocess.STARTUPINFO(lpAttributeList={"handle_list": handles})
        flags = subprocess.CREATE_NEW_PROCESS_GROUP if leads else 0
        return subprocess.Popen(command, env=env, startupinfo=shared, creationflags=flags, **streams)
    return subprocess.Popen(
        command,
        env=env,
        pass_fds=() if inherited is None else (inherited,),
        process_group=0 if leads else None,
        **streams,
    )


def inherited_pipe(number: int) -> Connection[Any, Any]:
    """The end of the pipe that this process was started with; its own processes do not get it."""
    if sys.platform == "win32":
        os.set_handle_inheritable(number, False)
        return cast("Connection[Any, Any]", multiprocessing.connection.PipeConnection(number))
    os.set_inheritable(number, False)
    return Connection(number)
