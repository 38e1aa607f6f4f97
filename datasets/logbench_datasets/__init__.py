"""First-party data sets, one a file with its card. Heavy imports wait for `read`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import DatasetComponent, hookimpl

from . import (
    ait_sequences,
    bgl_family,
    deeplog_archive,
    hadoop,
    hdfs,
    hdfs_100k,
    kalaki,
    multilog,
    nezha,
    openstack,
    structured,
    syscalls,
)
from .drift_sim_config import CARD as DRIFTS
from .drift_sim_config import DriftSim, DriftSimConfig
from .hdfs_sim_config import HdfsSimConfig

if TYPE_CHECKING:
    import polars as pl

    from logbench import Lines, Progress

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
    cite=(),
    faults=("simulated: never to be set against published figures",),
    simulated=True,
    published={},
)


def sim_types(path: Path) -> pl.DataFrame:
    """Columns `unit` and `type` of the anomalous blocks that `hdfs-sim` wrote."""
    import polars as pl

    from .hdfs_sim import TYPES

    texts = {"BlockId": pl.String, "Type": pl.String}
    return pl.read_csv(path / TYPES, schema_overrides=texts).select(unit="BlockId", type="Type")


class HdfsSim(hdfs.Hdfs):
    """`hdfs`, written by a seeded generator."""

    def __init__(self, config: HdfsSimConfig) -> None:
        self.config = config

    def generate(self, folder: Path, progress: Progress) -> None:
        """Write the raw log and its labels; see `Generator`."""
        from .hdfs_sim import generate

        generate(self.config, folder, progress)

    def read(self, path: Path) -> Lines:
        """The same with the kind of each anomaly, such as `delete error`; see `Dataset.read`."""
        return replace(super().read(path), types=partial(sim_types, path))


LABELLED_LINES = (
    ("bgl", bgl_family.Bgl, bgl_family.BGL),
    ("thunderbird", partial(bgl_family.Syslogs, "Thunderbird*.log", "tbird2*"), bgl_family.THUNDERBIRD),
    ("spirit", partial(bgl_family.Syslogs, "spirit2*", "[Ss]pirit*.log"), bgl_family.SPIRIT),
    ("liberty", partial(bgl_family.Syslogs, "liberty2*", "[Ll]iberty*.log"), bgl_family.LIBERTY),
)


@hookimpl
def logbench_datasets() -> Iterable[DatasetComponent[Any]]:
    """Offer every data set of this package."""
    yield DatasetComponent("hdfs", hdfs.Hdfs, summary=hdfs.CARD.title, card=hdfs.CARD, aliases=("hdfs-v1",))
    yield DatasetComponent("hdfs-sim", HdfsSim, HdfsSimConfig, SIMULATED.title, card=SIMULATED)
    yield DatasetComponent("drift-sim", DriftSim, DriftSimConfig, DRIFTS.title, card=DRIFTS)
    ait, instances = ait_sequences.CARD, ait_sequences.OPENSTACK
    yield DatasetComponent("ait-sequences", ait_sequences.AitSequences, summary=ait.title, card=ait)
    yield DatasetComponent(
        "openstack-sequences", ait_sequences.AitSequences, summary=instances.title, card=instances
    )
    archive = deeplog_archive.CARD
    yield DatasetComponent("deeplog-archive", deeplog_archive.DeeplogArchive, summary=archive.title, card=archive)
    for name, build, card in LABELLED_LINES:
        yield DatasetComponent(name, build, summary=card.title, card=card)
    yield DatasetComponent("hadoop", hadoop.Hadoop, summary=hadoop.CARD.title, card=hadoop.CARD)
    yield DatasetComponent("openstack", openstack.Openstack, summary=openstack.CARD.title, card=openstack.CARD)
    yield DatasetComponent("openstack-kalaki", kalaki.OpenstackKalaki, summary=kalaki.CARD.title, card=kalaki.CARD)
    yield DatasetComponent("hdfs-100k", hdfs_100k.Hdfs100k, summary=hdfs_100k.CARD.title, card=hdfs_100k.CARD)
    yield DatasetComponent("multilog", multilog.Multilog, summary=multilog.CARD.title, card=multilog.CARD)
    yield DatasetComponent("nezha", nezha.Nezha, nezha.NezhaConfig, nezha.CARD.title, card=nezha.CARD)
    yield DatasetComponent("adfa-ld", syscalls.AdfaLd, summary=syscalls.ADFA.title, card=syscalls.ADFA)
    yield DatasetComponent("awsctd", syscalls.Awsctd, summary=syscalls.AWSCTD.title, card=syscalls.AWSCTD)
    csv, parquet = structured.LOGHUB, structured.LOGLEAD
    yield DatasetComponent(
        "loghub-structured", structured.Structured, structured.StructuredConfig, csv.title, card=csv
    )
    yield DatasetComponent("loglead", structured.Loglead, summary=parquet.title, card=parquet)
