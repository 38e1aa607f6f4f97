"""`--notify`: a command of the user's that is told how this one ended."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

import click

from ..base.jsonable import shorten
from .apart import DONE

# Seconds that it may take.
PATIENCE_S = 60


@dataclass(frozen=True)
class Notice:
    """What was asked for.

    Attributes:
        words: program and arguments; no shell reads them.
        begun: on the monotonic clock.
    """

    words: list[str]
    begun: float


_asked: list[Notice] = []


def ask(text: str) -> None:
    """Remember what to run at the end.

    Raises:
        BadParameter: it is no command.
    """
    if DONE in os.environ:  # in a process apart it is its parent that tells
        return
    try:
        words = shlex.split(text, posix=os.name != "nt")
    except ValueError as error:
        raise click.BadParameter(f"{error}; quote it as in a shell") from None
    if not words or shutil.which(words[0]) is None:
        raise click.BadParameter(f"{words[0] if words else 'it'!r} is no program to run")
    _asked[:] = [Notice(words, time.monotonic())]


def tell(code: int) -> None:
    """Run what was asked for, if anything was; what goes wrong is said in a line.

    Args:
        code: exit status of this command.
    """
    for notice in _asked:
        seconds = time.monotonic() - notice.begun
        status = "ok" if code == 0 else "failed" if code < 128 else "interrupted"
        command = shorten("logbench " + shlex.join(sys.argv[1:]), 200)
        env = {
            **os.environ,
            "LOGBENCH_STATUS": status,
            "LOGBENCH_EXIT_CODE": str(code),
            "LOGBENCH_SECONDS": f"{seconds:.0f}",
            "LOGBENCH_MESSAGE": f"{status} after {seconds:,.0f} s: {command}",
        }
        try:
            done = subprocess.run(
                notice.words, env=env, stdin=subprocess.DEVNULL, stdout=2, timeout=PATIENCE_S, check=False
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            print(f"warning: --notify {notice.words[0]}: {shorten(str(error), 200)}", file=sys.stderr)
        else:
            if done.returncode:
                print(f"warning: --notify {notice.words[0]}: exit code {done.returncode}", file=sys.stderr)
    _asked.clear()
