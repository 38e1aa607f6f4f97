"""Ctrl-C: one line, exit 130, at once, and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SWALLOWS = """
import os, signal, sys, time
import click
from logbench import cli
@click.command()
def stubborn():
    print("ready", flush=True)
    for _ in range(600):
        try:
            time.sleep(0.1)
        except KeyboardInterrupt:
            pass
cli.cli.get_command = lambda ctx, name: stubborn
cli.main(["stubborn"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to one process")
def test_a_library_that_swallows_the_interruption_does_not_keep_us(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SWALLOWS]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130 and said.strip() == "interrupted: what was finished is kept"
