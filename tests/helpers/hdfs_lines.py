"""A hand-made HDFS log of eight lines; the fixture `write_hdfs` writes it, or another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

STAMP = "081109 203530 143 INFO dfs.DataNode: "
TINY = (
    "Receiving block blk_1 src: /10.0.0.1:4000 dest: /10.0.0.2:50010",
    "Receiving block blk_-2 src: /10.0.0.1:4001 dest: /10.0.0.2:50010",
    "BLOCK* ask 10.0.0.2:50010 to delete blk_1 blk_-2",  # names two blocks
    "Verification succeeded for blk_3",
    "BLOCK* ask 10.0.0.2:50010 to delete blk_1 blk_3 blk_1",  # A B A
    "Starting Periodic block scanner",  # names none
    "PacketResponder 1 for block blk_1 terminating",
    "Received block blk_-2 of size 67108864 from /10.0.0.1",
)
# blk_3 has no label, blk_9 no line.
TINY_LABELS = "BlockId,Label\nblk_1,Normal\nblk_-2,Anomaly\nblk_9,Anomaly\n"

WriteHdfs = Callable[..., Path]
