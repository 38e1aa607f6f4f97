"""The 29 message forms of `hdfs-sim` and the event they stand for.

The forms are those of HDFS 0.18's own log as Loghub HDFS_v1 holds it, so that templates made for the real
corpus fit. Of its 29 forms one is left out (`Reopen Block`, 4 blocks of 575,061) and `ask … to delete` is in,
because it is the line that names several blocks.
"""

from __future__ import annotations

from enum import IntEnum


class Event(IntEnum):
    """Events, numbered in the order in which one millisecond's lines of a block are written."""

    ALLOCATE = 0
    RECEIVE = 1
    EMPTY_PACKET = 2
    RESPONDER_FAILS = 3
    RESPONDER_CUT = 4
    MIRROR_FAILS = 5
    RECEIVE_FAILS = 6
    WRITE_FAILS = 7
    MOVE_OFFSET = 8
    RESPONDER = 9
    RECEIVED = 10
    ADD = 11
    ADD_REDUNDANT = 12
    ADD_ORPHAN = 13
    VERIFY = 14
    SERVE_FAILS = 15
    SERVE = 16
    ASK_COPY = 17
    COPY_STARTS = 18
    COPY_RECEIVED = 19
    COPY_SENT = 20
    COPY_FAILS = 21
    COPY_TIMEOUT = 22
    COPY_DROPPED = 23
    SCAN_TWICE = 24
    ASK_DELETE = 25
    INVALIDATE = 26
    DELETE = 27
    DELETE_FAILS = 28


# In braces: `id`, `mate` block ids; `a` the node of the replica, `up` the one before it, `client` a reader; the
# rest numbers.
FORMS = {
    Event.ALLOCATE: "INFO dfs.FSNamesystem: BLOCK* NameSystem.allocateBlock: "
    "/user/sim/job{job}/_temporary/_task_2008_{task}_m_{part}_0/part-{part}. blk_{id}",
    Event.RECEIVE: "INFO dfs.DataNode$DataXceiver: Receiving block blk_{id} src: /{up}:{port} dest: /{a}:50010",
    Event.EMPTY_PACKET: "INFO dfs.DataNode$BlockReceiver: Receiving empty packet for block blk_{id}",
    Event.RESPONDER_FAILS: "INFO dfs.DataNode$PacketResponder: PacketResponder blk_{id} {ordinal} "
    "Exception java.io.EOFException",
    Event.RESPONDER_CUT: "INFO dfs.DataNode$PacketResponder: PacketResponder {ordinal} for block blk_{id} "
    "Interrupted.",
    Event.MIRROR_FAILS: "INFO dfs.DataNode$BlockReceiver: {up}:50010:Exception writing block blk_{id} "
    "to mirror {a}:50010",
    Event.RECEIVE_FAILS: "INFO dfs.DataNode$BlockReceiver: Exception in receiveBlock for block blk_{id} "
    "java.io.EOFException",
    Event.WRITE_FAILS: "INFO dfs.DataNode$DataXceiver: writeBlock blk_{id} received exception "
    "java.io.IOException: Could not read from stream",
    Event.MOVE_OFFSET: "INFO dfs.DataNode$BlockReceiver: Changing block file offset of block blk_{id} "
    "from 0 to {offset} meta file offset to {meta}",
    Event.RESPONDER: "INFO dfs.DataNode$PacketResponder: PacketResponder {ordinal} for block blk_{id} terminating",
    Event.RECEIVED: "INFO dfs.DataNode$PacketResponder: Received block blk_{id} of size {size} from /{up}",
    Event.ADD: "INFO dfs.FSNamesystem: BLOCK* NameSystem.addStoredBlock: blockMap updated: "
    "{a}:50010 is added to blk_{id} size {size}",
    Event.ADD_REDUNDANT: "WARN dfs.FSNamesystem: BLOCK* NameSystem.addStoredBlock: "
    "Redundant addStoredBlock request received for blk_{id} on {a}:50010 size {size}",
    Event.ADD_ORPHAN: "INFO dfs.FSNamesystem: BLOCK* NameSystem.addStoredBlock: "
    "addStoredBlock request received for blk_{id} on {a}:50010 size {size} "
    "But it does not belong to any file.",
    Event.VERIFY: "INFO dfs.DataBlockScanner: Verification succeeded for blk_{id}",
    Event.SERVE_FAILS: "WARN dfs.DataNode$DataXceiver: {a}:50010:Got exception while serving "
    "blk_{id} to /{client}:",
    Event.SERVE: "INFO dfs.DataNode$DataXceiver: {a}:50010 Served block blk_{id} to /{client}",
    Event.ASK_COPY: "INFO dfs.FSNamesystem: BLOCK* ask {up}:50010 to replicate blk_{id} to datanode(s) {a}:50010",
    Event.COPY_STARTS: "INFO dfs.DataNode: {up}:50010 Starting thread to transfer block blk_{id} to {a}:50010",
    Event.COPY_RECEIVED: "INFO dfs.DataNode$DataXceiver: Received block blk_{id} src: /{up}:{port} "
    "dest: /{a}:50010 of size {size}",
    Event.COPY_SENT: "INFO dfs.DataNode$DataTransfer: {up}:50010:Transmitted block blk_{id} to /{a}:50010",
    Event.COPY_FAILS: "WARN dfs.DataNode$DataTransfer: {up}:50010:Failed to transfer blk_{id} to {a}:50010 "
    "got java.net.SocketException: Connection reset",
    Event.COPY_TIMEOUT: "WARN dfs.PendingReplicationBlocks$PendingReplicationMonitor: "
    "PendingReplicationMonitor timed out block blk_{id}",
    Event.COPY_DROPPED: "INFO dfs.FSNamesystem: BLOCK* Removing block blk_{id} from neededReplications "
    "as it does not belong to any file.",
    Event.SCAN_TWICE: "WARN dfs.DataBlockScanner: Adding an already existing block blk_{id}",
    Event.ASK_DELETE: "INFO dfs.FSNamesystem: BLOCK* ask {a}:50010 to delete  blk_{id} blk_{mate}",
    Event.INVALIDATE: "INFO dfs.FSNamesystem: BLOCK* NameSystem.delete: blk_{id} "
    "is added to invalidSet of {a}:50010",
    Event.DELETE: "INFO dfs.FSDataset: Deleting block blk_{id} "
    "file /mnt/hadoop/dfs/data/current/subdir{subdir}/blk_{id}",
    Event.DELETE_FAILS: "WARN dfs.FSDataset: Unexpected error trying to delete block blk_{id}. "
    "BlockInfo not found in volumeMap.",
}
