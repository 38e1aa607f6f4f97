"""Commands in a pseudo-terminal of 80 × 24: no line is longer, so the terminal wraps none."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hdfs_lines import WriteHdfs

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
DATA = "--dataset hdfs --data small --set protocol.train_units=9"
COMMANDS = (
    f"run ecvc new-event {DATA}",
    f"leaderboard --models ecvc,length {DATA}",
    f"protocols ecvc {DATA}",
    f"sweep ecvc --over alpha=.1,.2 --over max_train=5,9 {DATA}",
    "runs", "show last --top 3", "compare last~1 last", "datasets info hdfs --data small", "list model",
    "options deeplog", "models list", "models info ecvc", "reproduce", "detect small/HDFS.log --top 3",
    "score model --data small/HDFS.log --top 3", "score model --data small/HDFS.log --incidents",
    "compare last gone",
)  # fmt: skip


def typed(words: str, folder: Path) -> tuple[str, int]:
    """What a terminal of 80 columns gets from a command, both of its streams, and its exit code."""
    import fcntl
    import pty
    import termios

    own, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "logbench", *words.split()],
        stdin=other, stdout=other, stderr=other, cwd=folder, env={**env, "TERM": "xterm"}, start_new_session=True,
    )  # fmt: skip
    os.close(other)
    parts = []
    while True:
        try:
            part = os.read(own, 65536)
        except OSError:  # its other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(own)
    return b"".join(parts).decode(errors="replace"), process.wait()


@pytest.mark.slow
def test_no_command_has_a_line_that_a_terminal_wraps(write_hdfs: WriteHdfs, tmp_path: Path) -> None:
    write_hdfs("small", MESSAGES, LABELS)
    too_long = []
    for words in COMMANDS:
        if words.startswith("score") and not (tmp_path / "model").exists():
            typed(f"run ecvc {DATA} --no-baselines --save model", tmp_path)
        said, code = typed(words, tmp_path)
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said)
        assert text.strip() and code == 2 * words.endswith("gone"), (words, text)
        # a progress bar goes back to the line's beginning and is cleared
        lines = [part for line in text.split("\n") for part in line.rstrip("\r").split("\r")]
        too_long += [(words, line) for line in lines if len(line) > 80]
    assert not too_long, too_long
