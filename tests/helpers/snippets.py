"""Runs what README and docs tell the reader to type, page by page, each in a folder of its own.

A comment right above a block says what becomes of it: `<!-- file: NAME -->` writes it, `<!-- skip: WHY -->` passes
over it. Blocks of `sh` are typed line by line, blocks of `python` are run, others are only read.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from distributions import install

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[a-z]+): (?P<value>[^>]*?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A fenced block: `mark` is `file`, `skip`, `command` or empty, `value` what follows it."""

    mark: str
    value: str
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield Block(found["mark"] or "", found["value"] or "", found["language"], found["text"])


DEEP = re.compile(r"(?<!--exclude )\b(?:deeplog|loganomaly|lstm-next|transformer-next|torch)\b")


def is_deep(page: Path) -> bool:
    """Whether what a page tells to type or write names torch or a model that needs it."""
    typed = (one for one in blocks(page) if one.mark == "file" or one.language in ("sh", "python"))
    return any(DEEP.search(block.text) for block in typed)


def run_page(page: Path, folder: Path, data: Path) -> list[str]:
    """Do what a page says, in the empty `folder`; the commands that ran.

    Args:
        data: stands for what data sets would fetch (`LOGBENCH_DATA`).

    Raises:
        AssertionError: a command failed; with its output.
    """
    site = folder / ".site"
    site.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(site), "LOGBENCH_DATA": str(data), "COLUMNS": "100"}
    env["LOGBENCH_CONFIG"] = str(folder / ".config")
    ran = []
    for block in blocks(page):
        if block.mark == "file":
            target = folder / block.value
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.mark in ("skip", "command") or block.language not in ("sh", "python"):
            continue
        elif block.language == "python":
            _run([sys.executable, "-c", block.text], block.text, folder, env)
            ran.append(block.text)
        else:
            for line in _commands(block.text):
                if found := re.fullmatch(r"pip install (\.\S*)", line):
                    install(folder / found[1], site)
                else:
                    _run(["bash", "-ec", line], line, folder, env)
                ran.append(line)
    return ran


def _commands(text: str) -> list[str]:
    """Commands of a `sh` block; one ends where its line does not end in a backslash."""
    return [
        line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip() and not line.startswith("#")
    ]


def _run(command: list[str], text: str, folder: Path, env: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False)
    expected = int(found[1]) if (found := re.search(r"# exit (\d)", text)) else 0
    assert done.returncode == expected, (
        f"{text}\nexit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    )
