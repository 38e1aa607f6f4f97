"""Options of the embedded data set `hdfs-sim`. Light on purpose: `logbench list` reads it."""

from __future__ import annotations

from dataclasses import dataclass

from logbench import option


@dataclass(frozen=True)
class HdfsSimConfig:
    """What `hdfs-sim` generates: the same bytes for the same two numbers."""

    blocks: int = option(20_000, "blocks to simulate; 575061 is the size of Loghub HDFS_v1", ge=100, le=16_000_000)
    data_seed: int = option(1, "seeds the generator, apart from the split's and the model's seeds", ge=0)
