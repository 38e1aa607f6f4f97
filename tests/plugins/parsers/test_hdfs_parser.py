"""The parser of HDFS: each line is one of its statements."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
from parsed_lines import hdfs_lines, reduced

from logbench_parsers.hdfs import STATEMENTS
from logbench_parsers.hdfs import parser as hdfs_parser


def test_every_hdfs_line_is_one_statement() -> None:
    distinct = reduced(hdfs_lines(), (("[0-9]+", "0"),)).unique()
    fits = pl.DataFrame([distinct.str.contains(f"^{e}$").alias(t) for e, t in STATEMENTS])
    assert distinct.len() > 60
    assert fits.sum_horizontal().to_list() == [1] * distinct.len()


# One line a statement, in the order of `STATEMENTS`; values made up.
EXAMPLES = (
    "Receiving block blk_-12 src: /10.0.0.1:80 dest: /10.0.0.2:90",
    "Received block blk_12 src: /10.0.0.1:80 dest: /10.0.0.2:90 of size 67108864",
    "Received block blk_12 of size 67108864 from /10.0.0.1",
    "Receiving empty packet for block blk_-12",
    "Exception in receiveBlock for block blk_12 java.io.IOException: Connection reset by peer",
    "writeBlock blk_12 received exception java.io.IOException: Block blk_12 is valid.",
    "PacketResponder 2 for block blk_-12 terminating",
    "PacketResponder 2 for block blk_-12 Interrupted.",
    "PacketResponder blk_-12 2 Exception java.io.EOFException",
    "10.0.0.1:80:Exception writing block blk_12 to mirror 10.0.0.2:90",
    "Changing block file offset of block blk_12 from 0 to 65024 meta file offset to 515",
    "10.0.0.1:80 Served block blk_12 to /10.0.0.2",
    "10.0.0.1:80:Got exception while serving blk_12 to /10.0.0.2:",
    "10.0.0.1:80 Starting thread to transfer block blk_-12 to 10.0.0.2:90, 10.0.0.3:90",
    "10.0.0.1:80:Transmitted block blk_12 to /10.0.0.2:90",
    "10.0.0.1:80:Failed to transfer blk_12 to 10.0.0.2:90 got java.io.IOException: Broken pipe",
    "Verification succeeded for blk_-12",
    "Adding an already existing block blk_12",
    "Reopen Block blk_12",
    "Unexpected error trying to delete block blk_-12. BlockInfo not found in volumeMap.",
    "Deleting block blk_12 file /mnt/hadoop/dfs/data/current/subdir4/blk_12",
    "BLOCK* NameSystem.allocateBlock: /user/root/a file/part-00081. blk_12",
    "BLOCK* NameSystem.delete: blk_-12 is added to invalidSet of 10.0.0.1:80",
    "BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.0.0.1:80 is added to blk_12 size 3550",
    "BLOCK* NameSystem.addStoredBlock: Redundant addStoredBlock request received for blk_12 on 10.0.0.1:8 size 1",
    "BLOCK* NameSystem.addStoredBlock: addStoredBlock request received for blk_12 on 10.0.0.1:8 size 1 "
    "But it does not belong to any file.",
    "BLOCK* ask 10.0.0.1:80 to replicate blk_12 to datanode(s) 10.0.0.2:90 10.0.0.3:90",
    "BLOCK* ask 10.0.0.1:80 to delete  blk_12 blk_-13 blk_14",
    "BLOCK* Removing block blk_12 from neededReplications as it does not belong to any file.",
    "PendingReplicationMonitor timed out block blk_-12",
)


def test_hdfs_statements_are_told_apart() -> None:
    """A line of each fits its own statement and no other, and no template fits any."""
    assert len(STATEMENTS) == len({template for _, template in STATEMENTS}) == 30
    parser = hdfs_parser()
    fits = [[bool(re.fullmatch(expression, line)) for expression, _ in STATEMENTS] for line in EXAMPLES]
    assert np.array_equal(fits, np.eye(30, dtype=bool))
    masked = reduced(pl.Series(EXAMPLES), parser.masks)
    assert masked.to_list() == [template for _, template in STATEMENTS]
    assert reduced(masked, parser.masks).to_list() == masked.to_list()


def test_hdfs_vocabulary_is_that_of_the_training() -> None:
    parser = hdfs_parser()
    train = [
        "Verification succeeded for blk_1",
        "odd line 17 of blk_-3",
        "Receiving empty packet for block blk_4",
    ]
    distinct = reduced(pl.Series(train), parser.masks)
    assert parser.fit(distinct).tolist() == [0, 1, 2]
    assert parser.templates[:2] == ["Verification succeeded for <*>", "odd line <*> of <*>"]
    other = hdfs_parser()
    other.restore(json.loads(json.dumps(parser.state())))
    unknown = reduced(pl.Series(["Reopen Block blk_9", "Verification succeeded for blk_-8"]), parser.masks)
    for one in (parser, other):
        assert one.match(unknown).tolist() == [-1, 0]
        assert one.templates == parser.templates
