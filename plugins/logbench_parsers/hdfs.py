"""The log statements of HDFS_v1 as fixed regular expressions; it learns nothing.

Sources: the statements as they stand in Loghub's HDFS_2k and in the lines of HDFS_v1 itself; for those that
neither sample holds, the published list of 30 templates. The vocabulary is still that of the training: a
statement that did not occur there is unseen, its key −1. A line that no statement describes keeps its text
with ids and numbers masked, and is a template of its own.
"""

from __future__ import annotations

from .none import Verbatim

NODE = r"[0-9.]+:[0-9]+"
BLOCK = r"blk_-?[0-9]+"
IP = r"/[0-9.]+"

# (regular expression, template), 30 pairs; no message fits two. An expression describes the whole message,
# with `.*` only where Hadoop writes free text (a path, an exception).
STATEMENTS = (
    (
        rf"Receiving block {BLOCK} src: {IP}:[0-9]+ dest: {IP}:[0-9]+",
        "Receiving block <*> src: <*> dest: <*>",
    ),
    (
        rf"Received block {BLOCK} src: {IP}:[0-9]+ dest: {IP}:[0-9]+ of size [0-9]+",
        "Received block <*> src: <*> dest: <*> of size <*>",
    ),
    (rf"Received block {BLOCK} of size [0-9]+ from {IP}", "Received block <*> of size <*> from <*>"),
    (rf"Receiving empty packet for block {BLOCK}", "Receiving empty packet for block <*>"),
    (rf"Exception in receiveBlock for block {BLOCK} .*", "Exception in receiveBlock for block <*> <*>"),
    (rf"writeBlock {BLOCK} received exception .*", "writeBlock <*> received exception <*>"),
    (
        rf"PacketResponder [0-9]+ for block {BLOCK} terminating",
        "PacketResponder <*> for block <*> terminating",
    ),
    (
        rf"PacketResponder [0-9]+ for block {BLOCK} Interrupted\.",
        "PacketResponder <*> for block <*> Interrupted.",
    ),
    (rf"PacketResponder {BLOCK} [0-9]+ Exception .*", "PacketResponder <*> <*> Exception <*>"),
    (
        rf"{NODE}:Exception writing block {BLOCK} to mirror {NODE}",
        "<*>:Exception writing block <*> to mirror <*>",
    ),
    (
        rf"Changing block file offset of block {BLOCK} from [0-9]+ to [0-9]+ meta file offset to [0-9]+",
        "Changing block file offset of block <*> from <*> to <*> meta file offset to <*>",
    ),
    (rf"{NODE} Served block {BLOCK} to {IP}", "<*> Served block <*> to <*>"),
    (
        rf"{NODE}:Got exception while serving {BLOCK} to {IP}:.*",
        "<*>:Got exception while serving <*> to <*>:",
    ),
    (
        rf"{NODE} Starting thread to transfer block {BLOCK} to .*",
        "<*> Starting thread to transfer block <*> to <*>",
    ),
    (rf"{NODE}:Transmitted block {BLOCK} to {IP}:[0-9]+", "<*>:Transmitted block <*> to <*>"),
    (rf"{NODE}:Failed to transfer {BLOCK} to .* got .*", "<*>:Failed to transfer <*> to <*> got <*>"),
    (rf"Verification succeeded for {BLOCK}", "Verification succeeded for <*>"),
    (rf"Adding an already existing block {BLOCK}.*", "Adding an already existing block <*>"),
    (rf"Reopen Block {BLOCK}.*", "Reopen Block <*>"),
    (
        rf"Unexpected error trying to delete block {BLOCK}\. BlockInfo not found in volumeMap\.",
        "Unexpected error trying to delete block <*>. BlockInfo not found in volumeMap.",
    ),
    (rf"Deleting block {BLOCK} file .*", "Deleting block <*> file <*>"),
    (rf"BLOCK\* NameSystem\.allocateBlock: .* {BLOCK}", "BLOCK* NameSystem.allocateBlock: <*> <*>"),
    (
        rf"BLOCK\* NameSystem\.delete: {BLOCK} is added to invalidSet of {NODE}",
        "BLOCK* NameSystem.delete: <*> is added to invalidSet of <*>",
    ),
    (
        rf"BLOCK\* NameSystem\.addStoredBlock: blockMap updated: {NODE} is added to {BLOCK} size [0-9]+",
        "BLOCK* NameSystem.addStoredBlock: blockMap updated: <*> is added to <*> size <*>",
    ),
    (
        r"BLOCK\* NameSystem\.addStoredBlock: Redundant addStoredBlock request received for "
        rf"{BLOCK} on {NODE} size [0-9]+",
        "BLOCK* NameSystem.addStoredBlock: Redundant addStoredBlock request received for <*> on <*> size <*>",
    ),
    (
        r"BLOCK\* NameSystem\.addStoredBlock: addStoredBlock request received for "
        rf"{BLOCK} on {NODE} size [0-9]+ But it does not belong to any file\.?",
        "BLOCK* NameSystem.addStoredBlock: addStoredBlock request received for <*> on <*> size <*> "
        "But it does not belong to any file.",
    ),
    (rf"BLOCK\* ask {NODE} to replicate {BLOCK} to .*", "BLOCK* ask <*> to replicate <*> to <*>"),
    (rf"BLOCK\* ask {NODE} to delete .*", "BLOCK* ask <*> to delete <*>"),
    (
        rf"BLOCK\* Removing block {BLOCK} from neededReplications as it does not belong to any file\.?",
        "BLOCK* Removing block <*> from neededReplications as it does not belong to any file.",
    ),
    (
        rf"PendingReplicationMonitor timed out block {BLOCK}.*",
        "PendingReplicationMonitor timed out block <*>",
    ),
)

MASKS = (
    *((rf"^{expression}$", template) for expression, template in STATEMENTS),
    (BLOCK, "<*>"),
    (r"[0-9]+", "<*>"),
)


def parser() -> Verbatim:
    """The masks reduce a line to its statement; equal digits apart, lines share a shape."""
    return Verbatim(MASKS, shape=(("[0-9]+", "0"),))
