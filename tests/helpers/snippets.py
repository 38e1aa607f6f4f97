"""Type what README and docs tell the reader to type, page by page, each in a folder of its own.

A comment right above a block says what becomes of it: `<!-- file: NAME -->` writes it, `<!-- skip: WHY -->` passes
over it, `<!-- output -->` marks what `tests/tools/docs_outputs.py` wrote. Blocks of `sh` are typed line by line,
blocks of `python` are run, others are only read.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from page_venv import fresh

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[a-z]+)(?:: (?P<value>[^>]*?))? -->\n)?"
    r"^(?P<fence>`{3,})(?P<language>\w+)\n(?P<text>.*?)^(?P=fence)$",
    re.M | re.S,
)
# Marks of blocks that nobody types while a page runs.
READ = ("skip", "command", "output")
INSTALLS = re.compile(r"^pip install ", re.M)


@dataclass(frozen=True)
class Block:
    """A fenced block: `mark` is `file`, `skip`, `command`, `output` or empty, `value` what follows it.

    Attributes:
        begin, end: of the block in its page, with its mark.
    """

    mark: str
    value: str
    language: str
    text: str
    begin: int = 0
    end: int = 0

    @property
    def typed(self) -> bool:
        """Whether the reader types or runs it."""
        return self.mark not in ("file", *READ) and self.language in ("sh", "python")


@dataclass(frozen=True)
class Typed:
    """A command that a page tells to type (or its Python), and what it printed.

    Attributes:
        output: of the standard output; where nothing goes there, of standard error.
    """

    block: Block
    command: str
    output: str


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    return blocks_of(page.read_text(encoding="utf-8"))


def blocks_of(text: str) -> Iterator[Block]:
    """The fenced blocks of a page's text, in order."""
    for found in BLOCK.finditer(text):
        yield Block(found["mark"] or "", found["value"] or "", found["language"], found["text"], *found.span())


DEEP = re.compile(r"(?<!--exclude )\b(?:deeplog|loganomaly|lstm-next|transformer-next|torch)\b")


def is_deep(page: Path) -> bool:
    """Whether what a page tells to type or write names torch or a model that needs it."""
    return any(DEEP.search(block.text) for block in blocks(page) if block.mark == "file" or block.typed)


def run_page(page: Path, folder: Path, data: Path, programs: Sequence[Path] = ()) -> list[Typed]:
    """Do what a page says, in the empty `folder`, in a terminal of 80 columns.

    A page that installs something has a fresh virtual environment, and its commands install by pip.

    Args:
        data: stands for what data sets would fetch (`LOGBENCH_DATA`).
        programs: folders of programs, in place of those of the running Python.

    Raises:
        AssertionError: a command failed; with its output.
    """
    said = list(blocks(page))
    path = [*programs] or [Path(sys.executable).parent]
    if not programs and any(block.typed and INSTALLS.search(block.text) for block in said):
        path.insert(0, fresh(folder.parent / f"{folder.name}-venv"))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {
        "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
        "LOGBENCH_DATA": str(data),
        "COLUMNS": "80",
    }
    env |= {"LOGBENCH_CONFIG": str(folder.parent / f"{folder.name}-config"), "NO_COLOR": "1"}
    ran = []
    for block in said:
        if block.mark == "file":
            target = folder / block.value
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.typed:
            python = block.language == "python"
            program = ["python", "-c"] if python else ["bash", "-ec"]
            for line in [block.text] if python else _commands(block.text):
                ran.append(Typed(block, line, _run([*program, line], folder, env)))
    return ran


def _commands(text: str) -> list[str]:
    """Commands of a `sh` block; one ends where its line does not end in a backslash."""
    return [
        line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip() and not line.startswith("#")
    ]


def _run(command: list[str], folder: Path, env: dict[str, str]) -> str:
    text = command[-1]
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=600,
        check=False,
    )
    expected = int(found[1]) if (found := re.search(r"# exit (\d)", text)) else 0
    assert done.returncode == expected, (
        f"{text}\nexit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    )
    return done.stdout if done.stdout.strip() else done.stderr
