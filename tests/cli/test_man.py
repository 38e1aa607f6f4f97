"""Manual pages: one a command, with its text, that groff reads without a warning."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from logbench.cli import cli
from logbench.cli.man import page, roff


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("man")
    done = CliRunner().invoke(cli, ["man", "--out", str(folder)], prog_name="logbench", standalone_mode=False)
    assert done.exception is None, done.output
    return sorted(folder.iterdir())


def typed_names(command: click.Command, name: str) -> list[str]:
    if not isinstance(command, click.Group):
        return [name]
    context = click.Context(command)
    members = [(each, command.get_command(context, each)) for each in command.list_commands(context)]
    return [name, *(found for each, one in members if one for found in typed_names(one, f"{name}-{each}"))]


def test_each_command_has_its_page(pages: list[Path]) -> None:
    assert [path.name for path in pages] == sorted(f"{name}.1" for name in typed_names(cli, "logbench"))
    assert all(path.read_text(encoding="ascii").startswith(".TH ") for path in pages)


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_pages_are_read_without_a_warning_and_say_what_help_says(pages: list[Path]) -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", *map(str, pages)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    (compare,) = (path for path in pages if path.stem == "logbench-compare")
    wide = ["groff", "-man", "-Tutf8", "-rLL=400n", "-P-cbou", str(compare)]
    said = subprocess.run(wide, capture_output=True, text=True, check=True).stdout
    words = " ".join(said.split())
    p_of_swaps = "Random swaps of the runs' verdicts for p; 0: neither p nor interval."
    for text in (
        "logbench-compare - Compare runs with the first",
        "--across [datasets]",
        p_of_swaps,
        "RUN_A RUN_B…",
    ):
        assert text in words, text


def test_what_roff_takes_for_its_own_is_escaped() -> None:
    assert roff(".so /etc/passwd") == "\\&.so /etc/passwd" and roff("'br") == "\\&'br"
    assert roff("a\\fB-x `run` ü\x1b") == "a\\efB\\-x \\fBrun\\fR \\[u00FC]\\[uFFFD]"

    @click.command("hostile", help=".pso reboot\n\n.so gone", epilog="Example: .sy reboot")
    @click.option("--x", help=".pi sh")
    def hostile(x: str) -> None:
        """Never called."""

    text = page(click.Context(hostile, info_name="hostile"))
    requests = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
    assert requests <= {".TH", ".SH", ".B", ".PP", ".TP", ".nf", ".fi", ".BR"}
