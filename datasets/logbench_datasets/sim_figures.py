"""Figures that calibrate `hdfs-sim`, each with its source.

Sources: HDFS_v1 is Loghub's corpus (575,061 blocks); *sample* is a 2% sample of its blocks (11,151 normal and
350 anomalous ones); *archive* is the DeepLog authors' key sequences (16,838 anomalous ones).
"""

from __future__ import annotations

from enum import IntEnum

ANOMALY_SHARE = 0.0293  # HDFS_v1: 16,838 of 575,061 blocks
SPAN_S = 138_900  # HDFS_v1: from 081109 203530 to about 081111 111000
START = "2008-11-09T20:35:30"  # HDFS_v1: first line
FULL_SIZE = 67_108_864  # bytes of a full block; 94% of the sample's replicas
FULL_SIZE_SHARE = 0.94
NODES = 203  # sample: distinct data nodes


class Kind(IntEnum):
    """Kinds of blocks. The first three are normal."""

    PLAIN = 0
    REPLICATED = 1
    STALE_DELETE = 2
    ABANDONED = 3
    ABORTED = 4
    DELETE_ERROR = 5
    REDUNDANT = 6
    ORPHAN = 7
    EMPTY_PACKET = 8
    RE_REPLICATED = 9
    BROKEN_PIPELINE = 10
    LATE_READ = 11
    EARLY_DELETE = 12
    LOST_REPLICA = 13


# Shares of the normal blocks. Together 0.3% with an event that most normal blocks never show (sample: 33 of
# 11,151, of them 26 replicated again and 7 with a delete that found nothing).
RARE_NORMAL = {Kind.REPLICATED: 0.0024, Kind.STALE_DELETE: 0.0006}

# Shares of the anomalous blocks. Archive: 2 events 17.5%, 3 events 19.2% (together with the few of 6 and 10
# events 36.8%), failed deletes 30.4%, redundant adds 5.8%, orphan adds 7.4%, empty packets 2.9%, replication
# without any key unseen among normals 16.4%, failing write pipelines 0.3%. Pipelines get more here, so that all
# templates show at 20,000 blocks; and the last three, seen by order or counts alone, stand in for a part of
# the replication cases.
ANOMALIES = {
    Kind.ABANDONED: 0.176,
    Kind.ABORTED: 0.192,
    Kind.DELETE_ERROR: 0.300,
    Kind.REDUNDANT: 0.060,
    Kind.ORPHAN: 0.076,
    Kind.EMPTY_PACKET: 0.031,
    Kind.RE_REPLICATED: 0.110,
    Kind.BROKEN_PIPELINE: 0.015,
    Kind.LATE_READ: 0.015,
    Kind.EARLY_DELETE: 0.015,
    Kind.LOST_REPLICA: 0.010,
}

# Hours in which blocks with such an event are written, so that the first blocks lack some. Sample: the first
# replicated normal block is number 6,211 of 11,151, after 31 hours; all 7 stale deletes are of blocks written
# in the fifth hour and read often.
RARE_HOURS = {Kind.REPLICATED: (31.0, 39.0), Kind.STALE_DELETE: (4.0, 16.1)}
