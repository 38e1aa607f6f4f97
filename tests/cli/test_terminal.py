"""What commands print in 80 columns: no line is longer, and no word is broken that a wide terminal shows whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hdfs_lines import WriteHdfs

from logbench.cli import State, cli
from logbench.testing import registry

Say = Callable[..., str]
# What stands between words: rules of tables, the end of a folded command.
_BETWEEN = re.compile(r"-{2,}|\\|…")
MESSAGES = [
    text
    for block in range(24)
    for text in (
        f"Receiving block blk_{block} src: /10.0.0.1:4000 dest: /10.0.0.2:50010",
        *[f"PacketResponder {n} for block blk_{block} terminating" for n in range(1 + block % 3)],
        *([f"Verification succeeded for blk_{block}"] * 9),
        *([f"Unexpected error trying to delete block blk_{block}"] if block % 5 == 4 else []),
    )
]
LABELS = "BlockId,Label\n" + "".join(f"blk_{n},{'Anomaly' if n % 5 == 4 else 'Normal'}\n" for n in range(24))


def narrow_as_wide(say: Say, *words: str, width: int = 80) -> str:
    """The command's output in `width` columns, compared with that of a terminal of any width."""
    narrow, wide = say(width, *words), say(1000, *words)
    for line in narrow.splitlines():
        assert len(line) <= width, line
    known = set(wide.split())
    said = re.sub(r"left out: .*?\)", "", narrow, flags=re.DOTALL)
    broken = [word for word in said.split() if word not in known and not _BETWEEN.fullmatch(word)]
    assert not broken, broken
    return narrow


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs a command in this process: `say(80, "list")`."""
    monkeypatch.chdir(tmp_path)

    def run(width: int, *words: str) -> str:
        done = CliRunner(env={"COLUMNS": str(width)}).invoke(cli, words, standalone_mode=False)
        assert done.exception is None, done.output
        return done.output

    return run


@pytest.mark.parametrize(
    "words",
    ["list", "options", "plugins", "presets", "presets hdfs", "datasets list", "models list",
     "models info deeplog", "reproduce", "runs --help"],
)  # fmt: skip
def test_lists_fit_80_columns_and_break_no_word(say: Say, words: str) -> None:
    narrow_as_wide(say, *words.split())


def groups(command: click.Command, *words: str) -> Iterator[tuple[tuple[str, ...], click.Group]]:
    if isinstance(command, click.Group):
        yield words, command
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from groups(found, *words, name)


def test_each_command_has_one_whole_line_of_help(say: Say) -> None:
    seen = 0
    for words, group in groups(cli):
        text = say(80, *words, "--help")
        assert max(map(len, text.splitlines())) <= 80
        for name in group.list_commands(click.Context(group)):
            assert re.search(rf"(?m)^  {name}  .*[^.]\.$", text), (words, name)
            seen += 1
    assert seen > 40


@pytest.fixture
def recorded(write_hdfs: WriteHdfs, say: Say) -> Say:
    """The same after a run of two models on a small log, whose table fits, too."""
    data = write_hdfs("small", MESSAGES, LABELS)
    words = f"--dataset hdfs --data {data.name} --set protocol.train_units=8"
    text = say(80, "run", "ecvc", "new-event", *words.split())
    assert max(map(len, text.splitlines())) <= 80, text
    return say


def test_tables_of_runs_fit_80_columns_and_break_no_word(recorded: Say) -> None:
    runs = narrow_as_wide(recorded, "runs")
    assert "left out: protocol" in runs
    narrow_as_wide(recorded, "runs", "--reporter", "table")
    narrow_as_wide(recorded, "runs", "--reporter", "table", width=60)


def test_a_command_of_a_plugin_stands_under_the_heading_that_it_names() -> None:
    offered = [click.Command(name, help="Say it.") for name in ("aaa", "bbb", "ccc")]
    for one, section in zip(offered, ("Look", "Mine"), strict=False):
        vars(one)["section"] = section
    state = State(())
    state.__dict__["registry"] = registry(commands=offered)
    done = CliRunner().invoke(cli, ["--help"], obj=state)
    assert done.exit_code == 0, done.output
    parts = re.findall(r"^(\w[^\n]*):\n((?:  [^\n]+\n)+)", done.output, re.MULTILINE)
    under = {title: rows.split() for title, rows in parts}
    assert "aaa" in under["Look"] and {"report", "site", "cite", "show"} <= set(under["Look"])
    assert "bbb" in under["Mine"] and "ccc" in under["Of plugins"] and [*under][-1] == "Of plugins"
