"""Commands in a pseudo-terminal of 80 × 24: no line is longer, so the terminal wraps none."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hdfs_lines import WriteHdfs
from terminal_reader import written

from logbench.base.cells import columns_of
from logbench.cli import cli

MESSAGES = [
    text
    for block in range(30)
    for text in (
        f"Receiving block blk_{block} src: /10.0.0.1:4000 dest: /10.0.0.2:50010",
        *(
            [f"Verification succeeded for blk_{block} after all replicas had been looked at once and once more"]
            * 11
        ),
        *([f"Unexpected error trying to delete block blk_{block}: it is in no volume map"] * (block % 5 == 4)),
    )
]
LABELS = "BlockId,Label\n" + "".join(f"blk_{n},{'Anomaly' if n % 5 == 4 else 'Normal'}\n" for n in range(30))
SIMULATED = "--dataset hdfs-sim --set dataset.blocks=400 --set protocol.train_units=100"
DATA = "--dataset hdfs --data small --set protocol.train_units=9"
LINES = "".join(
    f"2024-03-01 10:{n // 60:02}:{n % 60:02} INFO web: request {n} of user {n % 7} done\n" for n in range(90)
)
TEMPLATES = (
    "Content,EventId,EventTemplate\nsent 5 bytes,E1,sent <*> bytes\nsent 7 bytes,E1,sent <*> bytes\nlost,E2,lost\n"
)
SUITE = """
[models.length]
[datasets.hdfs-sim]
blocks = 300
[protocols.short]
train_units = 90
[gates]
f1 = 0.1
"""
MINE = """
class Mine:
    def fit(self, train, context): ...
    def score(self, units, context):
        return units.lengths
"""
# What is typed, in this order. A new command needs a line here, or the test fails.
TYPED = (
    f"run ecvc new-event {DATA}", f"run ecvc {DATA} --no-baselines --save model",
    f"leaderboard --models ecvc,length {DATA}", f"protocols ecvc {DATA}",
    f"sweep ecvc --over alpha=.1,.2 --over max_train=5,9 {DATA}",
    "tune ecvc --over max_train=5,9 --trials 2 --dataset hdfs-sim --set dataset.blocks=400",
    "runs", "show last --top 3", "compare last~1 last", "rescore last --set protocol.unseen=ignore",
    "reproduce", "parsers evaluate drain --data Web_2k.log_structured.csv",
    "bench run suite.toml --out bench.jsonl", "bench compare bench.jsonl bench.jsonl",
    "bench gate suite.toml bench.jsonl",
    "list model", "options deeplog", "presets", "presets hdfs", "plugins",
    "models list", "models info ecvc",
    f"models ablate logrobust {SIMULATED} --set protocol.content=labelled --seeds 1 --set logrobust.passes=1",
    "datasets list", "datasets info hdfs --data small", "datasets guess web.log",
    "detect web.log --save-definition web.toml --top 3", "detect small/HDFS.log --top 3",
    "datasets check web.toml", "datasets add web.toml", "datasets path web", "datasets remove web",
    "datasets fetch hdfs-sim",
    "score model --data small/HDFS.log --top 3", "score model --data small/HDFS.log --incidents",
    "export model --to onnx", f"robust ecvc --kind remove --dose 20% --split-seeds 2 {DATA}",
    "transfer new-event --source hdfs-sim --set hdfs-sim.blocks=400 --set protocol.train_units=100 --target hdfs "
    "--target-data small",
    "seal hdfs --data small --share 40% --key own.key --out split", "submit ./mine.py",
    "judge new-event --sealed split/sealed --key own.key --set protocol.train_units=5",
    "judge mine.submission --sealed split/sealed --key own.key",
    "cache fill --dataset hdfs --data small --shards 2",
    "check new-event", "check-records runs/records.jsonl", "cache info", "cache verify",
    "schema toml", "man --out man", "new-plugin shiny --kind reporter",
    "ladder --set dataset.blocks=400 --set protocol.train_units=120 --windows 50 --no-training",
    "report --out report.html", "site runs --out public", "workflow last --by counts",
    "cite last", "track mlflow last", "cache clear",
    "compare last gone",
)  # fmt: skip
# Lines of a file's own format, which no terminal folds.
OWN_LINES = ("schema", "datasets guess", "cite")


def typed(words: str, folder: Path) -> tuple[str, int]:
    """What a terminal of 80 columns gets from a command, both of its streams, and its exit code."""
    import fcntl
    import pty
    import termios

    own, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    left_out = {"COLUMNS", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"}
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    env |= {"TERM": "xterm", "HOME": str(folder), "LOGBENCH_CACHE": str(folder / "cache")}
    process = subprocess.Popen(
        [sys.executable, "-m", "logbench", *words.split()],
        stdin=other, stdout=other, stderr=other, cwd=folder, env=env, start_new_session=True,
    )  # fmt: skip
    os.close(other)
    text = b"".join(written(own)).decode(errors="replace")
    os.close(own)
    return text, process.wait()


def names(command: click.Command, *words: str) -> Iterator[str]:
    """Every command below a group, as it is typed."""
    if not isinstance(command, click.Group):
        yield " ".join(words)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        member = command.get_command(context, name)
        assert member is not None
        yield from names(member, *words, name)


def test_every_command_has_its_line() -> None:
    known = set(names(cli))
    missing = {name for name in known if not any(f"{line} ".startswith(f"{name} ") for line in TYPED)}
    assert len(known) > 40 and not missing


@pytest.mark.slow
def test_no_command_has_a_line_that_a_terminal_wraps(write_hdfs: WriteHdfs, tmp_path: Path) -> None:
    write_hdfs("small", MESSAGES, LABELS)
    for name, text in (
        ("web.log", LINES),
        ("Web_2k.log_structured.csv", TEMPLATES),
        ("suite.toml", SUITE),
        ("mine.py", MINE),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    too_long, failed, painted = [], [], {}
    for words in TYPED:
        said, code = typed(words, tmp_path)
        painted[words] = set(re.findall(r"\x1b\[([\d;]+)m", said)) - {"0"}
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said)
        assert text.strip(), words
        if (
            code not in ({2} if words.endswith("gone") else {0, 1, 2 * words.startswith(("track", "export"))})
            or "Traceback" in text
        ):
            failed.append((words, code, text))
        if not words.startswith(OWN_LINES):
            # a progress bar goes back to the line's beginning and is cleared
            lines = [part for line in text.split("\n") for part in line.rstrip("\r").split("\r")]
            too_long += [(words, line) for line in lines if columns_of(line) > 80 and " " in line]
    assert not failed, failed
    assert not too_long, too_long
    assert {"1;32", "2"} <= painted[TYPED[0]] and "1;31" in painted[TYPED[-1]] and not painted["schema toml"]
