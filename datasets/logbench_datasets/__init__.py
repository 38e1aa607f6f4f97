"""First-party data sets, one a file with its card. Heavy imports wait for `read`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import Component, hookimpl

from . import ait_sequences, deeplog_archive, hdfs
from .hdfs_sim_config import HdfsSimConfig

if TYPE_CHECKING:
    from logbench import Progress

SIMULATED = replace(
    hdfs.CARD,
    title="simulated HDFS block life cycles, embedded: no file needed",
    label="a block is anomalous where the generator made it so",
    layout="nothing",
    protocol="hdfs",
    url="",
    size=0,
    md5="",
    licence="Apache-2.0, as logbench",
    citation="logbench",
    faults=("simulated: never to be set against published figures",),
    simulated=True,
    published={},
)


class HdfsSim(hdfs.Hdfs):
    """`hdfs`, written by a seeded generator."""

    def __init__(self, config: HdfsSimConfig) -> None:
        self.config = config

    def generate(self, folder: Path, progress: Progress) -> None:
        """Write the raw log and its labels; see `Generator`."""
        from .hdfs_sim import generate

        generate(self.config, folder, progress)


@hookimpl
def logbench_datasets() -> Iterable[Component[Any]]:
    """Offer every data set of this package."""
    yield Component("hdfs", hdfs.Hdfs, summary=hdfs.CARD.title, card=hdfs.CARD)
    yield Component("hdfs-sim", HdfsSim, HdfsSimConfig, SIMULATED.title, card=SIMULATED)
    ait, openstack = ait_sequences.CARD, ait_sequences.OPENSTACK
    yield Component("ait-sequences", ait_sequences.AitSequences, summary=ait.title, card=ait)
    yield Component("openstack-sequences", ait_sequences.AitSequences, summary=openstack.title, card=openstack)
    archive = deeplog_archive.CARD
    yield Component("deeplog-archive", deeplog_archive.DeeplogArchive, summary=archive.title, card=archive)
